"""The numbers that other papers report for one task, and the quantiles over wordings, each with an interval.

Knows tables, and which numbers need options or gold answers. The intervals speak of examples like these under these
wordings, except for the quantiles': wordings and examples like these. The formulas are in `robustness`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from isophrase.statistics import intervals, metrics, robustness
from isophrase.statistics.metrics import Floats
from isophrase.statistics.resampling import counts
from isophrase.statistics.summary import drawn_in
from isophrase.statistics.tables import Estimate, OptionTable, OutcomeTable
from isophrase.statistics.variance import Variance, crossed

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_GROUPS = 40


@dataclass(frozen=True)
class Quantile:
    """A quantile of true accuracy over wordings.

    Attributes:
        share: Which, in (0, 1).
        accuracy: Its value; wordings and examples like these.
    """

    share: float
    accuracy: Estimate


@dataclass(frozen=True)
class Measures:
    """One task. An undefined number is NaN.

    Attributes:
        fleiss_kappa: Agreement between wordings beyond chance; only where all examples have the same options.
        pss: ProSA's prompt sensitivity score.
        posix: The prompt sensitivity index, nats a token; only where options are scored.
        saturation: Mizrahi's Sat.
        combined_performance: Mizrahi's CPS.
        performance_drop_rate: 1 - unobserved / observed.
        sensitivity: Errica's; only where options are scored.
        consistency: Errica's; only where all examples have the same options.
        quantiles: Over wordings, at `QUANTILES`.
    """

    fleiss_kappa: Estimate
    pss: Estimate
    posix: Estimate
    saturation: Estimate
    combined_performance: Estimate
    performance_drop_rate: Estimate
    sensitivity: Estimate
    consistency: Estimate
    quantiles: tuple[Quantile, ...]


NAMES = tuple(item.name for item in fields(Measures) if item.name != "quantiles")


def measure(
    table: OutcomeTable,
    options: OptionTable | None = None,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Measures:
    """All of them.

    Args:
        table: The outcomes.
        options: The option scores behind it; None for generated text.
        level: Confidence level.
        resamples: Bootstrap resamples for the quantiles.
        seed: Of the bootstrap.
    """
    values = table.values
    sat = _of_means(robustness.saturation, values, level)
    cps = _of_means(robustness.combined_performance, values, level)
    nothing = intervals.undefined(level)
    found = {"fleiss_kappa": nothing, "posix": nothing, "sensitivity": nothing, "consistency": nothing}
    if options is not None:
        chosen = np.where(np.isnan(values), -1, options.chosen)
        found["posix"] = _average(robustness.posix(options.logprobs, options.tokens, chosen), level)
        found["sensitivity"] = _average(_sensitivity(chosen, options), level)
        if options.classes:
            answered = robustness.answer_counts(chosen)
            found["fleiss_kappa"] = _jackknife(
                lambda kept: robustness.fleiss_kappa(answered[kept]), len(answered), level
            )
            found["consistency"] = _jackknife(
                lambda kept: robustness.consistency(answered[kept], options.gold[kept]), len(answered), level
            )
    return Measures(
        pss=_average(robustness.pss(values), level),
        saturation=sat,
        combined_performance=cps,
        performance_drop_rate=_drop_rate(table, level),
        quantiles=quantiles(values, level=level, resamples=resamples, seed=seed),
        **found,
    )


def over_tasks(measures: Sequence[Measures]) -> dict[str, Estimate]:
    """The average of each number over those tasks that have it, with the t interval for tasks like these.

    Args:
        measures: One for each task.

    Returns:
        Name -> average; quantiles are averaged share by share under names such as `quantile_0.05`.
    """
    found = {}
    named = {name: [getattr(item, name) for item in measures] for name in NAMES}
    for place, share in enumerate(QUANTILES):
        named[f"quantile_{share:g}"] = [item.quantiles[place].accuracy for item in measures]
    for name, estimates in named.items():
        values = np.array([item.value for item in estimates if not math.isnan(item.value)])
        level = estimates[0].level if estimates else math.nan
        found[name] = _mean(values, level)
    return found


def quantiles(values: Floats, *, level: float, resamples: int, seed: int) -> tuple[Quantile, ...]:
    """Quantiles of true accuracy over wordings like these.

    The measured means are drawn in by what the luck of the examples adds (`summary.drawn_in`); the interval is that of
    a bootstrap in which wordings are drawn from the drawn-in ones, and the examples' noise from resampled examples.

    Args:
        values: Shape (instructions, examples); NaN where unscored.
        level: Confidence level.
        resamples: Bootstrap resamples.
        seed: Of the bootstrap.

    Returns:
        One for each of `QUANTILES`; NaN without a scored cell, no interval for fewer than two rows or columns.
    """
    means = metrics.instruction_means(values)
    kept = ~np.isnan(means)
    parts = crossed(values)
    if parts.rows < 2 or parts.columns < 2:
        value = float(means[kept][0]) if parts.rows else math.nan
        return tuple(Quantile(share, intervals.undefined(level, value)) for share in QUANTILES)
    truth = drawn_in(means[kept][None], parts.noise)[0]
    found = np.quantile(truth, QUANTILES)
    generator = np.random.default_rng(seed)
    shifts = _shared_shifts(values[kept], generator, resamples)
    rows = generator.integers(len(truth), size=(resamples, len(truth)))
    again = truth[rows] + math.sqrt(parts.noise) * generator.normal(size=rows.shape)
    drawn = np.clip(drawn_in(again, parts.noise) + shifts[:, None], 0.0, 1.0)
    tail = (1.0 - level) / 2.0
    ends = np.quantile(np.quantile(drawn, QUANTILES, axis=1), [tail, 1.0 - tail], axis=1)
    return tuple(
        Quantile(share, Estimate(float(value), min(float(low), float(value)), max(float(high), float(value)), level))
        for share, value, low, high in zip(QUANTILES, found, *ends, strict=True)
    )


def _shared_shifts(values: Floats, generator: np.random.Generator, resamples: int) -> Floats:
    """How all rows move together when examples are drawn anew."""
    scored = ~np.isnan(values)
    columns = metrics.ratio(np.where(scored, values, 0.0).sum(axis=0), scored.sum(axis=0).astype(np.float64))
    known = columns[~np.isnan(columns)]
    centred = known - known.mean()
    return np.concatenate([drawn @ centred for drawn in counts(generator, resamples, len(known))]) / len(known)


def _sensitivity(chosen: metrics.Integers, options: OptionTable) -> Floats:
    """By each example's own number of options."""
    number = (~np.isnan(options.logprobs)).any(axis=0).sum(axis=1)
    found = np.full(chosen.shape[1], np.nan)
    for size in np.unique(number):
        found[number == size] = robustness.sensitivity(chosen[:, number == size], int(size))
    return found


