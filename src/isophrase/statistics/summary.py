"""Estimates of one table, each with its interval.

Knows which intervals are honest for which number. The mean and the gap speak of wordings and examples like these: both
are resampled. Standard deviation, worst, best, spread and flip rate speak of these wordings: only examples are resampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from isophrase.statistics.metrics import Floats, deviation, flip_rates, row_means, spread
from isophrase.statistics.tables import Estimate, OutcomeTable


@dataclass(frozen=True)
class InstructionSummary:
    """One instruction: its mean over examples, and how much of it is unscored."""

    instruction: str
    mean: Estimate
    unscored: float
    observed: bool | None


@dataclass(frozen=True)
class TaskSummary:
    """One table: how the model answers the task, and how much that depends on the wording.

    Attributes:
        gap: Mean over observed minus mean over unobserved instructions; None where nothing is known of the model's
            training, or one side is empty.
        instructions: In table order.
    """

    model: str
    task: str
    shots: int
    prompt_format: str
    n_instructions: int
    n_examples: int
    chance: float
    mean: Estimate
    std: Estimate
    minimum: Estimate
    maximum: Estimate
    spread: Estimate
    gap: Estimate | None
    flip_rate: Estimate
    unscored: Estimate
    instructions: tuple[InstructionSummary, ...]


def summarise(table: OutcomeTable, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> TaskSummary:
    """All estimates of a table.

    Args:
        table: The outcomes.
        level: Confidence level of the intervals.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    generator = np.random.default_rng(seed)
    rows, columns = table.values.shape
    by_example = _weights(generator, resamples, columns)
    by_instruction = _weights(generator, resamples, rows)
    means = row_means(table.values, np.ones((1, columns)))[0]
    resampled = row_means(table.values, by_example)
    unscored = np.isnan(table.values)
    interval = _Interval(level, columns)
    return TaskSummary(
        model=table.model,
        task=table.task,
        shots=table.shots,
        prompt_format=table.prompt_format,
        n_instructions=rows,
        n_examples=columns,
        chance=table.chance,
        mean=_Interval(level, min(rows, columns)).percentile(_average(means), _average(resampled, by_instruction)),
        std=interval.basic(float(deviation(means)), deviation(resampled)),
        minimum=interval.basic(float(np.min(means)), np.min(resampled, axis=-1)),
        maximum=interval.basic(float(np.max(means)), np.max(resampled, axis=-1)),
        spread=interval.basic(float(spread(means)), spread(resampled)),
        gap=_gap(table, means, resampled, generator, level),
        flip_rate=_flip_rate(table, by_example, interval),
        unscored=interval.percentile(float(unscored.mean()), (by_example @ unscored.mean(axis=0)) / columns),
        instructions=tuple(
            InstructionSummary(
                instruction=name,
                mean=interval.percentile(float(means[row]), resampled[:, row]),
                unscored=float(unscored[row].mean()),
                observed=None if table.observed is None else bool(table.observed[row]),
            )
            for row, name in enumerate(table.instructions)
        ),
    )


def _weights(generator: np.random.Generator, resamples: int, size: int) -> Floats:
    return generator.multinomial(size, np.full(size, 1 / size), size=resamples).astype(np.float64)


def _average(means: Floats, weights: Floats | None = None) -> Floats:
    """The weighted mean over the last axis, without instructions that have no scored cell."""
    weights = np.ones_like(means) if weights is None else weights
    scored = np.where(np.isnan(means), 0.0, weights)
    total = np.sum(np.nan_to_num(means) * scored, axis=-1)
    count = np.sum(scored, axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _gap(
    table: OutcomeTable, means: Floats, resampled: Floats, generator: np.random.Generator, level: float
) -> Estimate | None:
    if table.observed is None or table.observed.all() or not table.observed.any():
        return None
    sides = (table.observed, ~table.observed)
    value = _average(means[sides[0]]) - _average(means[sides[1]])
    drawn = [_average(resampled[:, side], _weights(generator, len(resampled), int(side.sum()))) for side in sides]
    smallest = min(int(sides[0].sum()), int(sides[1].sum()), len(table.examples))
    return _Interval(level, smallest).percentile(value, drawn[0] - drawn[1])


def _flip_rate(table: OutcomeTable, by_example: Floats, interval: _Interval) -> Estimate:
    rates = flip_rates(table.choices)[None]
    value = row_means(rates, np.ones((1, rates.shape[1])))[0, 0]
    return interval.percentile(value, row_means(rates, by_example)[:, 0])


@dataclass(frozen=True)
class _Interval:
    """Bootstrap intervals whose tails are widened for small samples.

    Attributes:
        level: Confidence level.
        size: Number of units in the smallest resampled sample.
    """

    level: float
    size: int

    def percentile(self, value: float | Floats, resampled: Floats) -> Estimate:
        """The expanded percentile interval (Hesterberg 2015, section 5.3)."""
        low, high = self._tails(resampled)
        return Estimate(float(value), low, high, self.level)

    def basic(self, value: float, resampled: Floats) -> Estimate:
        """The reversed percentile interval, which takes out the upward bias of extremes; kept within [0, 1]."""
        low, high = self._tails(resampled)
        return Estimate(value, max(0.0, 2 * value - high), min(1.0, 2 * value - low), self.level)

    def _tails(self, resampled: Floats) -> tuple[float, float]:
        known = resampled[~np.isnan(resampled)]
        if self.size < 2 or known.size == 0:
            return float("nan"), float("nan")
        t = stats.t.ppf((1 - self.level) / 2, self.size - 1)
        tail = stats.norm.cdf(t * np.sqrt(self.size / (self.size - 1)))
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)
