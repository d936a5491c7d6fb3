"""Whether observed wordings do better than unobserved ones: a studentised permutation test over wordings within tasks.

The null hypothesis: observed and unobserved wordings have the same mean accuracy on these examples. Labels `observed`
are permuted over the wordings of a task (over all tasks at once for wordings that tasks share). If both kinds are also
spread alike, wordings are exchangeable and the test is exact; else, since the statistic is divided by an estimate of
its standard error that lets the two kinds have different variances, it holds its level in the limit (Janssen,
Statistics & Probability Letters 36:9, 1997; Chung and Romano, Annals of Statistics 41:484, 2013). What it does for few
wordings is measured in docs/statistics.md. Knows tables; makes no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics import metrics
from isophrase.statistics.metrics import Floats
from isophrase.statistics.tables import OutcomeTable

Labels = NDArray[np.bool_]


@dataclass(frozen=True)
class Contrast:
    """The test of a gap.

    Attributes:
        gap: Mean of observed minus mean of unobserved wordings, averaged over tasks.
        statistic: The gap by its standard error over wordings.
        p_value: Two-sided.
        p_better: One-sided: observed wordings are better.
        permutations: How many were drawn.
        tasks: Tasks with at least two scored wordings of each kind.
    """

    gap: float
    statistic: float
    p_value: float
    p_better: float
    permutations: int
    tasks: tuple[str, ...]


def contrast(tables: Sequence[OutcomeTable], *, permutations: int = 4999, seed: int = 0) -> Contrast | None:
    """Test observed against unobserved wordings, over one or several tasks.

    Args:
        tables: One for each task. Wordings of equal id are the same wording.
        permutations: Random relabellings.
        seed: Of the relabellings.

    Returns:
        None where no task has two scored wordings of each kind.
    """
    usable = [table for table in tables if _usable(table)]
    if not usable:
        return None
    names = list(dict.fromkeys(name for table in usable for name in table.instructions))
    place = {name: index for index, name in enumerate(names)}
    values = np.full((len(usable), len(names)), np.nan)
    labels = np.zeros(len(names), dtype=np.bool_)
    for row, table in enumerate(usable):
        at = [place[name] for name in table.instructions]
        values[row, at] = metrics.instruction_means(table.values)
        labels[at] = table.observed
    generator = np.random.default_rng(seed)
    relabelled = _relabelled(labels, _blocks(values), generator, permutations)
    gap, statistic = studentised(values, labels[None])
    _, others = studentised(values, relabelled)
    observed = float(statistic[0])
    extreme = np.abs(others) >= abs(observed) - 1e-12
    better = others >= observed - 1e-12
    return Contrast(
        gap=float(gap[0]),
        statistic=observed,
        p_value=(int(extreme.sum()) + 1) / (permutations + 1),
        p_better=(int(better.sum()) + 1) / (permutations + 1),
        permutations=permutations,
        tasks=tuple(table.task for table in usable),
    )


def studentised(values: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """The mean over tasks of the gap, and the same by its standard error.

    With u_i the sum over tasks of what wording i adds to the gap, +-(A_i - its side's mean) / its side's size, the
    squared error is sum_i u_i^2 n / (n - 1), n the size of the side: Welch's for one task.

    Args:
        values: Accuracy of each wording in each task, shape (tasks, wordings); NaN where a task has it not.
        labels: Whether it is observed, shape (ways, wordings).

    Returns:
        Two arrays of shape (ways,); a statistic is 0 where its error is 0 or undefined.
    """
    first = labels.astype(np.float64)
    gaps, parts = np.zeros(len(labels)), np.zeros(first.shape)
    for row in values:
        known = (~np.isnan(row)).astype(np.float64)
        filled = np.nan_to_num(row)
        for side, sign in ((first * known, 1.0), ((1.0 - first) * known, -1.0)):
            count = side.sum(axis=1)
            means = metrics.ratio(side @ filled, count)
            gaps += sign * means
            unbiased = np.sqrt(metrics.ratio(count, count - 1.0)) / np.maximum(count, 1.0)
            parts += sign * unbiased[:, None] * side * (filled - means[:, None])
    errors = np.sqrt((parts**2).sum(axis=1))
    tasks = len(values)
    statistics = np.divide(gaps, errors, out=np.zeros_like(gaps), where=errors > 1e-12)
    return gaps / tasks, np.nan_to_num(statistics)


def _usable(table: OutcomeTable) -> bool:
    if table.observed is None:
        return False
    scored = (~np.isnan(table.values)).any(axis=1)
    return min(int((scored & table.observed).sum()), int((scored & ~table.observed).sum())) > 1


def _blocks(values: Floats) -> list[NDArray[np.int64]]:
    """Wordings that occur in the same tasks: labels are permuted within these."""
    patterns = ~np.isnan(values)
    _, found = np.unique(patterns, axis=1, return_inverse=True)
    return [np.flatnonzero(found == block) for block in range(int(found.max()) + 1)]


def _relabelled(
    labels: Labels, blocks: Sequence[NDArray[np.int64]], generator: np.random.Generator, ways: int
) -> Labels:
    found = np.tile(labels, (ways, 1))
    for block in blocks:
        order = generator.random((ways, len(block))).argsort(axis=1)
        found[:, block] = labels[block][order]
    return found