def _drop_rate(table: OutcomeTable, level: float) -> Estimate:
    if table.observed is None or not table.observed.any() or table.observed.all():
        return intervals.undefined(level)
    seen = table.observed
    return _of_means(lambda means: metrics.performance_drop_rate(means, seen), table.values, level)


def _average(of_examples: Floats, level: float) -> Estimate:
    return _mean(of_examples[~np.isnan(of_examples)], level)


def _mean(values: Floats, level: float) -> Estimate:
    if not len(values):
        return intervals.undefined(level)
    if len(values) < 2:
        return intervals.undefined(level, float(values[0]))
    return intervals.of_mean(
        float(values.mean()), Variance(float(values.var(ddof=1)) / len(values), len(values) - 1.0), level
    )


def _jackknife(number: Callable[[metrics.Integers], float], size: int, level: float) -> Estimate:
    """The jackknife of a number that is computed from the columns that are kept, of so many."""
    columns = np.arange(size)
    groups = min(size, _GROUPS)
    without = [number(columns[columns % groups != group]) for group in range(groups)]
    return _left_out(number(columns), np.array(without), level)


def _of_means(number: Callable[[Floats], float], values: Floats, level: float) -> Estimate:
    """The jackknife of a number that is computed from the rows' means, whose sums are kept group by group."""
    groups = min(values.shape[1], _GROUPS)
    scored = ~np.isnan(values)
    known = np.where(scored, values, 0.0)
    sums = np.stack([known[:, group::groups].sum(axis=1) for group in range(groups)])
    counted = np.stack([scored[:, group::groups].sum(axis=1) for group in range(groups)]).astype(np.float64)
    means = metrics.ratio(sums.sum(axis=0) - sums, counted.sum(axis=0) - counted)
    whole = metrics.ratio(sums.sum(axis=0), counted.sum(axis=0))
    return _left_out(number(whole), np.array([number(row) for row in means]), level)


def _left_out(whole: float, without: Floats, level: float) -> Estimate:
    """The t interval of the delete-a-group jackknife over examples (Kott, J. Official Statistics 17:521, 2001)."""
    groups = len(without)
    if groups < 2 or math.isnan(whole) or np.isnan(without).any():
        return intervals.undefined(level, whole)
    variance = (groups - 1) / groups * float(((without - without.mean()) ** 2).sum())
    return intervals.of_mean(whole, Variance(variance, groups - 1.0), level)
