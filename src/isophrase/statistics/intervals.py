"""From a variance to an interval, in closed form.

Knows numbers only: a share, a variance, its degrees of freedom. Does not know tables, nor where a variance comes from.
Which method is used for which number was chosen by simulated coverage: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from isophrase.statistics.metrics import Floats
from isophrase.statistics.tables import Estimate
from isophrase.statistics.variance import Variance

_LARGEST_VARIANCE = 0.25
"""Of a quantity between 0 and 1 over a population."""


def normal_quantile(level: float) -> float:
    """The standard normal's two-sided quantile: 1.96 at 95 %."""
    return -float(special.ndtri((1.0 - level) / 2.0))


def t_quantile(level: float, df: float) -> float:
    """Student's two-sided quantile; the normal one for infinite degrees of freedom."""
    return normal_quantile(level) if math.isinf(df) else -float(special.stdtrit(df, (1.0 - level) / 2.0))


def undefined(level: float, value: float = math.nan) -> Estimate:
    """An estimate without an interval."""
    return Estimate(value, math.nan, math.nan, level)


def of_share(share: float, variance: Variance, units: int, level: float) -> Estimate:
    """Wilson's score interval for a share whose variance is known from elsewhere.

    With n = share (1 - share) / variance independent units that would have the same variance, and the t quantile in the
    normal's place: as in surveys of clustered samples (Wilson, JASA 22:209, 1927; Korn and Graubard, Survey Methodology
    24:193, 1998). It stays within [0, 1], and is not empty of width at 0 or 1.

    Args:
        share: In [0, 1].
        variance: Its variance; degrees of freedom `inf` give the normal quantile.
        units: Independent units to assume where the share is 0 or 1 and so shows no variance.
        level: Confidence level.
    """
    if math.isnan(share) or math.isnan(variance.value):
        return undefined(level, share)
    share = min(max(share, 0.0), 1.0)
    bernoulli = share * (1.0 - share)
    if variance.value <= 0 and bernoulli > 1e-12:
        return Estimate(share, share, share, level)
    n = bernoulli / variance.value if variance.value > 0 and bernoulli > 1e-12 else float(units)
    k = t_quantile(level, variance.df) ** 2 / n
    middle, half = (share + k / 2) / (1 + k), math.sqrt(k * bernoulli + k * k / 4) / (1 + k)
    return Estimate(share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share), level)


def of_mean(value: float, variance: Variance, level: float) -> Estimate:
    """Student's t interval about a number that may have either sign."""
    if math.isnan(value) or math.isnan(variance.value):
        return undefined(level, value)
    half = t_quantile(level, variance.df) * math.sqrt(max(variance.value, 0.0))
    return Estimate(value, value - half, value + half, level)


def of_difference(first: Estimate, second: Estimate, correlation: float) -> Estimate:
    """The interval of first - second, recovered from theirs.

    Each limit lies as far from the difference as the two limits that make it so lie from their values, added like
    correlated errors (Newcombe, Statistics in Medicine 17:2635, 1998; Zou and Donner, Statistics in Medicine 27:1693,
    2008).
    """
    value = first.value - second.value
    if any(math.isnan(item.low) for item in (first, second)):
        return undefined(first.level, value)
    below = _joined(first.value - first.low, second.high - second.value, -correlation)
    above = _joined(first.high - first.value, second.value - second.low, -correlation)
    return Estimate(value, value - below, value + above, first.level)


def of_std(variance: Variance, noise: Variance, shift: float, level: float) -> Estimate:
    """The standard deviation left when noise is taken out of an observed variance.

    sqrt(max(0, variance - noise)), with the modified large-sample interval for a difference of mean squares (Graybill
    and Wang, JASA 75:869, 1980; Ting, Burdick, Graybill, Jeyaratnam and Lu, Journal of Statistical Computation and
    Simulation 35:135, 1990), widened by a variance that the chi-squared theory leaves out.

    Args:
        variance: Observed variance of row means; its degrees of freedom may allow for heavy tails.
        noise: The part that is no row effect.
        shift: Further variance of the observed variance (`variance.excess_over_columns`).
        level: Confidence level.
    """
    s, e, n, m = variance.value, noise.value, variance.df, max(noise.df, 1.0)
    tail = (1.0 - level) / 2.0
    upper, lower = (float(special.chdtri(n, p)) / n for p in (tail, 1.0 - tail))
    noise_upper, noise_lower = (float(special.chdtri(m, p)) / m for p in (tail, 1.0 - tail))
    f_upper, f_lower = (float(special.fdtri(n, m, 1.0 - p)) for p in (tail, 1.0 - tail))
    g1, h1 = 1.0 - 1.0 / upper, 1.0 / lower - 1.0
    g2, h2 = 1.0 - 1.0 / noise_upper, 1.0 / noise_lower - 1.0
    g12 = ((f_upper - 1.0) ** 2 - (g1 * f_upper) ** 2 - h2**2) / f_upper
    h12 = ((1.0 - f_lower) ** 2 - (h1 * f_lower) ** 2 - g2**2) / f_lower
    extra = normal_quantile(level) ** 2 * shift
    below = max(0.0, (g1 * s) ** 2 + (h2 * e) ** 2 + g12 * s * e) + extra
    above = max(0.0, (h1 * s) ** 2 + (g2 * e) ** 2 + h12 * s * e) + extra
    value = s - e
    low, high = value - math.sqrt(below), min(value + math.sqrt(above), _LARGEST_VARIANCE)
    value, low, high = (math.sqrt(max(0.0, end)) for end in (value, low, max(high, value)))
    return Estimate(value, low, high, level)


def of_average(estimates: Sequence[Estimate], correlations: Floats | None = None) -> Estimate:
    """The interval of a mean of estimates, recovered from theirs (Zou and Donner 2008).

    Args:
        estimates: At least one; none is NaN.
        correlations: Between them, shape (n, n); default: independent.

    Returns:
        No interval if one of them has none.
    """
    count = len(estimates)
    shape = np.eye(count) if correlations is None else correlations
    value = sum(item.value for item in estimates) / count
    if any(math.isnan(item.low) for item in estimates):
        return undefined(estimates[0].level, value)
    below = np.array([item.value - item.low for item in estimates])
    above = np.array([item.high - item.value for item in estimates])
    ends = [math.sqrt(max(0.0, float(side @ shape @ side))) / count for side in (below, above)]
    return Estimate(value, value - ends[0], value + ends[1], estimates[0].level)


def _joined(first: float, second: float, correlation: float) -> float:
    return math.sqrt(max(0.0, first**2 + second**2 + 2.0 * correlation * first * second))
