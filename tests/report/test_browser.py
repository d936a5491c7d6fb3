"""The page in a real browser: it opens without complaint, asks nothing of the network, and responds."""

from dataclasses import replace

import pytest

from isophrase.report.numbers import with_interval
from isophrase.report.view import RunView
from tests.report.browser import NEEDS_CHROMIUM, open_table, visible_ids
from tests.report.synthetic import HEADLINE, PLANS, panel, run
from tests.report.test_html import HOSTILE, hostile_view

pytestmark = NEEDS_CHROMIUM


def test_an_instruction_opened_by_a_click_shows_its_template_examples_and_options(show):
    view = run()
    section = open_table(show(view))
    opener = section.locator("button.opener").first
    assert opener.get_attribute("aria-expanded") == "false"
    opener.click()
    given = view.panels[0]
    row = given.ranking[0]
    detail = section.locator("tr.detail")
    detail.locator("pre").first.wait_for()
    detail.locator("select").select_option("all")
    assert opener.get_attribute("aria-expanded") == "true"
    assert detail.locator("pre").first.text_content() == given.instructions[row].template
    assert detail.locator("pre").nth(1).text_content() == given.instructions[0].template
    assert detail.locator("ul.examples > li").count() == 20
    detail.get_by_role("button", name="Show more").click()
    assert detail.locator("ul.examples > li").count() == 40
    detail.locator("button.example").first.click()
    table = detail.locator("table.options")
    cell = (given.instructions[row].id, given.examples[0].id)
    assert table.locator("tr.chosen th").inner_text() == given.chosen[cell]
    assert table.locator("th").all_inner_texts() == list(given.examples[0].options)
    assert sum(int(text.split()[-2]) for text in table.locator("td.num").all_inner_texts()) in (99, 100, 101)
    opener.click()
    assert section.locator("tr.detail").count() == 0


def test_words_that_differ_from_the_reference_are_marked_on_both_sides(show):
    page = show(run(), anchor="#p0-i2")
    detail = page.locator("tr.detail")
    detail.locator("pre").first.wait_for()
    template, reference = (run().panels[0].instructions[row].template for row in (2, 0))
    added = detail.locator("pre").first.locator("ins").all_inner_texts()
    gone = detail.locator("pre").nth(1).locator("del").all_inner_texts()
    assert detail.locator("pre").all_text_contents()[:2] == [template, reference]
    assert added == ["Sentiment"]
    assert "".join(gone).replace(" ", "").startswith("Istheopinionpositiveornegative?")
    assert "{{input}}" not in "".join(gone).replace(" ", "")


def test_the_examples_that_flip_come_first_with_both_answers(show):
    view = run()
    page = show(view, anchor="#p0-i2")
    page.locator("tr.detail pre").first.wait_for()
    given = view.panels[0]
    own, other = given.table.choices[2], given.table.choices[0]
    assert page.locator("tr.detail select").input_value() == "unlike"
    assert page.locator("tr.detail option:checked").inner_text().endswith(f"({int((own != other).sum())})")
    first = int((own != other).argmax())
    texts = [given.chosen[given.instructions[row].id, given.examples[first].id] for row in (0, 2)]
    assert page.locator("button.example .answer").first.inner_text().split("→")[-1].strip() == texts[1]
    assert texts[0] in page.locator("button.example .answer").first.inner_text()
    broken = int(((given.table.values[2] == 0) & (given.table.values[0] == 1)).sum())
    page.locator("tr.detail select").select_option("broken")
    assert page.locator("ul.examples > li").count() == min(20, broken)


def test_tasks_sort(show):
    page = show(run())
    names = page.locator("table.tasks tbody th a")
    before = names.all_inner_texts()
    heading = page.locator("table.tasks thead th", has_text="Spread")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    values = [
        float(cell.get_attribute("data-value")) for cell in page.locator("table.tasks tbody td:nth-child(6)").all()
    ]
    assert values == sorted(values, reverse=True)
    page.locator("table.tasks thead th button").first.click()
    assert names.all_inner_texts() == sorted(before)


