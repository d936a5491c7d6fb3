"""Estimates of one table, each with its interval.

Knows what each number speaks of. Mean, gap, standard deviation and flip rate: wordings and examples like these. Worst,
best and spread: these wordings, on examples like these. Knows tables; how an interval is computed is in `intervals` and
`variance`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from isophrase.statistics import intervals, metrics
from isophrase.statistics.metrics import Floats
from isophrase.statistics.resampling import resampled_means
from isophrase.statistics.tables import Estimate, OutcomeTable
from isophrase.statistics.variance import (
    Crossed,
    Variance,
    covariance,
    crossed,
    df_of_variance,
    excess_over_columns,
    of_average,
)

PAIR = 4.0
"""A flip rate averages over pairs of instructions, so an instruction's own effect on it counts twice, squared."""


@dataclass(frozen=True)
class InstructionSummary:
    """One instruction.

    Attributes:
        instruction: Its id.
        mean: Over its scored examples, as measured; interval over examples.
        unscored: Share of its cells, in [0, 1].
        observed: Whether its wording was seen in instruction tuning; None where nothing is known.
    """

    instruction: str
    mean: Estimate
    unscored: float
    observed: bool | None


@dataclass(frozen=True)
class TaskSummary:
    """One table: how the model answers the task, and how much that depends on the wording.

    What an instruction's mean shows beyond its true accuracy is the luck of the examples drawn, which pushes
    instructions apart. That part is taken out of `std`, `minimum`, `maximum` and `spread`; the `measured_` properties
    still hold it.

    Attributes:
        model: Model name.
        task: Task name.
        shots: Exemplars in each prompt.
        prompt_format: Frame around the instruction.
        n_instructions: Rows of the table.
        n_examples: Columns of the table.
        chance: Expected value of guessing uniformly; NaN for generation.
        mean: Mean of the instructions' means, for wordings and examples like these.
        std: Standard deviation of true accuracy over wordings like these.
        minimum: True accuracy of the worst of these wordings.
        maximum: True accuracy of the best of these wordings.
        spread: `maximum` - `minimum`.
        gap: Mean over observed minus mean over unobserved instructions; None where nothing is known of the model's
        training,
            or one side has no scored cell.
        flip_rate: P(answers differ between two instructions on one example).
        unscored: Share of cells without a score.
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

    @property
    def measured_means(self) -> Floats:
        """Each instruction's mean on these very examples, in table order; NaN where unscored."""
        return np.array([item.mean.value for item in self.instructions])

    @property
    def measured_std(self) -> float:
        """Standard deviation of `measured_means`: too large by the luck of the examples."""
        return metrics.std(self.measured_means)

    @property
    def measured_spread(self) -> float:
        """Largest minus smallest of `measured_means`: too large by the luck of the examples."""
        return metrics.spread(self.measured_means)

    @property
    def performance_drop_rate(self) -> float:
        """1 - unobserved / observed; NaN where there is no gap."""
        seen = [item.observed for item in self.instructions]
        if self.gap is None or None in seen:
            return math.nan
        return metrics.performance_drop_rate(self.measured_means, np.array(seen, dtype=np.bool_))


