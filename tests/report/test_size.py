"""A large report stays small and opens quickly: 100 wordings × 10 tasks × 500 examples, with distances."""

from dataclasses import replace

import pytest

from isophrase.report.html import render_html
from isophrase.report.view import RunView
from isophrase.statistics.distance import findings
from tests.report.browser import NEEDS_CHROMIUM
from tests.report.synthetic import MODEL, PLANS, far, panel

MEGABYTE = 1_000_000


def large(tasks, wordings, examples):
    kinds = [PLANS[place % len(PLANS)] for place in range(tasks)]
    plans = [replace(plan, name=f"{plan.name}-{place}") for place, plan in enumerate(kinds)]
    pairs = [far(panel(plan, n_instructions=wordings, n_examples=examples), 0.5, (MODEL,), 0) for plan in plans]
    said = {(MODEL, 0, "chat"): findings([table for _, table in pairs])}
    return RunView("large", panels=tuple(item for item, _ in pairs), distances=said)


def test_a_task_of_many_cells_is_a_small_page():
    assert len(render_html(large(1, 100, 100)).encode()) < 0.45 * MEGABYTE


@pytest.mark.slow
@NEEDS_CHROMIUM
def test_a_large_report_is_at_most_three_megabytes_and_opens_within_two_seconds(show):
    page = render_html(large(10, 100, 500))
    size = len(page.encode()) / MEGABYTE
    shown = show(page)
    entry = shown.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    print(f"{size:.2f} MB; loaded after {entry:.0f} ms")
    assert size <= 3.0
    assert entry <= 2000