def test_examples_can_be_narrowed_to_the_wrong_ones(show):
    view = run()
    section = open_table(show(view))
    section.locator("button.opener").last.click()
    given = view.panels[0]
    wrong = int((given.table.values[given.ranking[-1]] == 0).sum())
    section.locator("tr.detail select").select_option("wrong")
    section.get_by_role("button", name="Show more").click()
    assert section.locator("ul.examples > li").count() == wrong
    assert section.locator(".verdict.wrong").count() == wrong


def test_columns_sort_both_ways_and_take_opened_rows_along(show):
    view = run()
    section = open_table(show(view))
    given = view.panels[0]
    best_first = [given.instructions[row].id for row in given.ranking]
    assert visible_ids(section) == best_first
    section.locator("button.opener").first.click()
    section.locator("tr.detail pre").first.wait_for()
    heading = section.locator("table.rows > thead th").nth(1)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    means = section.locator("table.rows > tbody > tr:not(.detail) > td:nth-child(2)")
    values = [float(cell.get_attribute("data-value")) for cell in means.all()]
    assert values == sorted(values)
    assert section.locator(f"tr[data-row='{given.ranking[0]}'] + tr.detail").count() == 1
    section.locator("table.rows > thead th").first.locator("button").click()
    assert visible_ids(section) == sorted(best_first)
    assert heading.get_attribute("aria-sort") is None


def test_the_filter_finds_words_anywhere_in_a_template(show):
    section = open_table(show(run()))
    field = section.get_by_label("Filter instructions")
    field.fill("would be:")
    section.get_by_text("1 of 18").wait_for()
    assert visible_ids(section) == ["long-1"]
    field.fill("formal flan")
    section.get_by_text("3 of 18").wait_for()
    assert sorted(visible_ids(section)) == ["formal-1", "formal-2", "formal-3"]
    field.fill("")
    section.locator(".count", has_text="of 18").wait_for(state="hidden")
    assert len(visible_ids(section)) == 18


def test_a_mark_shows_its_wording_and_opens_its_instruction(show):
    view = run()
    page = show(view)
    given = view.panels[1]
    section = page.locator("section.panel").nth(1)
    dot = section.locator("a.dot").nth(2)
    dot.hover()
    identity = given.instructions[given.ranking[2]].id
    page.locator("#tip", has_text=identity).wait_for()
    dot.click()
    section.locator("tr.detail pre").first.wait_for()
    assert section.locator("tr.open .id").inner_text() == identity
    assert page.evaluate("document.activeElement.className") == "opener"


def test_a_plot_is_one_tab_stop_with_arrow_keys_inside(show):
    page = show(run())
    dots = page.locator("section.panel").first.locator("a.dot")
    assert [dot.get_attribute("tabindex") for dot in dots.all()] == ["0"] + ["-1"] * 17
    dots.first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.row") == dots.nth(1).get_attribute("data-row")
    page.locator("#tip").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.locator("section.panel").first.locator("tr.detail pre").first.wait_for()


def test_an_address_with_an_instruction_opens_it(show):
    page = show(run(), anchor="#p2-i4")
    page.locator("tr#p2-i4 + tr.detail pre").first.wait_for()


def test_a_flip_names_the_instructions_behind_each_answer(show):
    view = run()
    section = show(view).locator("section.panel").nth(2)
    section.locator("details.flips > summary").click()
    flip = section.locator("details.flip").first
    flip.locator("> summary").click()
    links = flip.locator(".group-list a")
    links.first.wait_for()
    assert sorted(links.all_inner_texts()) == sorted(item.id for item in view.panels[2].instructions)
    links.first.click()
    section.locator("tr.detail pre").first.wait_for()


def test_an_unscored_cell_shows_its_reason(show):
    given = panel(PLANS[1])
    row = next(row for row in range(18) if (given.table.choices[row] < 0).any())
    page = show(RunView("run", panels=(given,)), anchor=f"#p0-i{row}")
    page.locator("tr.detail select").select_option("unscored")
    page.locator("button.example").first.click()
    page.get_by_text("the prompt is longer than the context").wait_for()