def summarise(table: OutcomeTable, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> TaskSummary:
    """All estimates of a table.

    Args:
        table: The outcomes.
        level: Confidence level of the intervals.
        resamples: Bootstrap resamples of the examples, for worst, best and spread.
        seed: Seed of the bootstrap; equal seeds, equal intervals.

    Returns:
        Estimates; NaN where a number is undefined (no scored cell, fewer than two instructions), and limits NaN where
        an interval is (fewer than two examples).
    """
    means = metrics.instruction_means(table.values)
    parts = crossed(table.values)
    worst, best, spread = extremes(table.values, parts, means, level, np.random.default_rng(seed), resamples)
    rows, columns = table.values.shape
    return TaskSummary(
        model=table.model,
        task=table.task,
        shots=table.shots,
        prompt_format=table.prompt_format,
        n_instructions=rows,
        n_examples=columns,
        chance=table.chance,
        mean=share(parts, level),
        std=std(parts, means, level),
        minimum=worst,
        maximum=best,
        spread=spread,
        gap=gap(table, level),
        flip_rate=flip_rate(table, level),
        unscored=share(crossed(np.isnan(table.values).astype(np.float64)), level),
        instructions=_instructions(table, level),
    )


def share(parts: Crossed, level: float) -> Estimate:
    """A table's average, as a share: over new wordings and examples."""
    return intervals.of_share(parts.average, of_average(parts), parts.columns, level)


def std(parts: Crossed, means: Floats, level: float) -> Estimate:
    """The standard deviation of true accuracy over wordings; NaN for fewer than two."""
    known = means[~np.isnan(means)]
    if parts.rows < 2 or parts.columns < 2:
        return intervals.undefined(level)
    variance = Variance(float(known.var(ddof=1)), df_of_variance(known))
    noise = Variance(parts.noise, parts.within_df)
    return intervals.of_std(variance, noise, excess_over_columns(parts, means), level)


def gap(table: OutcomeTable, level: float) -> Estimate | None:
    """Mean over observed minus mean over unobserved instructions; None where it is undefined."""
    if table.observed is None:
        return None
    seen, unseen = crossed(table.values[table.observed]), crossed(table.values[~table.observed])
    if not seen.rows or not unseen.rows:
        return None
    variances = of_average(seen).value * of_average(unseen).value
    correlation = covariance(seen, unseen) / math.sqrt(variances) if variances > 0 else 0.0
    return intervals.of_difference(share(seen, level), share(unseen, level), min(max(correlation, -1.0), 1.0))


def flip_rate(table: OutcomeTable, level: float) -> Estimate:
    """P(answers differ between two instructions on one example); NaN for fewer than two instructions."""
    parts = flips(table)
    return intervals.of_share(parts.average, of_average(parts, PAIR), parts.columns, level)


def flips(table: OutcomeTable) -> Crossed:
    """The parts of the flip rate: of each cell, the share of the other instructions that are answered differently."""
    shares = metrics.differing_shares(table.choices)
    compared = ~np.isnan(shares)
    per_column = compared.sum(axis=0)
    columns = max(int((per_column > 0).sum()), 1)
    return crossed(shares, np.where(compared, 1.0 / np.maximum(per_column, 1), 0.0) / columns)


def extremes(
    values: Floats, parts: Crossed, means: Floats, level: float, generator: np.random.Generator, resamples: int
) -> tuple[Estimate, Estimate, Estimate]:
    """Worst, best and spread of these wordings on examples like these.

    The measured means are drawn in towards their mean until their variance is the one that is left without noise, which
    makes their whole distribution, ends included, nearly unbiased (constrained Bayes estimates: Louis, JASA 79:393,
    1984; Ghosh, JASA 87:533, 1992). The interval: percentiles of the same numbers where the drawn-in means are the
    truth and the noise is that of resampled examples.

    Returns:
        Minimum, maximum and spread; the last is NaN for fewer than two instructions.
    """
    scored = ~np.isnan(means)
    known = means[scored]
    if parts.rows < 2:
        only = share(parts, level)
        return only, only, intervals.undefined(level)
    truth = drawn_in(known[None], parts.noise)[0]
    found = metrics.worst(truth), metrics.best(truth), metrics.spread(truth)
    if parts.columns < 2:
        worst, best, spread = (intervals.undefined(level, value) for value in found)
        return worst, best, spread
    noise = resampled_means(values[scored], generator, resamples) - known
    drawn = np.clip(drawn_in(truth + noise, parts.noise), 0.0, 1.0)
    low, high = drawn.min(axis=1), drawn.max(axis=1)
    worst, best, spread = (
        percentiles(value, drawn, level) for value, drawn in zip(found, (low, high, high - low), strict=True)
    )
    return worst, best, spread


def percentiles(value: float, drawn: Floats, level: float) -> Estimate:
    """The percentile interval of resampled values, which always holds the value itself."""
    tail = (1.0 - level) / 2.0
    low, high = (float(end) for end in np.quantile(drawn, [tail, 1.0 - tail]))
    return Estimate(value, min(low, value), max(high, value), level)


def drawn_in(means: Floats, noise: float | Floats) -> Floats:
    """Row means (last axis) moved towards their mean until their variance is smaller by the noise."""
    middle = means.mean(axis=-1, keepdims=True)
    variance = means.var(axis=-1, ddof=1, keepdims=True)
    kept = np.divide(np.maximum(variance - noise, 0.0), variance, out=np.zeros_like(variance), where=variance > 0)
    return np.asarray(middle + np.sqrt(kept) * (means - middle))


def _instructions(table: OutcomeTable, level: float) -> tuple[InstructionSummary, ...]:
    means = metrics.instruction_means(table.values)
    unscored = np.isnan(table.values)
    return tuple(
        InstructionSummary(
            instruction=name,
            mean=_of_row(means[row], table.values[row][~unscored[row]], level),
            unscored=float(unscored[row].mean()),
            observed=None if table.observed is None else bool(table.observed[row]),
        )
        for row, name in enumerate(table.instructions)
    )


def _of_row(mean: float, scored: Floats, level: float) -> Estimate:
    if scored.size < 2:
        return intervals.undefined(level, float(mean))
    variance = Variance(float(scored.var()) / scored.size, math.inf)
    return intervals.of_share(float(mean), variance, scored.size, level)
