"""Measures of a table: present where they are defined, with intervals that hold."""

import numpy as np
import pytest

from isophrase.statistics import robustness
from isophrase.statistics.calibration import outcomes
from isophrase.statistics.measures import NAMES, QUANTILES, measure, over_tasks, quantiles
from isophrase.statistics.tables import OptionTable
from tests.statistics.worlds import TYPICAL, averaged, table


def drawn(generator, rows=8, columns=60, *, classes=True):
    gold = np.eye(3, dtype=bool)[generator.integers(3, size=columns)]
    scores = 1.5 * gold + generator.normal(size=(rows, 1, 3)) + generator.normal(size=(rows, columns, 3))
    logprobs = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    options = OptionTable(logprobs, np.ones(logprobs.shape, dtype=int), gold, classes)
    return outcomes(table(np.zeros((rows, columns)), np.arange(rows) < 4), options), options


def test_each_is_the_number_that_its_function_gives():
    answered, options = drawn(np.random.default_rng(0))
    found = measure(answered, options, resamples=100)
    assert found.fleiss_kappa.value == pytest.approx(
        robustness.fleiss_kappa(robustness.answer_counts(answered.choices))
    )
    assert found.pss.value == pytest.approx(robustness.pss(answered.values).mean())
    assert found.sensitivity.value == pytest.approx(robustness.sensitivity(answered.choices, 3).mean())
    for name in NAMES:
        item = getattr(found, name)
        assert item.low < item.value < item.high, name


def test_without_options_or_with_options_that_differ_some_are_undefined():
    answered, options = drawn(np.random.default_rng(1), classes=False)
    found = measure(answered, options, resamples=100)
    assert np.isnan(found.fleiss_kappa.value)
    assert np.isfinite(found.posix.value)
    assert np.isnan(measure(answered, None, resamples=100).sensitivity.value)


def test_over_tasks_they_are_averaged_where_they_are_defined():
    generator = np.random.default_rng(2)
    first, second = (measure(*drawn(generator, classes=classes), resamples=100) for classes in (True, False))
    found = over_tasks([first, second])
    assert found["pss"].value == pytest.approx((first.pss.value + second.pss.value) / 2)
    assert found["fleiss_kappa"].value == first.fleiss_kappa.value
    assert np.isnan(found["fleiss_kappa"].low)
    assert found["quantile_0.5"].low < found["quantile_0.5"].value


def test_quantiles_are_those_of_true_accuracy_and_their_intervals_hold():
    generator = np.random.default_rng(3)
    effects = TYPICAL.wording * generator.normal(size=200_000)
    truth = np.quantile(averaged(TYPICAL.level + effects, np.hypot(TYPICAL.example, TYPICAL.cell)), QUANTILES)
    held, values = np.zeros(5), []
    for seed in range(150):
        answered, _ = TYPICAL.draw(generator, 24, 100)
        found = quantiles(answered.values, level=0.95, resamples=300, seed=seed)
        held += [item.accuracy.low <= one <= item.accuracy.high for item, one in zip(found, truth, strict=True)]
        values.append([item.accuracy.value for item in found])
    assert (held / 150 >= 0.85).all(), held / 150
    np.testing.assert_allclose(np.mean(values, axis=0), truth, atol=0.02)


def test_a_table_without_scores_has_none():
    found = measure(table(np.full((3, 4), np.nan)), resamples=100)
    assert all(np.isnan(getattr(found, name).value) for name in NAMES)
    assert all(np.isnan(item.accuracy.value) for item in found.quantiles)
