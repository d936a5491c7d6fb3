"""Pairs of crossed tables with known truth: both sides share the wordings' and the examples' effects in part."""

from dataclasses import replace

import numpy as np

from isophrase.statistics.pairing import pair
from tests.statistics.worlds import averaged, sigmoid, table


def draw_pair(
    generator, rows, columns, *, level=(0.8, 0.8), wording=(0.4, 0.4), shared=(0.7, 0.7), example=1.5, cell=0.7
):
    """A pair of tables; `shared`: correlations between the sides of the wordings' and of the examples' effects.

    Returns:
        The pair, and the true accuracy of every wording on both sides, shape (2, rows).
    """

    def effects(size, correlation):
        common, own = generator.normal(size=size), np.sqrt(1 - correlation)
        return [np.sqrt(correlation) * common + own * generator.normal(size=size) for _ in range(2)]

    of_rows, of_columns = effects(rows, shared[0]), effects(columns, shared[1])
    sides, truths = [], []
    for side in range(2):
        row = level[side] + wording[side] * of_rows[side]
        logits = row[:, None] + example * of_columns[side] + cell * generator.normal(size=(rows, columns))
        sides.append(table((generator.random((rows, columns)) < sigmoid(logits)).astype(float)))
        truths.append(averaged(row, np.hypot(example, cell)))
    return pair(sides[0], sides[1]), np.array(truths)


def of_tables(before, after, observed=None, **changes):
    """A pair of two arrays of values."""
    return pair(replace(table(before, observed), **changes), replace(table(after, observed), **changes))
