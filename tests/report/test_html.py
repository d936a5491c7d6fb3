"""The page as text: complete without a network or a script, the same each time, and every foreign text escaped."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest

from isophrase.report.html import render_html
from isophrase.report.view import RunView
from isophrase.statistics.distance import findings
from tests.report.synthetic import HEADLINE, PLANS, estimate, far, run, tiny

HOSTILE = "</script><script>alert(1)</script><!-- \"'><img src=x onerror=alert(1)>"
TRICKS = [HOSTILE, "\u202egnp.exe", "\ud800 lone", "x" * 5000, "{{ 7 * 7 }} {% raw %}", "\x1b[31mred\x00"]


class Elements(HTMLParser):
    """All start tags with their attributes, and the text outside script and style."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)


def count(elements, tag):
    return sum(name == tag for name, _ in elements.found)


def names(elements):
    """Every element and attribute that occurs."""
    return {tag for tag, _ in elements.found} | {name for _, attributes in elements.found for name in attributes}


@pytest.fixture(scope="module")
def page():
    return render_html(run())


def hostile_view(trick):
    given = tiny(
        task=trick, model=trick, text=trick, options=(trick, trick + " 2"), templates=(trick, trick + "{{ input }}")
    )
    rows = tuple(
        replace(item, id=f"{trick}{place}", register=trick, author=trick)
        for place, item in enumerate(given.instructions)
    )
    ids = tuple(row.id for row in rows)
    rows = (rows[0], replace(rows[1], reference=ids[0]))
    summaries = tuple(replace(item, instruction=row) for item, row in zip(given.summary.instructions, ids, strict=True))
    names = dict(zip((item.id for item in given.instructions), ids, strict=True))
    given = replace(
        given,
        instructions=rows,
        table=replace(given.table, instructions=ids),
        summary=replace(given.summary, instructions=summaries),
        controls=(replace(summaries[0], instruction=trick),),
        measurements={(names[row], column): item for (row, column), item in given.measurements.items()},
        chosen={(names[row], column): item for (row, column), item in given.chosen.items()},
        description=trick,
    )
    given, table = far(given, 0.5, (trick,), 0)
    return RunView(trick, {trick: trick}, (trick,), (given,), {(trick, 0, "plain"): findings([table])})


@pytest.mark.parametrize("trick", TRICKS, ids=["script", "bidi", "surrogate", "long", "template", "control"])
def test_hostile_text_stays_text(trick):
    page = render_html(hostile_view(trick))
    page.encode("utf-8")
    elements = Elements(page)
    plain = Elements(render_html(hostile_view("plain")))
    for tag in ("script", "style", "img", "iframe", "link", "meta", "tr", "details", "a"):
        assert count(elements, tag) == count(plain, tag), tag
    assert names(elements) <= names(plain)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", page)


def test_hostile_text_is_shown_as_it_is():
    assert Elements(render_html(hostile_view(HOSTILE))).text.count(HOSTILE) > 5


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    policy = policy.replace("&#39;", "'")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)[1]
    hashes = ["sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src '{hashes[0]}'; script-src '{hashes[1]}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def test_the_page_refers_to_nothing_outside_itself(page):
    for tag, attributes in Elements(page).found:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "data", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_links_inside_the_page_lead_somewhere_and_ids_are_unique(page):
    elements = Elements(page).found
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        href = attributes.get("href", "")
        if href.startswith("#"):
            assert href[1:] in ids


def test_the_script_never_parses_text_as_markup():
    for path in files("isophrase.report").joinpath("templates").iterdir():
        source = path.read_text() if path.name.endswith(".js") else ""
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|fetch\(", source
        )


def test_the_same_view_gives_the_same_page(page):
    assert render_html(run()) == page


def test_without_a_script_the_plots_and_tables_are_there(page):
    elements = Elements(page)
    text = " ".join(elements.text)
    view = run()
    dots = [attributes for tag, attributes in elements.found if tag == "a" and "dot" in attributes.get("class", "")]
    assert len(dots) == sum(len(panel.instructions) for panel in view.panels)
    for panel in view.panels:
        assert panel.summary.task in text
        for instruction in panel.instructions:
            assert instruction.id in text


def test_every_plot_has_a_title_and_a_description(page):
    elements = Elements(page)
    ids = {attributes.get("id") for _, attributes in elements.found}
    plots = [attributes for tag, attributes in elements.found if tag == "svg" and attributes.get("class") == "plot"]
    assert len(plots) == 7
    for attributes in plots:
        assert attributes["role"] == "group"
        assert {attributes["aria-labelledby"], attributes["aria-describedby"]} <= ids


def test_the_gap_is_plotted_where_it_is_known_and_explained_where_it_is_not(page):
    assert 'id="c0-gaps"' not in page
    assert "nothing is known of what smollm2-135m-instruct was tuned on" in page
    assert 'id="c0-refs"' in page
    known = render_html(run(known=True))
    assert 'id="c0-gaps"' in known
    assert 'id="c0-refs"' not in known


def test_several_conditions_are_told_apart():
    text = " ".join(Elements(render_html(run(plans=(PLANS[0], HEADLINE), shots=(0, 3)))).text)
    assert "smollm2-135m-instruct (0-shot)" in text
    assert "smollm2-135m-instruct (3-shot)" in text
    assert "token F1" in text


def test_a_run_without_panels_and_one_without_scores_are_still_pages():
    assert "Nothing has been measured yet" in render_html(RunView("empty"))
    given = tiny()
    nan = estimate(float("nan"))
    rows = tuple(replace(item, mean=nan, unscored=1.0) for item in given.summary.instructions)
    summary = replace(
        given.summary, mean=nan, std=nan, minimum=nan, maximum=nan, spread=nan, flip_rate=nan,
        unscored=estimate(1.0), instructions=rows,
    )  # fmt: skip
    table = replace(given.table, values=np.full((2, 2), np.nan), choices=np.full((2, 2), -1))
    empty = replace(given, summary=summary, table=table, measurements={}, chosen={})
    page = render_html(RunView("empty", panels=(empty,)))
    assert "Nothing can be said of the wording yet" in page
    assert "No cell of this task could be scored" in page
    assert "nan" not in " ".join(Elements(page).text)
