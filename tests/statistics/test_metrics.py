"""Each metric against a slow version that can be read off its definition."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from isophrase.statistics import metrics

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)
VALUES = arrays(np.float64, SHAPES, elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, math.nan]))
CHOICES = arrays(np.int64, SHAPES, elements=st.integers(-1, 4) | st.just(10**12))
ACCURACIES = arrays(np.float64, st.integers(0, 12), elements=st.floats(0, 1) | st.just(math.nan))


def known(numbers):
    return [float(number) for number in numbers if not math.isnan(number)]


def same(found, expected):
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(VALUES)
def test_an_instructions_mean_is_over_its_scored_cells(values):
    for found, row in zip(metrics.instruction_means(values), values, strict=True):
        same(found, statistics.fmean(known(row)) if known(row) else math.nan)


@given(ACCURACIES)
def test_mean_std_and_ends_ignore_unscored_instructions(accuracies):
    numbers = known(accuracies)
    same(metrics.mean(accuracies), statistics.fmean(numbers) if numbers else math.nan)
    same(metrics.worst(accuracies), min(numbers, default=math.nan))
    same(metrics.best(accuracies), max(numbers, default=math.nan))
    same(metrics.std(accuracies), statistics.stdev(numbers) if len(numbers) > 1 else math.nan)
    differences = [abs(a - b) for a, b in itertools.combinations(numbers, 2)]
    same(metrics.spread(accuracies), max(differences, default=math.nan))


@given(ACCURACIES, st.randoms(use_true_random=False))
def test_gap_and_drop_rate_compare_observed_with_unobserved(accuracies, random):
    observed = np.array([random.random() < 0.5 for _ in accuracies], dtype=bool)
    seen, unseen = known(accuracies[observed]), known(accuracies[~observed])
    if not seen or not unseen:
        assert math.isnan(metrics.gap(accuracies, observed))
        assert math.isnan(metrics.performance_drop_rate(accuracies, observed))
        return
    first, second = statistics.fmean(seen), statistics.fmean(unseen)
    same(metrics.gap(accuracies, observed), first - second)
    drop = metrics.performance_drop_rate(accuracies, observed)
    assert math.isnan(drop) if first == 0 else math.isclose(drop, 1 - second / first, rel_tol=1e-9, abs_tol=1e-12)


@given(CHOICES)
def test_flip_rate_is_the_share_of_pairs_answered_differently(choices):
    rates = []
    for column in choices.T:
        pairs = list(itertools.combinations([code for code in column if code >= 0], 2))
        rates.append(sum(a != b for a, b in pairs) / len(pairs) if pairs else math.nan)
    same(list(metrics.flip_rates(choices)), rates)
    same(metrics.flip_rate(choices), statistics.fmean(known(rates)) if known(rates) else math.nan)


@given(CHOICES)
def test_differing_share_counts_the_others_that_answer_otherwise(choices):
    for (row, column), found in np.ndenumerate(metrics.differing_shares(choices)):
        others = [code for index, code in enumerate(choices[:, column]) if index != row and code >= 0]
        defined = choices[row, column] >= 0 and others
        same(found, sum(code != choices[row, column] for code in others) / len(others) if defined else math.nan)


def test_flip_rate_is_one_where_every_answer_is_its_own():
    assert metrics.flip_rate(np.arange(12).reshape(4, 3)) == 1.0


def test_nothing_scored_is_undefined_not_wrong():
    assert math.isnan(metrics.flip_rate(np.full((3, 4), -1)))
    assert np.isnan(metrics.instruction_means(np.full((3, 4), np.nan))).all()
