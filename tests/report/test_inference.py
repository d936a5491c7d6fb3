"""What can be concluded: the parts of a page follow from the numbers, and are absent where there are none."""

from dataclasses import replace

import pytest

from isophrase.report.conclusion import conclusion
from isophrase.report.html import render_html
from isophrase.report.inference import gap_test, inference, pilot_components
from isophrase.report.overview import conditions
from isophrase.statistics.further import further
from tests.report import synthetic


def view(*, known=False, tasks=4):
    made = synthetic.run(known=known, plans=synthetic.PLANS[:tasks])
    panels = tuple(
        replace(panel, further=further(panel.table, None, level=0.95, resamples=100, seed=0)) for panel in made.panels
    )
    return replace(made, panels=panels)


def test_a_page_has_all_parts():
    page = render_html(view(known=True))
    for words in ("What can be concluded", "Over tasks.", "Quantiles over wordings.", "What makes answers differ.",
                  "How many wordings it takes."):  # fmt: skip
        assert words in page
    assert "nan%" not in page
    assert '"nan"' not in page


def test_the_paragraph_says_what_the_numbers_show():
    condition = conditions(view(known=True))[0]
    text = conclusion(condition, gap_test(condition))
    assert "depends on the wording in" in text
    assert "permutation test p = " in text
    assert "For tasks like these 4" in text


def test_with_one_task_nothing_is_said_of_others():
    condition = conditions(view(tasks=1))[0]
    assert "One task says nothing of other tasks." in conclusion(condition, None)
    assert "training" not in conclusion(condition, None)


def test_the_pilot_is_the_average_over_tasks():
    condition = conditions(view())[0]
    parts = [panel.further.components.instruction for panel in condition.panels]
    assert pilot_components(condition).instruction == pytest.approx(sum(parts) / len(parts))


def test_without_two_wordings_there_is_nothing():
    one = synthetic.panel(n_instructions=1)
    condition = conditions(replace(synthetic.run(), panels=(one,)))[0]
    assert inference(condition, "c0") is None


def test_a_view_without_further_numbers_has_the_paragraph_and_the_forest_only():
    part = inference(conditions(synthetic.run())[0], "c0")
    assert part.text
    assert part.forest
    assert part.split is None
    assert part.power is None
