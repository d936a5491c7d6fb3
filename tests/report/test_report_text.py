"""Text of any origin becomes visible text, and numbers are written one way."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.report.numbers import count, hundredths, interval, with_interval
from isophrase.report.text import Piece, shorten, visible, wording, wording_line
from tests.report.synthetic import estimate

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()))


@settings(deadline=None)
@given(ANY_TEXT)
def test_visible_text_can_be_encoded_and_controls_nothing(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert all(unicodedata.category(character) != "Cc" or character in "\n\t" for character in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_what_is_made_visible_names_its_code_point():
    assert visible("a\u202eb\ud800c\x1b[31m\x00") == "a⟨U+202E⟩b⟨U+D800⟩c⟨U+001B⟩[31m⟨U+0000⟩"


def test_lines_tabs_and_ordinary_scripts_stay():
    text = "zwei\tZeilen\nمرحبا 你好 👩‍🚀"
    assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"


@settings(deadline=None)
@given(ANY_TEXT, st.integers(2, 40))
def test_a_shortened_text_is_one_line_within_its_limit(text, limit):
    line = shorten(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


def test_a_wording_is_its_words_and_slots_in_one_line():
    template = "Read:\n{{ input }}\n{% if x %}now{% endif %} answer {{- options | upper }}"
    pieces = wording(template, 200)
    assert [piece for piece in pieces if piece.slot] == [Piece("input", True), Piece("options | upper", True)]
    assert wording_line(template, 200) == "Read: ‹input› now answer ‹options | upper›"


def test_a_long_wording_is_cut_with_an_ellipsis():
    assert wording_line("word " * 100, 20).endswith("…")
    assert len(wording_line("word " * 100, 20)) <= 20


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [(0.314, 1, "31.4"), (-0.05, 0, "−5"), (-0.0001, 1, "0.0"), (1.0, 0, "100"), (float("nan"), 1, "–")],
)
def test_shares_are_written_as_hundredths(share, digits, text):
    assert hundredths(share, digits) == text


def test_an_interval_stands_in_brackets_and_is_left_out_where_there_is_none():
    assert with_interval(estimate(0.314, 0.25, 0.382)) == "31.4 [25.0, 38.2]"
    assert with_interval(estimate(0.314)) == "31.4"
    assert interval(estimate(0.314)) == ""


def test_counts_agree_with_their_noun():
    assert [count(1, "task"), count(2, "task"), count(1200, "example")] == ["1 task", "2 tasks", "1,200 examples"]
