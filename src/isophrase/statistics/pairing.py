"""Two tables cut down to the cells that both have: what every paired comparison starts from.

Knows tables. A cell that is unscored on either side is left out on both, and counted. Estimates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics.tables import OutcomeTable


@dataclass(frozen=True)
class Pair:
    """The same instructions and examples, measured twice.

    Attributes:
        before: One side; its scored cells are exactly those of `after`.
        after: The other side.
        cells: Cells scored on both sides.
        unscored: Cells of the common instructions and examples that are unscored on at least one side.
        instructions_left_out: Ids that only one side has.
        examples_left_out: Ids that only one side has.
    """

    before: OutcomeTable
    after: OutcomeTable
    cells: int
    unscored: int
    instructions_left_out: tuple[str, ...]
    examples_left_out: tuple[str, ...]


def pair(before: OutcomeTable, after: OutcomeTable, without: Sequence[str] = ()) -> Pair:
    """Cut two tables down to what they have in common, in the order of the first.

    Args:
        before: One side.
        after: The other side.
        without: Instructions to leave out on both sides.
    """
    rows = [name for name in before.instructions if name in set(after.instructions) and name not in without]
    columns = [name for name in before.examples if name in set(after.examples)]
    sides = [_cut(table, rows, columns) for table in (before, after)]
    scored = ~np.isnan(sides[0].values) & ~np.isnan(sides[1].values)
    first, second = (_masked(table, scored) for table in sides)
    return Pair(
        before=first,
        after=second,
        cells=int(scored.sum()),
        unscored=int((~scored).sum()),
        instructions_left_out=_rest(before.instructions, after.instructions, rows),
        examples_left_out=_rest(before.examples, after.examples, columns),
    )


def _rest(first: Sequence[str], second: Sequence[str], kept: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys((*first, *second)) if name not in set(kept))


def _cut(table: OutcomeTable, rows: Sequence[str], columns: Sequence[str]) -> OutcomeTable:
    row_of = {name: index for index, name in enumerate(table.instructions)}
    column_of = {name: index for index, name in enumerate(table.examples)}
    top = np.array([row_of[name] for name in rows], dtype=np.int64)
    left = np.array([column_of[name] for name in columns], dtype=np.int64)
    return replace(
        table,
        instructions=tuple(rows),
        examples=tuple(columns),
        values=table.values[np.ix_(top, left)],
        choices=table.choices[np.ix_(top, left)],
        observed=None if table.observed is None else table.observed[top],
    )


def _masked(table: OutcomeTable, scored: NDArray[np.bool_]) -> OutcomeTable:
    values = np.where(scored, table.values, np.nan)
    return replace(table, values=values, choices=np.where(scored, table.choices, -1))
