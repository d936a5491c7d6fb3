"""Thresholds: how they are written and when they are met."""

import math

import pytest

from isophrase.check.criteria import Criterion, decide, parse_criteria
from isophrase.errors import ConfigError
from isophrase.statistics.tables import Estimate


def test_criteria_are_read_from_texts():
    found = parse_criteria(["worst=0.8,mean=0.9"], ["flip=0.1"])
    assert [str(item) for item in found] == ["worst ≥ 0.8", "mean ≥ 0.9", "flip ≤ 0.1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worst", "NAME=NUMBER"),
        ("wurst=0.8", "did you mean 'worst'"),
        ("worst=80", "80 % is 0.8"),
        ("worst=x", "between 0 and 1"),
    ],
)
def test_a_bad_criterion_says_what_is_right(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_criteria([text], [])


@pytest.mark.parametrize(
    ("value", "low", "high", "at_least", "met", "sure"),
    [
        (0.9, 0.85, 0.95, True, True, True), (0.82, 0.7, 0.9, True, True, False), (0.7, 0.6, 0.75, True, False, True),
        (0.7, 0.6, 0.85, True, False, False), (0.05, 0.0, 0.2, False, True, True), (0.9, math.nan, math.nan, True,
        True, False),
        (math.nan, math.nan, math.nan, True, False, False),
    ],
)  # fmt: skip
def test_decisions_tell_whether_the_interval_is_on_one_side(value, low, high, at_least, met, sure):
    found = decide(Criterion("x", 0.8, at_least), Estimate(value, low, high, 0.95))
    assert (found.met, found.sure) == (met, sure)
    assert ("more examples" in str(found)) == (not sure)
