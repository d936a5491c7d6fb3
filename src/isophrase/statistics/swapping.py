"""Paired permutation tests on two tables of the same cells: labels `before` and `after` are swapped within units.

What is exchangeable under the null hypothesis, exactly:

- *wordings*: for each wording, its two whole rows of answers (before, after) could as well have come the other way
  round, independently of the other wordings, on these examples. For standard deviation and spread the rows are compared
  after each side's own mean is taken away, so that a mere change of level does not count.
- *examples*: for each example, its two whole columns of answers could as well have come the other way round,
  independently of the other examples, under these wordings.

Each speaks of units like those swapped, with the other kind taken as given. Knows pairs of tables; no intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics import metrics
from isophrase.statistics.metrics import Floats
from isophrase.statistics.pairing import Pair
from isophrase.statistics.summary import drawn_in
from isophrase.statistics.variance import crossed

Swaps = NDArray[np.bool_]
_EXACT = 12
"""So many units or fewer: every one of the 2^n ways to swap is tried."""

BETTER = {"mean": 1.0, "std": -1.0, "minimum": 1.0, "spread": -1.0, "flip_rate": -1.0}
"""Statistic -> the sign of a change for the better."""


class Unit(StrEnum):
    """What labels are swapped within."""

    WORDINGS = "wordings"
    EXAMPLES = "examples"


class Alternative(StrEnum):
    """What a test is to find."""

    TWO_SIDED = "two-sided"
    BETTER = "better"
    """Higher mean and worst, lower standard deviation, spread and flip rate. To be chosen before looking."""


@dataclass(frozen=True)
class Distribution:
    """A change as observed, and as it comes out when labels are swapped.

    Attributes:
        observed: After minus before.
        swapped: The same number for each way of swapping.
        exact: Whether `swapped` holds every way (with the observed one) rather than a random choice of them.
    """

    observed: float
    swapped: Floats
    exact: bool

    def p_value(self, name: str, alternative: Alternative) -> float:
        """The share of swaps at least as extreme; a random choice counts the observed one too (Phipson, Smyth 2010)."""
        if np.isnan(self.observed):
            return float("nan")
        if alternative is Alternative.TWO_SIDED:
            extreme = np.abs(self.swapped) >= abs(self.observed) - 1e-12
        else:
            extreme = BETTER[name] * self.swapped >= BETTER[name] * self.observed - 1e-12
        count, total = int(extreme.sum()), len(self.swapped)
        return count / total if self.exact else (count + 1) / (total + 1)


def swaps(generator: np.random.Generator, units: int, count: int) -> tuple[Swaps, bool]:
    """Ways to swap labels within units.

    Returns:
        Shape (ways, units), and whether these are all ways.
    """
    if units <= _EXACT:
        ways = np.arange(2**units)[:, None] >> np.arange(units) & 1
        return ways.astype(np.bool_), True
    return generator.random((count, units)) < 0.5, False


@dataclass(frozen=True)
class _Side:
    """One table, and how its noise is shared out among its rows and its columns."""

    means: Floats
    noise: float
    row_noise: Floats
    column_noise: Floats


def _side(values: Floats) -> _Side:
    parts = crossed(values)
    squares = parts.residuals**2
    total = max(float(squares.sum()), 1e-300)
    return _Side(
        means=metrics.instruction_means(values),
        noise=parts.noise,
        row_noise=parts.noise * parts.rows * squares.sum(axis=1) / total,
        column_noise=parts.noise * squares.sum(axis=0) / total,
    )


def _numbers(means: Floats, noise: Floats) -> dict[str, Floats]:
    """Mean, std, worst and spread of each row of `means` (ways, instructions), without noise (ways,)."""
    drawn = drawn_in(means, noise[:, None])
    low, high = drawn.min(axis=1), drawn.max(axis=1)
    return {"mean": means.mean(axis=1), "std": drawn.std(axis=1, ddof=1), "minimum": low, "spread": high - low}


def by_wordings(pair: Pair, ways: Swaps, exact: bool) -> dict[str, Distribution]:
    """Swaps of whole rows.

    Args:
        pair: With at least two scored rows.
        ways: Shape (ways, rows).
        exact: Whether these are all ways.

    Returns:
        Mean, std, minimum and spread; no flip rate, since its units are pairs of wordings.
    """
    first, second = _side(pair.before.values), _side(pair.after.values)
    known = ~np.isnan(first.means)
    level = _changes(first.means, second.means, first.row_noise, second.row_noise, known, ways)
    moved = second.means - np.nanmean(second.means) + np.nanmean(first.means)
    centred = _changes(first.means, moved, first.row_noise, second.row_noise, known, ways)
    return {name: Distribution(*(level if name in ("mean", "minimum") else centred)[name], exact) for name in level}


def _changes(
    first: Floats, second: Floats, first_noise: Floats, second_noise: Floats, known: NDArray[np.bool_], ways: Swaps
) -> dict[str, tuple[float, Floats]]:
    """Name -> (observed, swapped) of rows that are exchanged as they are."""

    def change(swapped: Swaps) -> dict[str, Floats]:
        sides = []
        for mine, other, noise, others_noise in (
            (first, second, first_noise, second_noise),
            (second, first, second_noise, first_noise),
        ):
            means = np.where(swapped, other, mine)[:, known]
            sides.append(_numbers(means, np.where(swapped, others_noise, noise)[:, known].mean(axis=1)))
        return {name: sides[1][name] - sides[0][name] for name in sides[0]}

    observed, swapped = change(np.zeros((1, len(first)), dtype=np.bool_)), change(ways)
    return {name: (float(observed[name][0]), swapped[name]) for name in observed}


def by_examples(pair: Pair, ways: Swaps, exact: bool) -> dict[str, Distribution]:
    """Swaps of whole columns.

    Args:
        pair: With at least two scored rows.
        ways: Shape (ways, columns).
        exact: Whether these are all ways.

    Returns:
        Mean, std, minimum, spread and flip rate.
    """
    first, second = _side(pair.before.values), _side(pair.after.values)
    scored = ~np.isnan(pair.before.values)
    known = scored.any(axis=1)
    difference = np.where(scored, pair.after.values - pair.before.values, 0.0)[known]
    moves = difference / scored[known].sum(axis=1, keepdims=True)
    noise_moves = second.column_noise - first.column_noise

    def change(swapped: Swaps) -> dict[str, Floats]:
        weights = swapped.astype(np.float64)
        shift, noise_shift = weights @ moves.T, weights @ noise_moves
        before = _numbers(first.means[known] + shift, first.noise + noise_shift)
        after = _numbers(second.means[known] - shift, second.noise - noise_shift)
        return {name: after[name] - before[name] for name in before}

    observed, swapped = change(np.zeros((1, scored.shape[1]), dtype=np.bool_)), change(ways)
    found = {name: Distribution(float(observed[name][0]), swapped[name], exact) for name in observed}
    flips = metrics.flip_rates(pair.after.choices) - metrics.flip_rates(pair.before.choices)
    kept = ~np.isnan(flips)
    signs = 1.0 - 2.0 * ways[:, kept]
    found["flip_rate"] = Distribution(metrics.mean(flips), signs @ flips[kept] / max(int(kept.sum()), 1), exact)
    return found
