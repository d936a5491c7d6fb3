"""Distances and projections on the page, in the terminal and as JSON."""

import json

import numpy as np
import pytest

from isophrase.report.distances import found, task_rows, verdict
from isophrase.report.html import render_html
from isophrase.report.machine import distances_json_text
from isophrase.report.scatter import axis
from tests.report.browser import NEEDS_CHROMIUM
from tests.report.reading import decode
from tests.report.synthetic import run, run_with_distances


def test_a_run_without_distances_has_no_such_section():
    page = render_html(run())
    assert 'id="inside"' not in page
    assert found(run()) == ()


def test_the_verdict_follows_the_interval():
    (item,) = found(run_with_distances(slope=1.0))
    assert item.findings.cosine.value.low > 0
    assert verdict(item) == "Wordings farther from the reference wording lose more accuracy"
    (item,) = found(run_with_distances(slope=0.0))
    assert verdict(item) == "Distance from the reference wording does not tell which wordings lose accuracy"


def test_every_task_has_a_row_and_every_wording_its_numbers():
    view = run_with_distances()
    (item,) = found(view)
    assert [row[0] for row in task_rows(item)] == ["sentiment", "topic", "intent", "entailment"]
    (values,) = json.loads(distances_json_text(view))["distances"]
    rows = values["tasks"][0]["instructions"]
    assert [row["instruction"] for row in rows] == list(view.panels[0].table.instructions)
    assert rows[0]["cosine"] is None
    assert rows[2]["cosine"] == pytest.approx(float(view.panels[0].geometry.cosine[2]))
    assert values["correlation_cosine"]["value"]["value"] == pytest.approx(item.findings.cosine.value.value)


def test_points_come_back_from_their_block():
    view = run_with_distances()
    page = render_html(view)
    block = page.split('id="data-0">')[1].split("</script>")[0]
    _, arrays = decode(block)
    geometry = view.panels[0].geometry
    assert arrays["pointRow"].tolist() == geometry.rows.tolist()
    np.testing.assert_allclose(arrays["tsne"].reshape(-1, 2) / 511.5 - 1, geometry.tsne, atol=1e-3)


@NEEDS_CHROMIUM
def test_a_mark_leads_to_its_instruction(show):
    page = show(run_with_distances())
    plot = page.locator("#d0-s1")
    assert plot.locator("a.point").count() == 16
    plot.locator("a.point").nth(3).focus()
    page.keyboard.press("Enter")
    page.locator("section.panel").nth(1).locator("tr.detail pre").first.wait_for()
    assert "Inside the model, from the reference wording" in page.locator("tr.detail").inner_text()


@NEEDS_CHROMIUM
def test_a_projection_is_drawn_when_it_is_seen_and_follows_its_choices(show):
    view = run_with_distances()
    page = show(view)
    figure = page.locator("#projection")
    figure.scroll_into_view_if_needed()
    marks = figure.locator("svg.plane use")
    marks.first.wait_for()
    geometry = view.panels[0].geometry
    assert marks.count() == len(geometry.rows)
    place = marks.first.get_attribute("x")
    figure.get_by_label("Projection").select_option("pca")
    page.wait_for_function("place => document.querySelector('svg.plane use').getAttribute('x') !== place", arg=place)
    figure.get_by_label("Tell apart").select_option("right")
    figure.locator(".mark.is-wrong").first.wait_for(state="attached")
    values = view.panels[0].table.values[geometry.rows, geometry.columns]
    assert figure.locator("svg.plane .mark.is-right").count() == int((values == 1).sum())
    figure.get_by_label("Task").select_option("2")
    page.wait_for_function("() => document.querySelector('svg.plane').getAttribute('aria-label').includes('states')")


@NEEDS_CHROMIUM
def test_before_and_after_stand_side_by_side(show):
    page = show(run_with_distances(models=("base", "repaired")))
    figure = page.locator("#projection")
    figure.scroll_into_view_if_needed()
    figure.locator("svg.plane").nth(1).wait_for()
    boxes = [plane.bounding_box() for plane in figure.locator("svg.plane").all()]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    assert [text.split(" ")[0] for text in figure.locator(".plane-name").all_inner_texts()] == ["base", "repaired"]


@pytest.mark.parametrize(
    ("values", "low", "high", "ticks"),
    [
        ([0.1, 0.55], 0, 0.5775, (0, 0.2, 0.4)),
        ([-0.52, 0.41], -0.5665, 0.4565, (-0.5, -0.25, 0, 0.25)),
        ([0.0004, 0.0021], 0, 0.002205, (0, 0.0005, 0.001, 0.0015, 0.002)),
        ([float("nan")], -0.55, 0.55, (-0.5, -0.25, 0, 0.25, 0.5)),
    ],
)
def test_an_axis_holds_its_values_and_has_round_ticks(values, low, high, ticks):
    found = axis(values, with_zero=True)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.ticks == pytest.approx(ticks)
