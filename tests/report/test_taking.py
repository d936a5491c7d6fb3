"""Figures and tables taken out of the page: SVG and PNG that look like it, CSV and LaTeX that read back."""

import csv
import io
import re
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from isophrase.report.view import RunView
from tests.report.browser import NEEDS_CHROMIUM, open_table
from tests.report.synthetic import run, run_with_distances, tiny

pytestmark = NEEDS_CHROMIUM


def taken(page, owner, name):
    """What a button of the menu beside a figure or a table saves."""
    owner.locator("details.take > summary").first.click()
    with page.expect_download() as caught:
        owner.get_by_role("button", name=f"Save {name}", exact=True).first.click()
    return caught.value.path().read_bytes(), caught.value.suggested_filename


def figure(page, name):
    return page.locator(f"figure[data-figure={name}]")


@pytest.mark.parametrize("name", ["wordings-c0", "references-c0", "wordings-p0", "distance-d0"])
def test_every_figure_is_an_svg_that_needs_no_style_sheet(show, name):
    page = show(run_with_distances())
    content, file = taken(page, figure(page, name), "SVG")
    assert file == f"{name}.svg"
    root = ElementTree.fromstring(content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = content.decode()
    assert "var(--" not in text
    assert "class=" not in text.replace("isophrase", "")
    uses = re.findall(r'href="#(m-[a-z]+)"', text)
    ids = set(re.findall(r'<symbol[^>]* id="([^"]+)"', text))
    assert uses
    assert set(uses) <= ids
    marks = figure(page, name).locator("svg.plot use").count()
    assert len(uses) >= marks


def test_a_figure_is_a_png_at_twice_its_size(show):
    page = show(run())
    content, _ = taken(page, figure(page, "wordings-c0"), "PNG")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    box = figure(page, "wordings-c0").locator("svg.plot").bounding_box()
    assert width >= 2 * box["width"]
    assert height >= 2 * box["height"]
    # Not one colour: the plot was drawn before it was taken.
    assert len(content) > 20_000


def table_of(page, place=0):
    section = open_table(page, place)
    return section, section.locator(".instructions")


def test_a_table_is_a_csv_with_the_ends_of_intervals_as_numbers(show):
    view = run()
    page = show(view)
    section, box = table_of(page)
    section.get_by_label("Filter instructions").fill("terse")
    section.get_by_text("3 of 18").wait_for()
    content, file = taken(page, box, "CSV")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert file == "instructions-p0.csv"
    assert {row["Instruction"] for row in rows} == {"terse-1", "terse-2", "terse-3"}
    by_id = {item.instruction: item.mean for item in view.panels[0].summary.instructions}
    for row in rows:
        mean = by_id[row["Instruction"]]
        given = [float(row[name]) / 100 for name in ("Accuracy, %", "Accuracy, % low", "Accuracy, % high")]
        assert given == pytest.approx([mean.value, mean.low, mean.high], abs=5e-4)
        assert "input" in row["wording"]


def test_a_spreadsheet_gets_no_formula(show):
    given = tiny(task="=HYPERLINK(1)", templates=("+1 {{ input }}", '-2, "two" {{ input }}'))
    page = show(RunView("run", panels=(replace(given),)))
    content, _ = taken(page, page.locator("#tasks"), "CSV")
    (row,) = csv.reader(io.StringIO(content.decode().split("\n", 1)[1]))
    assert row[0] == "'=HYPERLINK(1)"
    _, box = table_of(page)
    content, _ = taken(page, box, "CSV")
    wordings = {row["wording"] for row in csv.DictReader(io.StringIO(content.decode()))}
    assert wordings == {"'+1 input", '\'-2, "two" input'}


def test_a_table_is_latex_with_every_special_sign_escaped(show):
    page = show(RunView("run", panels=(tiny(task="a_b & 50% {x} ~ ^ # $ \\"),)))
    content, file = taken(page, page.locator("#tasks"), "LaTeX")
    text = content.decode()
    assert file == "tasks.tex"
    assert r"a\_b \& 50\% \{x\} \textasciitilde{} \textasciicircum{} \# \$ \textbackslash{}" in text
    assert text.count(r"\\") == 2
    assert r"\begin{tabular}{lrrrrrrrrr}" in text
    assert r"75.0 {\footnotesize [60.0, 90.0]}" in text


def test_copying_fills_the_clipboard(show):
    page = show(run(), permissions=["clipboard-read", "clipboard-write"])
    box = page.locator("#tasks")
    box.locator("details.take > summary").click()
    box.get_by_role("button", name="Copy CSV", exact=True).click()
    box.get_by_text("CSV copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("Task,Mean,Mean low,Mean high,Std")


def test_escape_closes_the_menu(show):
    page = show(run())
    menu = figure(page, "wordings-c0").locator("details.take")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert page.evaluate("document.activeElement.localName") == "summary"
