"""Normalised exact match and token F1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isophrase.scoring.text import exact_match, normalise, token_f1


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" The  Answer. ", "answer"),
        ("“Paris”!", "paris"),
        ("-1.5", "-1.5"),
        ("(-3)", "-3"),
        ("don't", "don't"),
        ("ﬁne", "fine"),
        ("+", "+"),
        ("The", "the"),
        ("", ""),
        ("Straße", "strasse"),
    ],
)
def test_normalise(text, normal):
    assert normalise(text) == normal


@pytest.mark.parametrize(("left", "right"), [("5", "-5"), ("1.5", "15"), ("+", "-")])
def test_different_answers_stay_different(left, right):
    assert exact_match(left, [right]) == 0.0


@pytest.mark.parametrize(
    ("text", "references", "value"),
    [
        ("red green", ["red blue"], 0.5),
        ("red", ["blue", "a red"], 1.0),
        ("", ["red"], 0.0),
        ("red red", ["red"], 2 / 3),
        ("red", [], 0.0),
    ],
)
def test_token_f1(text, references, value):
    assert token_f1(text, references) == pytest.approx(value)


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_f1_is_symmetric_and_one_for_an_exact_match(left, right):
    assert token_f1(left, [right]) == pytest.approx(token_f1(right, [left]))
    if exact_match(left, [right]):
        assert token_f1(left, [right]) == 1.0
