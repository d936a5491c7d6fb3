"""Estimates where only each wording's mean is known, not single answers.

Knows a column of means. What examples add to the differences between wordings cannot be told apart here, so it is in
the standard deviation and the spread; the intervals of mean, gap and std speak of wordings like these on those very
examples.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from isophrase.statistics import intervals, metrics
from isophrase.statistics.metrics import Floats
from isophrase.statistics.summary import InstructionSummary, TaskSummary
from isophrase.statistics.tables import Estimate, OutcomeTable
from isophrase.statistics.variance import Variance


def summarise_means(table: OutcomeTable, level: float) -> TaskSummary:
    """All estimates that a table with a single column allows.

    Args:
        table: Its one column holds each wording's mean; NaN for one that was never run.
        level: Confidence level.

    Returns:
        Worst, best and spread as measured, without intervals; no flip rate.
    """
    means = table.values[:, 0]
    known = means[~np.isnan(means)]
    nothing = intervals.undefined(level)
    return TaskSummary(
        model=table.model,
        task=table.task,
        shots=table.shots,
        prompt_format=table.prompt_format,
        n_instructions=len(means),
        n_examples=1,
        chance=table.chance,
        mean=_mean(known, level),
        std=std_of_means(known, level),
        minimum=intervals.undefined(level, metrics.worst(known)),
        maximum=intervals.undefined(level, metrics.best(known)),
        spread=intervals.undefined(level, metrics.spread(known)),
        gap=_gap(table, level),
        flip_rate=nothing,
        unscored=intervals.undefined(level, float(np.isnan(means).mean())),
        instructions=tuple(
            InstructionSummary(
                name,
                intervals.undefined(level, float(means[row])),
                float(np.isnan(means[row])),
                None if table.observed is None else bool(table.observed[row]),
            )
            for row, name in enumerate(table.instructions)
        ),
    )


def std_of_means(means: Floats, level: float) -> Estimate:
    """The standard deviation with its chi-squared interval."""
    if len(means) < 2:
        return intervals.undefined(level)
    value, df, tail = metrics.std(means), len(means) - 1, (1.0 - level) / 2.0
    low, high = (value * math.sqrt(df / float(special.chdtri(df, p))) for p in (tail, 1.0 - tail))
    return Estimate(value, low, high, level)


def _mean(means: Floats, level: float) -> Estimate:
    if len(means) < 2:
        return intervals.undefined(level, metrics.mean(means))
    variance = Variance(float(means.var(ddof=1)) / len(means), len(means) - 1.0)
    found = intervals.of_mean(float(means.mean()), variance, level)
    return Estimate(found.value, max(found.low, 0.0), min(found.high, 1.0), level)


def _gap(table: OutcomeTable, level: float) -> Estimate | None:
    """Welch's interval (Biometrika 34:28, 1947)."""
    if table.observed is None:
        return None
    sides = [table.values[side, 0] for side in (table.observed, ~table.observed)]
    first, second = (side[~np.isnan(side)] for side in sides)
    if not len(first) or not len(second):
        return None
    value = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return intervals.undefined(level, value)
    errors = [float(side.var(ddof=1)) / len(side) for side in (first, second)]
    total = sum(errors)
    squares = sum(error**2 / (len(side) - 1) for error, side in zip(errors, (first, second), strict=True))
    df = total**2 / squares if squares > 0 else len(first) + len(second) - 2.0
    return intervals.of_mean(value, Variance(total, df), level)
