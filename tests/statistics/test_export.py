"""What machines read: names that stay, and null instead of NaN."""

import json

import numpy as np
import pytest

from isophrase.statistics.export import to_json
from isophrase.statistics.overview import overview
from isophrase.statistics.summary import summarise
from tests.statistics.worlds import TYPICAL, table


def strict(value):
    return json.loads(json.dumps(value, allow_nan=False))


def test_a_summary_has_every_estimate_by_its_name():
    given = TYPICAL.draw_for_gap(np.random.default_rng(0), 4, 8, 60)
    summary = summarise(given, resamples=50)
    found = strict(to_json(summary))
    assert set(found) == {
        "model", "task", "shots", "prompt_format", "n_instructions", "n_examples", "chance", "mean", "std", "minimum",
        "maximum", "spread", "gap", "flip_rate", "unscored", "instructions", "measured_std", "measured_spread",
        "performance_drop_rate",
    }  # fmt: skip
    assert found["gap"] == {
        "value": summary.gap.value, "low": summary.gap.low, "high": summary.gap.high, "level": 0.95
    }  # fmt: skip
    assert found["measured_spread"] == pytest.approx(np.ptp([item["mean"]["value"] for item in found["instructions"]]))
    assert [item["observed"] for item in found["instructions"]] == [True] * 4 + [False] * 8


def test_undefined_numbers_are_null():
    found = strict(to_json(summarise(table(np.full((1, 3), np.nan)), resamples=50)))
    assert found["mean"] == {"value": None, "low": None, "high": None, "level": 0.95}
    assert found["gap"] is None
    assert found["performance_drop_rate"] is None


def test_an_overview_keeps_both_intervals_and_the_tasks():
    given = TYPICAL.draw_for_gap(np.random.default_rng(0), 4, 8, 60)
    found = strict(to_json(overview([given], [summarise(given, resamples=50)])))
    assert set(found) == {"model", "shots", "prompt_format", "mean", "std", "minimum", "spread", "flip_rate", "gap"}
    assert found["spread"]["tasks"] == ["task"]
    assert found["spread"]["similar"]["low"] is None
    assert found["spread"]["these"]["low"] is not None
