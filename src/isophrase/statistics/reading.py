"""Whether a model goes on reading the instruction: the negation drop before and after.

The drop is accuracy under references less accuracy under negated wordings, both by the labels of the references: a
model that answers without reading has none. Knows pairs of tables. Intervals draw examples; wordings are these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isophrase.statistics.metrics import Floats
from isophrase.statistics.pairing import Pair
from isophrase.statistics.resampling import resampled_means
from isophrase.statistics.summary import percentiles
from isophrase.statistics.tables import Estimate, OutcomeTable


@dataclass(frozen=True)
class DropChange:
    """The negation drop of one task, or its average over tasks, before and after.

    Attributes:
        task: The task's name; empty for the average over tasks, each counting alike.
        references: Common references with a scored cell.
        negated: Common negated wordings with one.
        before: The drop before, a share.
        after: The drop after.
        change: After minus before.
        kept: After over before; NaN where examples can be drawn so that there is no drop before.
    """

    task: str
    references: int
    negated: int
    before: Estimate
    after: Estimate
    change: Estimate
    kept: Estimate


@dataclass(frozen=True)
class ReadingPair:
    """One task on both sides.

    Attributes:
        task: Its name.
        references: The outcomes under references; at least one cell.
        negated: The outcomes under negated wordings; at least one cell.
    """

    task: str
    references: Pair
    negated: Pair


def drop_changes(
    pairs: Sequence[ReadingPair], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[DropChange, ...]:
    """The drop of every task and, where there are several, their average.

    Args:
        pairs: Task by task.
        level: Confidence level of the percentile intervals.
        resamples: Bootstrap resamples of each task's examples.
        seed: Equal seeds, equal results.
    """
    found, points, drawn = [], [], []
    for number, item in enumerate(pairs):
        tables = _tables(item)
        point, resampled = _drops(tables, np.random.default_rng([seed, number]), resamples)
        found.append(_change(item.task, (len(tables[0]), len(tables[1])), point, resampled, level))
        points.append(point)
        drawn.append(resampled)
    if len(pairs) > 1:
        sizes = sum(one.references for one in found), sum(one.negated for one in found)
        found.append(_change("", sizes, np.mean(points, axis=0), np.mean(drawn, axis=0), level))
    return tuple(found)


def _tables(item: ReadingPair) -> list[Floats]:
    """References and negated wordings before, and after: scored rows, on the examples that all have."""
    columns = [name for name in item.references.before.examples if name in set(item.negated.before.examples)]
    return [
        _scored(_of(table, columns))
        for table in (item.references.before, item.negated.before, item.references.after, item.negated.after)
    ]


def _drops(tables: Sequence[Floats], generator: np.random.Generator, resamples: int) -> tuple[Floats, Floats]:
    """The drop before and after, and the same with examples drawn anew: [2], [resamples, 2]."""
    ends = np.cumsum([0, *map(len, tables)])
    values = np.vstack(tables)
    sides = (np.nanmean(values, axis=1)[None], resampled_means(values, generator, resamples))
    point, drawn = (
        np.stack(
            [
                rows[:, ends[side] : ends[side + 1]].mean(axis=1)
                - rows[:, ends[side + 1] : ends[side + 2]].mean(axis=1)
                for side in (0, 2)
            ],
            axis=1,
        )
        for rows in sides
    )
    return point[0], drawn


def _of(table: OutcomeTable, columns: Sequence[str]) -> Floats:
    places = {name: place for place, name in enumerate(table.examples)}
    return table.values[:, [places[name] for name in columns]]


def _scored(values: Floats) -> Floats:
    return values[~np.isnan(values).all(axis=1)]


def _change(task: str, sizes: tuple[int, int], point: Floats, drawn: Floats, level: float) -> DropChange:
    before, after = (percentiles(float(point[side]), drawn[:, side], level) for side in (0, 1))
    change = percentiles(float(point[1] - point[0]), drawn[:, 1] - drawn[:, 0], level)
    kept = Estimate(math.nan, math.nan, math.nan, level)
    if (drawn[:, 0] > 0).all():
        kept = percentiles(float(point[1] / point[0]), drawn[:, 1] / drawn[:, 0], level)
    return DropChange(task, *sizes, before, after, change, kept)
