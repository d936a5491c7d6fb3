"""The sentence of a model and the average behind it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.synthetic import estimate, tiny

from isophrase.report.overview import average, conditions, sentence, why_no_gap
from isophrase.report.view import RunView
from isophrase.types import Metric


def test_the_sentence_of_one_task_names_it():
    (condition,) = conditions(RunView("run", panels=(tiny(),)))
    assert sentence(condition) == "tiny: accuracy moves by 50 points [25, 62] with the wording, on colour"


def test_the_sentence_of_several_tasks_averages_them():
    (condition,) = conditions(RunView("run", panels=(tiny(), tiny(task="shape"))))
    text = "tiny: accuracy moves by 50 points [32, 59] with the wording, averaged over 2 tasks"
    assert sentence(condition) == text


def test_different_metrics_are_together_a_score():
    (condition,) = conditions(RunView("run", panels=(tiny(), replace(tiny(task="x"), metric=Metric.TOKEN_F1))))
    assert "the score moves by" in sentence(condition)


def test_shots_and_formats_are_named_only_where_they_differ():
    def shots(number):
        return replace(tiny(), summary=replace(tiny().summary, shots=number))

    one = conditions(RunView("run", panels=(shots(3),)))
    two = conditions(RunView("run", panels=(shots(0), shots(3))))
    assert [item.label for item in one] == ["tiny"]
    assert [item.label for item in two] == ["tiny (0-shot)", "tiny (3-shot)"]


def test_a_single_instruction_says_nothing_about_the_wording():
    (condition,) = conditions(RunView("run", panels=(tiny(templates=("Only {{ input }}",)),)))
    assert sentence(condition) == "tiny: no task has two instructions, so nothing can be said of the wording"


def test_the_missing_gap_has_its_reason():
    unknown = tiny()
    known = replace(unknown, table=replace(unknown.table, observed=np.array([False, False])))
    for panel, reason in ((unknown, "nothing is known of what tiny was tuned on"), (known, "of both kinds")):
        (condition,) = conditions(RunView("run", panels=(panel,)))
        assert reason in why_no_gap(condition)


def test_the_average_of_equal_intervals_is_narrower_by_the_root_of_their_number():
    mean = average([estimate(0.4, 0.3, 0.6)] * 4)
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.4, 0.35, 0.5))


def test_the_average_leaves_out_what_is_undefined():
    mean = average([estimate(math.nan), estimate(0.4, 0.3, 0.5)])
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.4, 0.3, 0.5))
    assert math.isnan(average([estimate(math.nan)]).value)
    assert math.isnan(average([]).value)


def test_the_average_has_no_interval_where_a_part_has_none():
    mean = average([estimate(0.2), estimate(0.4, 0.3, 0.5)])
    assert mean.value == pytest.approx(0.3)
    assert math.isnan(mean.low)
    assert math.isnan(mean.high)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=6))
def test_the_average_lies_in_its_interval_whose_sides_never_exceed_the_widest_part(parts):
    mean = average([estimate(value, value - below, value + above) for value, below, above in parts])
    assert mean.low <= mean.value <= mean.high
    assert mean.value - mean.low <= max(below for _, below, _ in parts) + 1e-12
    assert mean.high - mean.value <= max(above for _, _, above in parts) + 1e-12
