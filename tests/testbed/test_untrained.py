"""Repairs without training: a wording's leaning goes, unscored answers stay unscored, and kinds are not mixed."""

import numpy as np
import pytest

from isophrase.testbed.untrained import repaired
from isophrase.types import Example, Measurement

INPUTS = [Example(str(n), {"text": str(n)}, ("yes", "no"), (n % 2,)) for n in range(20)]


def answers(leaning: float) -> list[Measurement]:
    """A wording that tells the classes apart, but leans towards the first option by so many nats."""
    return [Measurement((leaning + (0.4 if n % 2 == 0 else -0.4), 0.0), (1, 1), (3, 2)) for n in range(20)]


def accuracy(row: list[Measurement]) -> float:
    return float(np.mean([int(np.argmax(one.logprobs)) in item.gold for one, item in zip(row, INPUTS, strict=True)]))


@pytest.mark.parametrize("name", ["batch", "contextual"])
def test_a_leaning_towards_an_option_is_taken_away(name):
    leaning = answers(2.0)
    assert accuracy(leaning) == 0.5
    empty = [[Measurement((2.0, 0.0), (1, 1), (3, 2))] * 3]
    (found,) = repaired(name, [leaning], INPUTS, empty, ["unobserved"])
    assert accuracy(found) == 1.0


def test_an_ensemble_has_wordings_of_one_kind_only():
    right = [answers(0.0) for _ in range(6)]
    wrong = [[Measurement(one.logprobs[::-1], one.tokens, one.bytes) for one in answers(0.0)] for _ in range(6)]
    found = repaired("ensemble-5", right + wrong, INPUTS, [], ["observed"] * 6 + ["unobserved"] * 6)
    assert [accuracy(row) for row in found] == [1.0] * 6 + [0.0] * 6


def test_an_ensemble_outvotes_a_wording_that_is_wrong():
    wordings = [answers(0.0) for _ in range(4)] + [answers(0.6)]
    assert accuracy(wordings[-1]) == 0.5
    found = repaired("ensemble-5", wordings, INPUTS, [], ["unobserved"] * 5)
    assert accuracy(found[-1]) == 1.0


@pytest.mark.parametrize("name", ["batch", "contextual", "ensemble-5"])
def test_an_unscored_answer_stays_unscored(name):
    row = answers(0.0)
    row[3] = Measurement(unscored="too long")
    empty = [[Measurement((0.0, 0.0), (1, 1), (3, 2))]] * 2
    found = repaired(name, [row, answers(0.0)], INPUTS, empty, ["observed"] * 2)
    assert found[0][3] is row[3]
    assert all(one.unscored is None and not np.isnan(one.logprobs).any() for one in found[1])
