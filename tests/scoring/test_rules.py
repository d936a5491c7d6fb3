"""Rules and outcomes against the slow obvious version."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isophrase.scoring.outcomes import answer_of, chance, choices_of, outcomes
from isophrase.types import Example, Measurement, Metric, Rule, TaskKind

option = st.tuples(st.floats(-200, 0), st.integers(1, 9), st.integers(1, 40))
measurement = st.lists(option, min_size=1, max_size=7).map(
    lambda rows: Measurement(*(tuple(column) for column in zip(*rows, strict=True)))
)
unscored = st.just(Measurement(unscored="too long"))


def slow_choice(item: Measurement, rule: Rule) -> int:
    if item.unscored is not None:
        return -1
    divisor = {Rule.SUM: (1,) * len(item.tokens), Rule.PER_TOKEN: item.tokens, Rule.PER_BYTE: item.bytes}[rule]
    scores = [value / by for value, by in zip(item.logprobs, divisor, strict=True)]
    return scores.index(max(scores))


@given(st.lists(measurement | unscored, max_size=20), st.sampled_from(Rule))
def test_choices_equal_the_loop(items, rule):
    assert choices_of(items, rule).tolist() == [slow_choice(item, rule) for item in items]


def test_rules_can_choose_differently():
    item = Measurement((-2.0, -3.0, -3.5), (1, 2, 1), (2, 3, 9))
    assert [int(choices_of([item], rule)[0]) for rule in Rule] == [0, 1, 2]


def test_several_right_answers_count_as_right():
    example = Example("e", {}, ("a", "b", "c"), (1, 2))
    items = [
        Measurement((-1.0, -2.0, -3.0), (1, 1, 1), (1, 1, 1)),
        Measurement((-3.0, -2.0, -1.0), (1, 1, 1), (1, 1, 1)),
    ]
    assert [item.value for item in outcomes(items, [example] * 2, Metric.ACCURACY, Rule.SUM)] == [0.0, 1.0]


def test_an_unscored_cell_has_no_value_and_no_answer():
    example = Example("e", {}, ("a", "b"), (0,))
    item = Measurement(unscored="too long")
    (outcome,) = outcomes([item], [example], Metric.ACCURACY, Rule.SUM)
    assert (outcome.chosen, outcome.value) == (None, None)
    assert answer_of(item, outcome, example) is None


def test_generated_text_is_compared_with_every_reference():
    example = Example("e", {}, references=("New York", "NYC"))
    items = [Measurement(text=" the NYC. "), Measurement(text="York")]
    assert [item.value for item in outcomes(items, [example] * 2, Metric.EXACT_MATCH, Rule.SUM)] == [1.0, 0.0]
    assert outcomes(items, [example] * 2, Metric.TOKEN_F1, Rule.SUM)[1].value == pytest.approx(2 / 3)


def test_chance_counts_options_and_right_answers():
    examples = [Example("a", {}, ("x", "y"), (0,)), Example("b", {}, ("x", "y", "z", "w"), (0, 1))]
    assert chance(TaskKind.MULTIPLE_CHOICE, examples) == 0.5
    assert math.isnan(chance(TaskKind.GENERATION, examples))
