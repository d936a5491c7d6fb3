"""Closed-form intervals against scipy, textbooks and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from isophrase.statistics import intervals
from isophrase.statistics.tables import Estimate
from isophrase.statistics.variance import Variance


@pytest.mark.parametrize(("right", "count"), [(0, 10), (3, 10), (47, 60), (60, 60)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_share_of_independent_answers_gets_wilsons_interval(right, count, level):
    share = right / count
    found = intervals.of_share(share, Variance(share * (1 - share) / count, math.inf), count, level)
    expected = stats.binomtest(right, count).proportion_ci(level, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_share_far_from_its_bounds_gets_the_t_interval():
    found = intervals.of_share(0.5, Variance(1e-6, 9.0), 60, 0.95)
    assert (found.high - found.low) / 2 == pytest.approx(stats.t.isf(0.025, 9) * 1e-3, rel=1e-4)


def test_a_share_of_an_unknown_variance_has_no_interval():
    found = intervals.of_share(0.5, Variance(math.nan, 1.0), 1, 0.95)
    assert found.value == 0.5
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@given(st.floats(0, 1), st.floats(0, 0.25), st.floats(1, 1e6), st.integers(2, 1000))
def test_a_share_lies_in_its_interval_and_that_between_0_and_1(share, variance, df, units):
    found = intervals.of_share(share, Variance(variance, df), units, 0.95)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_difference_of_independent_shares_is_newcombes():
    """56/70 - 48/80: Newcombe (1998), table II, example (a), method 10."""
    first, second = (
        intervals.of_share(right / count, Variance(right / count * (1 - right / count) / count, math.inf), count, 0.95)
        for right, count in ((56, 70), (48, 80))
    )
    found = intervals.of_difference(first, second, 0.0)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_a_difference_of_equal_and_fully_correlated_shares_is_nothing():
    share = Estimate(0.6, 0.5, 0.7, 0.95)
    found = intervals.of_difference(share, share, 1.0)
    assert (found.value, found.low, found.high) == pytest.approx((0.0, 0.0, 0.0))


def test_without_noise_a_std_gets_the_chi_squared_interval():
    found = intervals.of_std(Variance(0.04, 15.0), Variance(0.0, 100.0), 0.0, 0.95)
    low, high = (math.sqrt(15 * 0.04 / stats.chi2.isf(tail, 15)) for tail in (0.025, 0.975))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, low, high))


def test_equal_mean_squares_test_like_f_at_the_level():
    """The lower limit for the difference of mean squares is 0 exactly where the F test is on its threshold."""
    threshold = float(stats.f.isf(0.025, 15, 300))
    below = intervals.of_std(Variance(0.01 * threshold * 0.999, 15.0), Variance(0.01, 300.0), 0.0, 0.95)
    above = intervals.of_std(Variance(0.01 * threshold * 1.01, 15.0), Variance(0.01, 300.0), 0.0, 0.95)
    assert below.low == 0.0
    assert above.low > 0.0


def test_noise_larger_than_the_variance_leaves_no_std_but_an_upper_limit():
    found = intervals.of_std(Variance(0.001, 15.0), Variance(0.002, 800.0), 0.0, 0.95)
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0 < found.high < 0.1


def test_a_std_is_at_most_a_half():
    assert intervals.of_std(Variance(0.2, 1.0), Variance(0.0, 30.0), 0.0, 0.95).high == 0.5


def test_an_average_of_independent_symmetric_estimates_adds_variances():
    parts = [Estimate(0.2, 0.1, 0.3, 0.95), Estimate(0.4, 0.2, 0.6, 0.95)]
    found = intervals.of_average(parts)
    half = math.hypot(0.1, 0.2) / 2
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.3 - half, 0.3 + half))
    together = intervals.of_average(parts, np.ones((2, 2)))
    assert (together.low, together.high) == pytest.approx((0.15, 0.45))


def test_an_average_with_an_open_part_has_no_interval():
    found = intervals.of_average([Estimate(0.2, 0.1, 0.3, 0.95), intervals.undefined(0.95, 0.4)])
    assert found.value == pytest.approx(0.3)
    assert math.isnan(found.high)


@pytest.mark.parametrize("df", [1.0, 4.5, 200.0, math.inf])
def test_quantiles_agree_with_scipys_distributions(df):
    assert intervals.t_quantile(0.9, df) == pytest.approx(stats.t.isf(0.05, df))
    assert intervals.normal_quantile(0.9) == pytest.approx(stats.norm.isf(0.05))
