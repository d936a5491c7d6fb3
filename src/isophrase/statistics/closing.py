"""How much of the gap between observed and unobserved wordings a repair closes.

Gap closed = (U_after - U_before) / (O_before - U_before), with the original O, so that a repair that harms the observed
wordings cannot pass for a success. Over tasks it is a pooled ratio: the sum of the numerators by the sum of the
denominators. It is withheld where the denominator's interval includes 0: then there is no gap that could be closed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isophrase.statistics import intervals
from isophrase.statistics.metrics import Floats
from isophrase.statistics.pairing import Pair
from isophrase.statistics.tables import Estimate
from isophrase.statistics.variance import Crossed, Variance, crossed


@dataclass(frozen=True)
class GapClosed:
    """The closed share of the gap, pooled over the tasks given.

    Attributes:
        gap: O_before - U_before, averaged over the tasks.
        gain: U_after - U_before, averaged over the tasks.
        closed: gain / gap; NaN, with the reason in `withheld`, where the gap's interval includes 0.
        closed_of_after: gain / (O_after - U_before), without an interval: what the repair made of observed wordings.
        withheld: Why there is no share, or an empty string.
        tasks: Tasks with observed and unobserved wordings.
    """

    gap: Estimate
    gain: Estimate
    closed: Estimate
    closed_of_after: float
    withheld: str
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class _Parts:
    """Gain and gap of one task (both last axes: gain, gap), and what every row, column and cell adds to them."""

    values: Floats
    ids: tuple[str, ...]
    rows: Floats
    columns: Floats
    cells: Floats
    observed_after: float
    degrees: float


def gap_closed(pairs: Sequence[Pair], level: float) -> GapClosed | None:
    """The share of the gap that is closed, with Fieller's interval for a ratio.

    The covariance of numerator and denominator is that of a table with crossed rows and columns (`variance.crossed`);
    rows that several tasks share (equal ids) are added before they are squared. Fieller, JRSS B 16:175, 1954.

    Args:
        pairs: One for each task; `observed` is read from the `before` side (the base model).
        level: Confidence level.

    Returns:
        None where no task has scored wordings of both kinds.
    """
    found = [(item.before.task, parts) for item in pairs if (parts := _parts(item)) is not None]
    if not found:
        return None
    count = len(found)
    values = np.mean([parts.values for _, parts in found], axis=0)
    covariance = _covariance([parts for _, parts in found]) / count**2
    degrees = sum(parts.degrees for _, parts in found)
    gain, gap = (intervals.of_mean(float(values[k]), Variance(float(covariance[k, k]), degrees), level) for k in (0, 1))
    observed_after = float(np.mean([parts.observed_after for _, parts in found]))
    closed, withheld = _ratio(gain, gap, covariance, intervals.t_quantile(level, degrees))
    of_after = observed_after + float(values[1])
    return GapClosed(
        gap=gap,
        gain=gain,
        closed=closed,
        closed_of_after=gain.value / of_after if of_after > 0 else math.nan,
        withheld=withheld,
        tasks=tuple(task for task, _ in found),
    )


def _ratio(gain: Estimate, gap: Estimate, covariance: Floats, quantile: float) -> tuple[Estimate, str]:
    if math.isnan(gap.low):
        return intervals.undefined(gap.level), "the gap has no interval"
    if gap.low <= 0:
        return intervals.undefined(gap.level), "the interval of the gap before includes 0"
    squared = quantile**2
    a = gap.value**2 - squared * float(covariance[1, 1])
    b = gain.value * gap.value - squared * float(covariance[0, 1])
    c = gain.value**2 - squared * float(covariance[0, 0])
    half = math.sqrt(max(0.0, b * b - a * c)) / a
    return Estimate(gain.value / gap.value, b / a - half, b / a + half, gap.level), ""


def _parts(pair: Pair) -> _Parts | None:
    seen = pair.before.observed
    if seen is None:
        return None
    before, after = pair.before.values, pair.after.values
    observed, unobserved, gained = crossed(before[seen]), crossed(before[~seen]), crossed(after[~seen] - before[~seen])
    if not observed.rows or not unobserved.rows:
        return None
    rows = np.zeros((len(seen), 2))
    rows[~seen, 0], rows[~seen, 1], rows[seen, 1] = gained.row_parts, -unobserved.row_parts, observed.row_parts
    columns = np.stack([gained.column_parts, observed.column_parts - unobserved.column_parts], axis=1)
    cells = np.zeros((2, 2))
    cells[0, 0], cells[1, 1] = gained.within, unobserved.within + observed.within
    cells[0, 1] = cells[1, 0] = -_shared_within(gained, unobserved)
    level_after = crossed(after[seen]).average - observed.average
    return _Parts(
        values=np.array([gained.average, observed.average - unobserved.average]),
        ids=pair.before.instructions,
        rows=rows * _bessel(seen)[:, None],
        columns=columns * math.sqrt(_unbiased(max(observed.columns, unobserved.columns))),
        cells=cells,
        observed_after=level_after,
        degrees=float(max(1, min(len(seen) - 2, max(observed.columns, unobserved.columns) - 1))),
    )


def _shared_within(first: Crossed, second: Crossed) -> float:
    """What single cells bring to both averages: as `within`, of products of residuals."""
    if not first.within_df or not second.within_df:
        return 0.0
    squares = float((second.residuals**2).sum())
    return second.within * float((first.residuals * second.residuals).sum()) / squares if squares > 0 else 0.0


def _unbiased(count: int) -> float:
    return count / (count - 1) if count > 1 else 1.0


def _bessel(seen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    sides = np.where(seen, _unbiased(int(seen.sum())), _unbiased(int((~seen).sum())))
    return np.sqrt(sides)


def _covariance(parts: Sequence[_Parts]) -> Floats:
    """Of the sums over tasks of gain and gap, shape (2, 2); no smaller than the larger of its row and column parts."""
    by_id: dict[str, Floats] = {}
    for item in parts:
        for name, row in zip(item.ids, item.rows, strict=True):
            by_id[name] = by_id.get(name, np.zeros(2)) + row
    rows = sum((np.outer(row, row) for row in by_id.values()), np.zeros((2, 2)))
    columns = sum((item.columns.T @ item.columns for item in parts), np.zeros((2, 2)))
    total = rows + columns - sum((item.cells for item in parts), np.zeros((2, 2)))
    larger = rows if np.trace(rows) > np.trace(columns) else columns
    return np.asarray(total if np.linalg.eigvalsh(total - larger).min() > 0 else larger)
