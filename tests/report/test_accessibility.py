"""Accessibility, as axe-core finds it, and what it can't find: keyboard alone, print, and meaning without colour."""

import re

import pytest

from isophrase.report.html import render_html
from tests.report.browser import NEEDS_CHROMIUM, findings, open_table
from tests.report.synthetic import run, run_with_distances
from tests.report.test_html import HOSTILE, hostile_view

pytestmark = NEEDS_CHROMIUM


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_page_with_everything_open(show, axe, scheme):
    page = show(run_with_distances(), color_scheme=scheme, reduced_motion="reduce")
    section = open_table(page)
    section.locator("button.opener").nth(4).click()
    section.locator("tr.detail pre").first.wait_for()
    section.locator("button.example").first.click()
    section.locator("details.flips > summary").click()
    section.locator("details.flip > summary").first.click()
    page.locator("#inside details.fold > summary").click()
    page.locator("#projection").scroll_into_view_if_needed()
    page.locator("svg.plane use").first.wait_for()
    page.locator("figure[data-figure=wordings-c0] details.take > summary").click()
    assert findings(page, axe) == []


def test_axe_finds_nothing_on_a_phone_or_where_texts_are_hostile(show, axe):
    assert findings(show(run(), viewport={"width": 390, "height": 800}), axe) == []
    assert findings(show(hostile_view(HOSTILE)), axe) == []


def test_the_keyboard_alone_reaches_an_instruction_and_its_examples(show):
    page = show(run())
    page.locator("section.panel").first.locator("details.instructions > summary").focus()
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button.opener')"):
            break
    page.keyboard.press("Enter")
    page.locator("tr.detail pre").first.wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button.example')"):
            break
    page.keyboard.press("Enter")
    assert page.locator("table.options").count() == 1


def test_marks_are_told_apart_without_colour(show):
    page = show(run_with_distances())
    page.locator("#projection").scroll_into_view_if_needed()
    page.locator("#projection").get_by_label("Tell apart").select_option("right")
    page.locator(".mark.is-wrong").first.wait_for(state="attached")
    looks = page.evaluate(
        """() => ['is-right', 'is-wrong'].map((name) => {
            const style = getComputedStyle(document.querySelector(`.plane .${name}`));
            return style.fill === getComputedStyle(document.body).backgroundColor;
        })"""
    )
    assert looks == [False, True]


def test_a_printed_page_is_light_and_has_no_controls(show):
    page = show(run_with_distances(), color_scheme="dark")
    page.get_by_role("button", name="Change between dark and light").click()
    page.get_by_role("button", name="Change between dark and light").click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for selector in (".tools", ".taking", ".theme", ".skip"):
        assert page.locator(f"{selector}:visible").count() == 0
    content = page.pdf()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 4


def test_the_page_says_its_language_and_has_one_first_heading():
    page = render_html(run_with_distances())
    assert '<html lang="en">' in page
    assert page.count("<h1") == 1
