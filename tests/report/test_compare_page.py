"""Two models compared on the page: what the sentence, the tables and the opened wordings say."""

from dataclasses import replace

import numpy as np
import pytest

from isophrase.api.comparing import compare_views
from isophrase.report.compare_page import compare_pages, signed
from isophrase.report.html import render_html
from isophrase.report.marks import mark_code
from isophrase.report.merging import merged, models_of, only, told_apart
from isophrase.report.view import RunView
from isophrase.statistics.paired import Settings
from isophrase.statistics.summary import summarise
from tests.report.browser import NEEDS_CHROMIUM, findings
from tests.report.synthetic import PLANS, panel

QUICK = Settings(resamples=100, swaps=99)


def repaired(given):
    """The panel after a repair that mends every third error of every second wording, and breaks one cell."""
    values, choices = given.table.values.copy(), given.table.choices.copy()
    chosen = dict(given.chosen)
    places = {name: row for row, name in enumerate(given.table.instructions)}
    columns = {name: column for column, name in enumerate(given.table.examples)}
    codes = {text: int(choices[places[row], columns[column]]) for (row, column), text in chosen.items()}
    for row in range(1, len(values), 2):
        for column in np.flatnonzero(values[row] == 0)[::3]:
            example = given.examples[column]
            answer = example.options[example.gold[0]]
            values[row, column] = 1.0
            choices[row, column] = codes.setdefault(answer, len(codes))
            chosen[given.instructions[row].id, example.id] = answer
    table = replace(given.table, model="repaired", values=values, choices=choices)
    return replace(given, summary=summarise(table, resamples=100), table=table, chosen=chosen)


@pytest.fixture(scope="module")
def sides():
    before = RunView("base run", panels=tuple(panel(plan) for plan in PLANS[:2]))
    return before, RunView("repaired run", panels=tuple(repaired(item) for item in before.panels))


@pytest.fixture(scope="module")
def page(sides):
    return render_html(merged(*sides), (compare_views(*sides, settings=QUICK),))


def test_counts_of_mended_and_broken_cells_are_those_of_the_tables(sides):
    view = merged(*sides)
    (found,) = compare_pages(view, (compare_views(*sides, settings=QUICK),), mark_code(view.panels))
    for task, before, after in zip(found.tasks, *(side.panels for side in sides), strict=True):
        one, other = before.table.values, after.table.values
        assert task.mended == int(((one == 0) & (other == 1)).sum()) > 0
        assert task.broken == 0
        row = next(item for item in task.wordings if item.row == 3)
        scored = ~np.isnan(one[3])
        assert row.difference == pytest.approx(float((other[3] - one[3])[scored].mean()))
        changes = [abs(item.difference) for item in task.wordings]
        assert changes == sorted(changes, reverse=True)
    assert found.claim.startswith("The mean rises by")


def test_signs_are_written_out():
    assert [signed(value) for value in (0.031, -0.2, 0.0)] == ["+3.1", "−20.0", "0.0"]


def test_equal_names_are_told_apart_by_their_runs(sides):
    first, second = told_apart((sides[0], replace(sides[0], name="again")))
    assert models_of(first) == ("smollm2-135m-instruct (base run)",)
    assert models_of(second) == ("smollm2-135m-instruct (again)",)
    assert told_apart(sides) == sides
    assert only(merged(first, second), models_of(second)[0]).panels == second.panels
    twins = told_apart((sides[0], sides[0]))
    assert len({models_of(item) for item in twins}) == 2


@NEEDS_CHROMIUM
def test_a_wording_opens_to_the_examples_that_changed(show, page, sides):
    shown = show(page)
    box = shown.locator("details.compared").first
    box.locator("> summary").click()
    before, after = (side.panels[0] for side in sides)
    row = 3
    box.locator(f"tr[data-row='{row}'] button.opener").click()
    box.locator("tr.detail pre").wait_for()
    changed = before.table.choices[row] != after.table.choices[row]
    assert box.locator("tr.detail option:checked").inner_text() == f"answered otherwise ({int(changed.sum())})"
    box.locator("button.example").first.click()
    column = int(np.flatnonzero(changed)[0])
    cell = (before.instructions[row].id, before.examples[column].id)
    chosen = box.locator("table.options tr.chosen th").all_inner_texts()
    assert chosen == [before.chosen[cell], after.chosen[cell]]


@NEEDS_CHROMIUM
def test_wordings_of_a_comparison_sort_and_are_taken_as_csv(show, page):
    shown = show(page)
    box = shown.locator("details.compared").first
    box.locator("> summary").click()
    table = box.locator("table.changes")
    table.locator("thead th", has_text="Before").locator("button").click()
    values = [float(cell.get_attribute("data-value")) for cell in table.locator("tbody td:nth-child(2)").all()]
    assert values == sorted(values, reverse=True)
    box.locator("details.take > summary").last.click()
    with shown.expect_download() as caught:
        box.locator("button", has_text="Save CSV").last.click()
    lines = caught.value.path().read_text().splitlines()
    assert lines[0] == 'Instruction,"Before, %","After, %",Difference,Wrong → right,Right → wrong,wording'
    assert len(lines) == 19


@NEEDS_CHROMIUM
def test_axe_finds_nothing_on_a_comparison(show, page, axe):
    shown = show(page)
    for box in shown.locator("details.compared > summary").all():
        box.click()
    shown.locator("details.compared button.opener").first.click()
    shown.locator("tr.detail pre").first.wait_for()
    assert findings(shown, axe) == []
