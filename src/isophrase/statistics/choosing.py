"""Which cells are measured next: a pure function from what was measured to rectangles of rows and columns.

The first round is balanced: every wording is asked about equally many examples, every example about equally often, and
every class of examples as often as it occurs. Later rounds ask more of the wordings whose mean is least certain. Equal
scores and an equal seed give equal choices, so a run can be stopped and go on. Knows tables and features; measures
nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics.budget import Features, row_errors
from isophrase.statistics.metrics import Floats

Asked = NDArray[np.bool_]
Counts = NDArray[np.int64]
_ROWS_AT_ONCE = 8
_COLUMNS_AT_ONCE = 2


@dataclass(frozen=True)
class Pick:
    """A rectangle of cells: every one of these rows with every one of these columns."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)


@dataclass(frozen=True)
class Wish:
    """How far to go.

    Attributes:
        budget: Share of the cells, in (0, 1].
        precision: Stop earlier when every quantile's half-width is at most this; None: spend the budget.
        rounds: In so many rounds at most.
        level: Of the intervals.
        seed: Of all random choices.
    """

    budget: float
    precision: float | None = None
    rounds: int = 4
    level: float = 0.9
    seed: int = 0


def choose(values: Floats, asked: Asked, features: Features, wish: Wish) -> tuple[Pick, ...]:
    """The next cells.

    Args:
        values: Shape (instructions, examples); NaN where not measured, or measured without a score.
        asked: Which cells were measured, scored or not, same shape.
        features: Of rows and columns.
        wish: How far to go.

    Returns:
        Rectangles without a cell that was asked; none when the budget is spent.
    """
    rows, columns = values.shape
    left = math.floor(wish.budget * values.size + 1e-9) - int(asked.sum())
    if left <= 0:
        return ()
    generator = np.random.default_rng([wish.seed, int(asked.sum())])
    if not asked.any():
        share = 1.0 if wish.rounds < 2 else 0.5
        each = max(1, min(columns, round(share * wish.budget * columns)))
        wanted = np.full(rows, each)
    else:
        amount = max(rows, math.ceil(wish.budget * values.size * 0.5 / max(1, wish.rounds - 1)))
        wanted = _shares(values, features, min(amount, left), wish.seed)
    return _rectangles(asked, wanted, features, generator, left)


def _shares(values: Floats, features: Features, amount: int, seed: int) -> Counts:
    """How many more cells each row gets: in proportion to the posterior's standard deviation of its mean (Neyman)."""
    weights = row_errors(values, features, seed=seed)
    ideal = amount * weights / max(float(weights.sum()), 1e-12)
    found = np.floor(ideal).astype(np.int64)
    rest = amount - int(found.sum())
    found[np.argsort(found - ideal)[: max(rest, 0)]] += 1
    return np.asarray(found)


def _rectangles(
    asked: Asked, wanted: Counts, features: Features, generator: np.random.Generator, left: int
) -> tuple[Pick, ...]:
    """Random bundles of rows, each with the columns that it needs most, until every row has what it wanted."""
    taken, wanted = asked.copy(), wanted.copy()
    luck: Floats = generator.random((asked.shape[1],))
    picks: list[Pick] = []
    while left > 0 and wanted.max(initial=0) > 0:
        bundle = np.sort(generator.permutation(np.flatnonzero(wanted > 0))[: min(_ROWS_AT_ONCE, left)])
        free = np.flatnonzero(~taken[bundle].any(axis=0))
        if not len(free):
            bundle = bundle[:1]
            free = np.flatnonzero(~taken[bundle[0]])
        count = min(_COLUMNS_AT_ONCE, int(wanted[bundle].min()), len(free), max(1, left // len(bundle)))
        if not count:
            wanted[bundle] = 0
            continue
        chosen = _needed(free, count, taken, bundle, features.classes, luck)
        taken[np.ix_(bundle, chosen)] = True
        wanted[bundle] -= len(chosen)
        left -= len(bundle) * len(chosen)
        picks.append(Pick(tuple(map(int, bundle)), tuple(map(int, np.sort(chosen)))))
    return tuple(picks)


def _needed(free: Counts, count: int, taken: Asked, bundle: Counts, classes: Counts, luck: Floats) -> Counts:
    """Columns of the class that the bundle has seen least of, for its size; among them those asked least often."""
    sizes = np.bincount(classes)
    seen = np.zeros(len(sizes))
    np.add.at(seen, classes, taken[bundle].sum(axis=0).astype(np.float64))
    load = taken.sum(axis=0)
    chosen: list[int] = []
    for _ in range(count):
        rest = np.array([column for column in free if column not in chosen], dtype=np.int64)
        # One more of this class, then as a share of the class: rare classes come in their turn.
        share = (seen[classes[rest]] + len(bundle) / 2.0) / sizes[classes[rest]]
        best = int(rest[np.lexsort((luck[rest], load[rest], share))[0]])
        seen[classes[best]] += len(bundle)
        chosen.append(best)
    return np.array(chosen, dtype=np.int64)
