"""Cluster bootstrap over instructions, examples and tasks, with the parts of the variance at their own size.

A plain bootstrap that draws rows and columns with replacement counts the variance of the cells three times (Owen,
Annals of Applied Statistics 1:386, 2007). Here the effects of rows, columns and cells are first scaled so that each has
its estimated variance (reflated, as in Chambers and Chandra, J. Computational and Graphical Statistics 22:452, 2013),
then rows, columns and cells are drawn. Knows tables and linear numbers (means and gaps); intervals are percentiles.
They are meant beside the closed forms of `summary`, which cover better for few wordings: docs/statistics.md has both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from isophrase.statistics import intervals
from isophrase.statistics.metrics import Floats
from isophrase.statistics.resampling import counts
from isophrase.statistics.tables import Estimate, OutcomeTable
from isophrase.statistics.variance import Crossed, crossed


def two_way(values: Floats, *, level: float, resamples: int, generator: np.random.Generator) -> Estimate:
    """The mean of a table: wordings and examples like these.

    Args:
        values: Shape (instructions, examples); NaN where unscored.
        level: Confidence level.
        resamples: Draws.
        generator: Where they come from.
    """
    parts = crossed(values)
    if parts.rows < 2 or parts.columns < 2:
        return intervals.undefined(level, parts.average)
    drawn = parts.average + _shift(values, parts, generator, resamples)
    return _percentiles(parts.average, drawn, level)


def two_way_gap(table: OutcomeTable, *, level: float, resamples: int, generator: np.random.Generator) -> Estimate:
    """The gap of a table: rows are drawn within each kind, columns together.

    Raises:
        ValueError: Nothing is known of which wordings are observed.
    """
    if table.observed is None:
        raise ValueError("a gap needs a table with observed and unobserved rows")
    found, drawn = 0.0, np.zeros(resamples)
    columns = _column_draws(generator, resamples, table.values.shape[1])
    for side, sign in ((table.observed, 1.0), (~table.observed, -1.0)):
        values = table.values[side]
        parts = crossed(values)
        found += sign * parts.average
        drawn += sign * _shift(values, parts, generator, resamples, columns)
    return _percentiles(found, found + drawn, level)


def three_way(
    tables: Sequence[OutcomeTable], *, level: float, resamples: int, generator: np.random.Generator
) -> Estimate:
    """The mean over tasks of the tables' means: tasks, wordings and examples like these.

    Tasks are drawn with replacement, then rows and columns within each drawn task.

    Args:
        tables: One for each task; at least two for an interval.
        level: Confidence level.
        resamples: Draws.
        generator: Where they come from.
    """
    parts = [crossed(table.values) for table in tables]
    averages = np.array([item.average for item in parts])
    found = float(averages.mean())
    count = len(tables)
    if count < 2:
        return intervals.undefined(level, found)
    within = np.stack(
        [_shift(table.values, item, generator, resamples) for table, item in zip(tables, parts, strict=True)]
    )
    own = float(np.mean([_variance(item) for item in parts]))
    between = float(averages.var(ddof=1))
    kept = math.sqrt(max(between - own, 0.0) / between * count / (count - 1)) if between > 0 else 0.0
    drawn = np.concatenate(list(counts(generator, resamples, count)))
    means = drawn @ (kept * (averages - found)) / count + (within.T * np.sqrt(drawn)).sum(axis=1) / count
    return _percentiles(found, found + means, level)


def _shift(
    values: Floats, parts: Crossed, generator: np.random.Generator, resamples: int, columns: Floats | None = None
) -> Floats:
    """How a mean moves in each resample: row effects + column effects + cells, each at its own variance."""
    row_variance = max(parts.between_rows - parts.within, 0.0) if parts.rows > 1 else 0.0
    column_variance = max(parts.between_columns - parts.within, 0.0)
    rows = np.concatenate(list(counts(generator, resamples, len(values)))) - 1.0
    columns = _column_draws(generator, resamples, values.shape[1]) if columns is None else columns
    cells = math.sqrt(max(parts.within, 0.0)) * generator.normal(size=resamples)
    return np.asarray(
        rows @ _scaled(parts.row_parts, row_variance) + columns @ _scaled(parts.column_parts, column_variance) + cells
    )


def _column_draws(generator: np.random.Generator, resamples: int, size: int) -> Floats:
    return np.concatenate(list(counts(generator, resamples, size))) - 1.0


def _scaled(parts: Floats, variance: float) -> Floats:
    """Parts that sum to 0, whose resampled sum has this variance."""
    centred = parts - parts.mean()
    squares = float(centred @ centred)
    return np.asarray(centred * math.sqrt(variance / squares) if squares > 0 else centred)


def _variance(parts: Crossed) -> float:
    return max(parts.between_rows + parts.between_columns - parts.within, 0.0) if parts.rows > 1 else 0.0


def _percentiles(value: float, drawn: Floats, level: float) -> Estimate:
    tail = (1.0 - level) / 2.0
    low, high = (float(end) for end in np.quantile(drawn, [tail, 1.0 - tail]))
    return Estimate(value, min(low, value), max(high, value), level)
