"""Before and after, or one model and another, on the same cells: differences with intervals and tests.

Mean, standard deviation and flip rate: wordings and examples like these. Worst and spread: these wordings, examples
like these. Knows pairs of tables; what is swapped in a test is in `swapping`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isophrase.statistics import intervals, metrics
from isophrase.statistics.closing import GapClosed, gap_closed
from isophrase.statistics.metrics import Floats
from isophrase.statistics.multiplicity import benjamini_hochberg, holm
from isophrase.statistics.overview import OverTasks, Shares, over_tasks, std_parts
from isophrase.statistics.pairing import Pair
from isophrase.statistics.resampling import resampled_means
from isophrase.statistics.summary import PAIR, drawn_in, percentiles, std
from isophrase.statistics.swapping import BETTER, Alternative, Distribution, Unit, by_examples, by_wordings, swaps
from isophrase.statistics.tables import Estimate
from isophrase.statistics.variance import Crossed, crossed, of_average

STATISTICS = tuple(BETTER)
"""`mean`, `std`, `minimum`, `spread`, `flip_rate`."""


@dataclass(frozen=True)
class Settings:
    """How a comparison is made.

    Attributes:
        level: Confidence level of the intervals.
        resamples: Bootstrap resamples of the examples, for worst and spread.
        swaps: Random ways to swap labels; with few units all ways are tried instead.
        alternative: What the tests are to find.
        seed: Equal seeds, equal results.
    """

    level: float = 0.95
    resamples: int = 2000
    swaps: int = 4999
    alternative: Alternative = Alternative.TWO_SIDED
    seed: int = 0


@dataclass(frozen=True)
class Test:
    """A paired permutation test.

    Attributes:
        unit: What labels are swapped within; the test speaks of units like these and takes the other kind as given.
        p_value: Of this test alone.
        holm: Adjusted over the tasks of the comparison (chance of any false rejection); NaN where there is one task.
        benjamini_hochberg: Adjusted over the tasks (share of false rejections).
        exact: Whether every way to swap was tried.
    """

    unit: Unit
    p_value: float
    holm: float
    benjamini_hochberg: float
    exact: bool


@dataclass(frozen=True)
class Change:
    """One statistic before and after.

    Attributes:
        name: One of `STATISTICS`.
        before: Its estimate before.
        after: Its estimate after.
        difference: After minus before.
        tests: One for each unit of swapping.
    """

    name: str
    before: float
    after: float
    difference: Estimate
    tests: tuple[Test, ...]


@dataclass(frozen=True)
class TaskComparison:
    """One task.

    Attributes:
        task: Its name.
        shots: Exemplars in each prompt.
        prompt_format: Frame around the instruction.
        n_instructions: Common wordings.
        n_examples: Common examples.
        cells: Cells compared.
        unscored: Common cells left out since at least one side has no score.
        changes: In the order of `STATISTICS`.
        gap_closed: None where the model before has no observed or no unobserved wordings, or nothing is known.
    """

    task: str
    shots: int
    prompt_format: str
    n_instructions: int
    n_examples: int
    cells: int
    unscored: int
    changes: tuple[Change, ...]
    gap_closed: GapClosed | None


@dataclass(frozen=True)
class OverallChange:
    """A difference averaged over tasks, each counting alike.

    Attributes:
        name: One of `STATISTICS`.
        difference: After minus before, for these tasks and for tasks like these.
        tests: Of the average; wordings that tasks share are swapped together.
    """

    name: str
    difference: OverTasks
    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Comparison:
    """Two measurements of the same cells.

    Attributes:
        before: The model before.
        after: The model after.
        alternative: What the tests were to find.
        tasks: Task by task.
        overall: Averages over the tasks.
        gap_closed: Pooled over the tasks.
    """

    before: str
    after: str
    alternative: Alternative
    tasks: tuple[TaskComparison, ...]
    overall: tuple[OverallChange, ...]
    gap_closed: GapClosed | None


def compare(pairs: Sequence[Pair], settings: Settings | None = None) -> Comparison:
    """All differences, task by task and over tasks.

    Args:
        pairs: One for each task (and shots and format), at least one.
        settings: How.
    """
    settings = settings or Settings()
    differences = [_differences(item, settings) for item in pairs]
    distributions = _distributions(pairs, settings)
    adjusted = _adjusted(distributions, settings.alternative)
    tasks = tuple(_task(*parts, settings.level) for parts in zip(pairs, differences, adjusted, strict=True))
    overall = tuple(_overall(name, pairs, differences, distributions, settings) for name in STATISTICS)
    first = pairs[0]
    gap = gap_closed(pairs, settings.level)
    return Comparison(first.before.model, first.after.model, settings.alternative, tasks, overall, gap)


_Differences = Mapping[str, tuple[float, float, Estimate]]
_Distributions = Mapping[str, Mapping[Unit, Distribution]]


def _task(item: Pair, differences: _Differences, tests: Mapping[str, tuple[Test, ...]], level: float) -> TaskComparison:
    table = item.before
    return TaskComparison(
        task=table.task,
        shots=table.shots,
        prompt_format=table.prompt_format,
        n_instructions=len(table.instructions),
        n_examples=len(table.examples),
        cells=item.cells,
        unscored=item.unscored,
        changes=tuple(Change(name, *differences[name], tests[name]) for name in STATISTICS),
        gap_closed=gap_closed([item], level),
    )


def _differences(item: Pair, settings: Settings) -> _Differences:
    """Name -> before, after, and the difference with its interval."""
    level = settings.level
    before, after = crossed(item.before.values), crossed(item.after.values)
    change = crossed(item.after.values - item.before.values)
    found = {"mean": (before.average, after.average, intervals.of_mean(change.average, of_average(change), level))}
    found["std"] = _std(item, before, after, level)
    found |= _ends(item, before, after, settings)
    found["flip_rate"] = _flip_rate(item, level)
    return found


def _std(item: Pair, before: Crossed, after: Crossed, level: float) -> tuple[float, float, Estimate]:
    """The two intervals combined, with the correlation of what rows and columns add to both (Zou and Donner 2008)."""
    sides = [std(parts, metrics.instruction_means(table.values), level) for table, parts in (
        (item.before, before), (item.after, after))]  # fmt: skip
    parts = [np.concatenate([std_parts(table), _std_columns(side, metrics.instruction_means(table.values))])
             for table, side in ((item.before, before), (item.after, after))]  # fmt: skip
    squares = float(parts[0] @ parts[0]) * float(parts[1] @ parts[1])
    correlation = float(parts[0] @ parts[1]) / math.sqrt(squares) if squares > 0 else 0.0
    return sides[0].value, sides[1].value, intervals.of_difference(sides[1], sides[0], min(max(correlation, -1.0), 1.0))


def _std_columns(parts: Crossed, means: Floats) -> Floats:
    """What each example adds to the standard deviation, to first order: sum_i (A_i - A) e_ij / (C S (R - 1))."""
    deviation = metrics.std(means)
    if parts.rows < 2 or not deviation > 0:
        return np.zeros(parts.residuals.shape[1])
    centred = np.where(np.isnan(means), 0.0, means - parts.average)
    return np.asarray(centred @ parts.residuals / (parts.columns * deviation * (parts.rows - 1)))


def _ends(item: Pair, before: Crossed, after: Crossed, settings: Settings) -> dict[str, tuple[float, float, Estimate]]:
    """Worst and spread: the bootstrap of `summary.extremes`, with the same examples drawn on both sides."""
    scored = ~np.isnan(metrics.instruction_means(item.before.values))
    if before.rows < 2 or before.columns < 2:
        nothing = (math.nan, math.nan, intervals.undefined(settings.level))
        return {"minimum": nothing, "spread": nothing}
    found, drawn = [], []
    for table, parts in ((item.before, before), (item.after, after)):
        generator = np.random.default_rng(settings.seed)
        values = table.values[scored]
        means = metrics.instruction_means(values)
        truth = drawn_in(means[None], parts.noise)[0]
        noise = resampled_means(values, generator, settings.resamples) - means
        found.append((metrics.worst(truth), metrics.spread(truth)))
        again = np.clip(drawn_in(truth + noise, parts.noise), 0.0, 1.0)
        drawn.append((again.min(axis=1), np.ptp(again, axis=1)))
    named = {}
    for place, name in enumerate(("minimum", "spread")):
        first, second = found[0][place], found[1][place]
        difference = percentiles(second - first, drawn[1][place] - drawn[0][place], settings.level)
        named[name] = (first, second, difference)
    return named


def _flip_rate(item: Pair, level: float) -> tuple[float, float, Estimate]:
    first, second = (metrics.differing_shares(table.choices) for table in (item.before, item.after))
    compared = ~np.isnan(first)
    per_column = compared.sum(axis=0)
    weights = np.where(compared, 1.0 / np.maximum(per_column, 1), 0.0) / max(int((per_column > 0).sum()), 1)
    parts = crossed(second - first, weights)
    difference = intervals.of_mean(parts.average, of_average(parts, PAIR), level)
    return metrics.flip_rate(item.before.choices), metrics.flip_rate(item.after.choices), difference


def _distributions(pairs: Sequence[Pair], settings: Settings) -> list[_Distributions]:
    """Task by task; a wording that several tasks share is swapped in all of them or in none."""
    generator = np.random.default_rng([settings.seed, 1])
    names = list(dict.fromkeys(name for item in pairs for name in item.before.instructions))
    shared, exact = swaps(generator, len(names), settings.swaps)
    place = {name: index for index, name in enumerate(names)}
    found: list[_Distributions] = []
    for item in pairs:
        if int((~np.isnan(item.before.values)).any(axis=1).sum()) < 2:
            found.append({name: {} for name in STATISTICS})
            continue
        ways = shared[:, [place[name] for name in item.before.instructions]]
        columns, all_columns = swaps(generator, len(item.before.examples), settings.swaps)
        found.append(_both(by_wordings(item, ways, exact), by_examples(item, columns, all_columns)))
    return found


def _both(wordings: Mapping[str, Distribution], examples: Mapping[str, Distribution]) -> _Distributions:
    units = {Unit.WORDINGS: wordings, Unit.EXAMPLES: examples}
    return {name: {unit: found[name] for unit, found in units.items() if name in found} for name in STATISTICS}


def _adjusted(distributions: Sequence[_Distributions], alternative: Alternative) -> list[dict[str, tuple[Test, ...]]]:
    found: list[dict[str, tuple[Test, ...]]] = [dict.fromkeys(STATISTICS, ()) for _ in distributions]
    for name in STATISTICS:
        for unit in Unit:
            raw = [task[name].get(unit) for task in distributions]
            values = np.array([math.nan if item is None else item.p_value(name, alternative) for item in raw])
            corrected = zip(raw, values, holm(values), benjamini_hochberg(values), strict=True)
            for index, (item, value, family, rate) in enumerate(corrected):
                if item is not None:
                    test = Test(unit, float(value), float(family), float(rate), item.exact)
                    found[index][name] = (*found[index][name], test)
    return found


def _overall(
    name: str,
    pairs: Sequence[Pair],
    differences: Sequence[_Differences],
    distributions: Sequence[_Distributions],
    settings: Settings,
) -> OverallChange:
    ids = [item.before.instructions for item in pairs]
    parts = [crossed(item.after.values - item.before.values).row_parts for item in pairs] if name == "mean" else []
    tasks = [item.before.task for item in pairs]
    average = over_tasks(tasks, [item[name][2] for item in differences], Shares(ids, parts), -1.0)
    tests = []
    for unit in Unit:
        known = [task[name][unit] for task in distributions if unit in task[name]]
        if known and len({len(item.swapped) for item in known}) == 1:
            joint = Distribution(
                float(np.mean([item.observed for item in known])),
                np.mean([item.swapped for item in known], axis=0),
                all(item.exact for item in known) and unit is Unit.WORDINGS,
            )
            tests.append(Test(unit, joint.p_value(name, settings.alternative), math.nan, math.nan, joint.exact))
    return OverallChange(name, average, tuple(tests))