def test_generated_text_is_shown_with_what_was_right(show):
    page = show(RunView("run", panels=(panel(HEADLINE),)), anchor="#p0-i0")
    page.locator("button.example").first.click()
    opened = page.locator(".opened")
    assert "The model wrote" in opened.inner_text()
    assert "the thing" in opened.inner_text()


def test_hostile_text_stays_text(show):
    page = show(hostile_view(HOSTILE))
    scripts = page.locator("script").count()
    section = open_table(page)
    section.locator("button.opener").last.click()
    section.locator("tr.detail pre").first.wait_for()
    assert section.locator("tr.detail pre").first.text_content() == HOSTILE + "{{ input }}"
    section.locator("button.example").first.click()
    assert section.locator("table.options th").first.inner_text() == HOSTILE
    section.locator("details.flips > summary").click()
    section.locator("details.flip > summary").first.click()
    section.locator(".group-list a").first.wait_for()
    assert page.locator("script").count() == scripts
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("trick", ["x" * 3000, "\u202eabc", "\ud800"], ids=["long", "bidi", "surrogate"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_text_makes_the_page_wider_than_the_screen(show, trick, width):
    page = show(hostile_view(trick), viewport={"width": width, "height": 800})
    section = open_table(page)
    section.locator("button.opener").last.click()
    section.locator("tr.detail pre").first.wait_for()
    section.locator("button.example").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_page_can_be_read(show):
    page = show(run(), java_script_enabled=False)
    assert page.locator("h1").inner_text().startswith("Accuracy moves by")
    assert page.locator("#c0-strips .mark").count() == 4 * 18
    section = open_table(page)
    assert len(visible_ids(section)) == 18
    assert section.locator("button").count() == 0


@pytest.mark.parametrize("button", [False, True], ids=["system", "button"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(show, scheme, button):
    page = show(run(), color_scheme=scheme)
    if button:
        page.get_by_role("button", name="Change between dark and light").click()
    colours = page.evaluate(
        """() => Object.fromEntries(['paper', 'raised', 'ink', 'muted', 'accent', 'other'].map((name) => {
            const probe = document.body.appendChild(document.createElement('i'));
            probe.style.setProperty('color', `var(--${name})`);
            const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
            return [name, '#' + [r, g, b].map((part) => part.toString(16).padStart(2, '0')).join('')];
        }))"""
    )

    def luminance(colour):
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in ("ink", "muted", "accent", "other"):
        for ground in ("paper", "raised"):
            low, high = sorted((luminance(colours[name]), luminance(colours[ground])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)
    assert (luminance(colours["paper"]) > 0.5) == ((scheme == "light") != button)


def test_many_instructions_are_drawn_closer_and_still_open(show):
    given = panel(PLANS[0], n_instructions=100, n_examples=30)
    page = show(RunView("run", panels=(replace(given),)))
    assert page.locator("section.panel a.dot").count() == 100
    assert page.locator("#p0-dots").bounding_box()["height"] < 1000
    assert page.locator("table.rows tbody tr").count() == 0
    dot = page.locator("section.panel a.dot").nth(50)
    row = given.ranking[50]
    dot.hover()
    page.locator("#tip", has_text=given.instructions[row].id).wait_for()
    dot.click()
    page.locator("tr.detail pre").first.wait_for()
    section = page.locator("section.panel")
    assert page.locator("tr.detail pre").first.text_content() == given.instructions[row].template
    assert section.locator("table.rows > tbody > tr:not(.detail)").count() == 100
    assert visible_ids(section) == [given.instructions[place].id for place in given.ranking]
    cell = section.locator(f"#p0-i{row} td").first
    mean = given.summary.instructions[row].mean
    assert cell.inner_text().replace("\n", " ") == with_interval(mean)
    section.get_by_label("Filter instructions").fill("terse")
    section.locator(".count", has_text="of 100").wait_for()
    assert len(visible_ids(section)) == sum("terse" in item.register for item in given.instructions)


def test_an_address_opens_an_instruction_of_a_table_made_by_the_script(show):
    page = show(RunView("run", panels=(panel(PLANS[0], n_instructions=100, n_examples=30),)), anchor="#p0-i77")
    page.locator("#p0-i77 + tr.detail pre").first.wait_for()
