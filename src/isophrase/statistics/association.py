"""Does distance go with the loss in accuracy? Within each task, then over tasks like these.

Knows arrays: a distance and an outcome for each instruction, or for each cell. Does not know what was measured as the
distance. Tasks are a sample: the interval holds for wordings and tasks like these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from isophrase.statistics import intervals
from isophrase.statistics.metrics import Floats
from isophrase.statistics.tables import Estimate

Flags = NDArray[np.bool_]
_FEWEST = 5
"""Instructions with fewer pairs than this give no correlation."""


@dataclass(frozen=True)
class Association:
    """How strongly two things go together.

    Attributes:
        value: Over the tasks, with the interval for wordings and tasks like these; NaN where no task gives one.
        p: Two-sided p-value of no association; NaN where there is none.
        tasks: The value of each task in the order given, with the interval for wordings like these.
    """

    value: Estimate
    p: float
    tasks: tuple[Estimate, ...]


def rank_correlation(
    pairs: Sequence[tuple[Floats, Floats]], *, level: float = 0.95, permutations: int = 9999, seed: int = 0
) -> Association:
    """Spearman's correlation within each task, over tasks.

    The p-value permutes one side within each task, so that it holds for few and tied values alike; its statistic is the
    mean of the tasks' correlations. The interval: Fisher's z with the variance (1 + r²/2) / (n - 3) (Bonett and Wright,
    Psychometrika 65:23, 2000), then over tasks with their own differences (`over_tasks`).

    Args:
        pairs: For each task two arrays of shape (instructions,); where either is NaN, the instruction is left out.
        level: Confidence level.
        permutations: Draws for the p-value.
        seed: Their seed.
    """
    found = [_ranks(*pair) for pair in pairs]
    usable = [item for item in found if item is not None]
    if not usable:
        return Association(intervals.undefined(level), math.nan, (intervals.undefined(level),) * len(pairs))
    tasks = [intervals.undefined(level) if item is None else _of_one(item, level) for item in found]
    values = np.array([_z(_correlation(*item)) for item in usable])
    variances = np.array([_variance(_correlation(*item), len(item[0])) for item in usable])
    pooled = over_tasks(values, variances, level)
    value, low, high = (math.tanh(end) for end in (pooled.value, pooled.low, pooled.high))
    generator = np.random.default_rng(seed)
    drawn = np.mean([_permuted(*item, generator, permutations) for item in usable], axis=0)
    seen = abs(float(np.mean([_correlation(*item) for item in usable])))
    p = (1 + int((np.abs(drawn) >= seen - 1e-12).sum())) / (1 + permutations)
    return Association(Estimate(value, low, high, level), p, tuple(tasks))


def _ranks(first: Floats, second: Floats) -> tuple[Floats, Floats] | None:
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < _FEWEST:
        return None
    one, other = (stats.rankdata(item[known]) for item in (first, second))
    one, other = one - one.mean(), other - other.mean()
    if not one.any() or not other.any():
        return None
    return one / np.linalg.norm(one), other / np.linalg.norm(other)


def _correlation(first: Floats, second: Floats) -> float:
    return float(first @ second)


def _z(correlation: float) -> float:
    return math.atanh(min(max(correlation, -0.999), 0.999))


def _variance(correlation: float, count: int) -> float:
    return (1 + correlation**2 / 2) / (count - 3)


def _of_one(ranks: tuple[Floats, Floats], level: float) -> Estimate:
    value = _correlation(*ranks)
    half = intervals.normal_quantile(level) * math.sqrt(_variance(value, len(ranks[0])))
    return Estimate(value, math.tanh(_z(value) - half), math.tanh(_z(value) + half), level)


def _permuted(first: Floats, second: Floats, generator: np.random.Generator, permutations: int) -> Floats:
    drawn = generator.permuted(np.broadcast_to(second, (permutations, len(second))), axis=1)
    return np.asarray(drawn @ first)


def over_tasks(values: Floats, variances: Floats, level: float) -> Estimate:
    """A mean over tasks that differ among themselves, with its interval.

    Random effects: the variance between tasks after DerSimonian and Laird (Controlled Clinical Trials 7:177, 1986), the
    interval after Hartung and Knapp (Statistics in Medicine 20:3875, 2001), never narrower than without it (Röver,
    Knapp and Friede, BMC Medical Research Methodology 15:99, 2015). One task: its own interval.

    Args:
        values: Shape (tasks,), at least one.
        variances: Their sampling variances, positive.
        level: Confidence level.
    """
    count = len(values)
    weights = 1 / variances
    mean = float((weights * values).sum() / weights.sum())
    if count == 1:
        half = intervals.normal_quantile(level) * math.sqrt(float(variances[0]))
        return Estimate(mean, mean - half, mean + half, level)
    scatter = float((weights * (values - mean) ** 2).sum())
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = max(0.0, (scatter - (count - 1)) / scale)
    weights = 1 / (variances + between)
    mean = float((weights * values).sum() / weights.sum())
    stretch = max(1.0, float((weights * (values - mean) ** 2).sum()) / (count - 1))
    half = intervals.t_quantile(level, count - 1) * math.sqrt(stretch / float(weights.sum()))
    return Estimate(mean, mean - half, mean + half, level)


def discrimination(tables: Sequence[tuple[Floats, Flags, Flags]], *, level: float = 0.95) -> Association:
    """P(an error is farther than a cell without one, on the same example), over tasks; 0.5: no relation.

    The stratified Mann-Whitney statistic (van Elteren 1960), each pair of cells of one example counting alike. Its
    variance: the instructions left out one at a time, since an instruction's cells are not independent.

    Args:
        tables: For each task the distances, which cells are errors, and which are not, each of shape (instructions,
            examples). Cells that are neither do not count. Transposed tables compare examples under one instruction.
        level: Confidence level.

    Returns:
        Values in [0, 1]; p from the same t quantiles as the interval.
    """
    found = [_pairs_won(*table) for table in tables]
    tasks = [
        intervals.undefined(level) if item is None else _clipped(over_tasks(*_as_arrays(item), level)) for item in found
    ]
    usable = [item for item in found if item is not None]
    if not usable:
        return Association(intervals.undefined(level), math.nan, tuple(tasks))
    values, variances = np.array(usable).T
    pooled = over_tasks(values, variances, level)
    half = pooled.high - pooled.value
    df = math.inf if len(usable) == 1 else len(usable) - 1
    statistic = abs(pooled.value - 0.5) / half * intervals.t_quantile(level, df)
    p = 2 * (1 - float(special.ndtr(statistic) if math.isinf(df) else special.stdtr(df, statistic)))
    return Association(_clipped(pooled), p, tuple(tasks))


def _as_arrays(item: tuple[float, float]) -> tuple[Floats, Floats]:
    return np.array([item[0]]), np.array([item[1]])


def _clipped(item: Estimate) -> Estimate:
    return Estimate(item.value, max(0.0, item.low), min(1.0, item.high), item.level)


def _pairs_won(distances: Floats, errors: Flags, others: Flags) -> tuple[float, float] | None:
    """The statistic of one task and its variance; None where no example has both kinds, or one row decides it all."""
    known = ~np.isnan(distances)
    bad, good = errors & known, others & known
    rows, columns = distances.shape
    won, compared = np.zeros((rows, rows)), np.zeros((rows, rows))
    for column in range(columns):
        own = distances[:, column]
        both = np.outer(bad[:, column], good[:, column])
        sign = np.sign(own[:, None] - own[None])
        won += np.where(both, (np.nan_to_num(sign) + 1) / 2, 0.0)
        compared += both
    total = compared.sum()
    if not total:
        return None
    rest = total - compared.sum(axis=0) - compared.sum(axis=1)
    left = won.sum() - won.sum(axis=0) - won.sum(axis=1)
    partial = left[rest > 0] / rest[rest > 0]
    count = int((compared.sum(axis=0) + compared.sum(axis=1) > 0).sum())
    if count < _FEWEST or len(partial) < rows:
        return None
    value = float(won.sum() / total)
    variance = (count - 1) / count * float(((partial - value) ** 2).sum())
    return (value, variance) if variance > 0 else None
