"""The variance of an average over a crossed table, split into what instructions, examples and single cells bring in.

Knows arrays with missing cells, and the two-way random model value_ij = m + a_i + b_j + e_ij. Does not know what the
values mean, or how an interval is made of a variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isophrase.statistics.metrics import Floats, instruction_means, mean


@dataclass(frozen=True)
class Crossed:
    """A weighted average of a table's scored cells, with the parts of its variance.

    The variance of the average over new rows and new columns is `between_rows + between_columns - within`: both cluster
    sums hold the cell's own variance once, so it is taken out once (Cameron, Gelbach and Miller, Journal of Business &
    Economic Statistics 29:238, 2011; for a complete table these are the ANOVA estimators MS_I / RC, MS_E / RC and MS_IE
    / RC).

    Attributes:
        average: Sum of weight * value over scored cells.
        rows: Number of rows with a scored cell.
        columns: Number of columns with a scored cell.
        between_rows: Variance of the average as far as seen in row sums; NaN for fewer than two rows.
        between_columns: The same for column sums; NaN for fewer than two columns.
        within: The part that a single cell brings to both.
        within_df: Degrees of freedom of `within`; 0 where it cannot be estimated.
        row_parts: Shape (all rows,): what each row adds to the deviation of the average.
        column_parts: Shape (all columns,): the same for each column.
        noise: Variance of a row's mean that is not shared by the other rows, averaged over rows.
        residuals: Shape (rows, columns) of the table: e_ij; 0 where unscored.
    """

    average: float
    rows: int
    columns: int
    between_rows: float
    between_columns: float
    within: float
    within_df: int
    row_parts: Floats
    column_parts: Floats
    noise: float
    residuals: Floats


@dataclass(frozen=True)
class Variance:
    """An estimated variance with its degrees of freedom."""

    value: float
    df: float


def crossed(values: Floats, weights: Floats | None = None) -> Crossed:
    """The average of a table and the parts of its variance.

    Args:
        values: Shape (rows, columns); NaN where unscored.
        weights: Weight of every cell, same shape, 0 where unscored, sum 1. Default: the mean of the row means.

    Returns:
        Its parts; `average` is NaN for a table without a scored cell.
    """
    scored = ~np.isnan(values)
    known = np.where(scored, values, 0.0)
    per_row, per_column = scored.sum(axis=1).astype(np.float64), scored.sum(axis=0).astype(np.float64)
    rows, columns = int((per_row > 0).sum()), int((per_column > 0).sum())
    if weights is None:
        weights = np.where(scored, 1.0 / np.maximum(per_row, 1.0)[:, None], 0.0) / max(rows, 1)
        average = mean(instruction_means(values))
    else:
        average = float((weights * known).sum()) if rows else float("nan")
    deviations = np.where(scored, known - average, 0.0)
    row_parts, column_parts = (weights * deviations).sum(axis=1), (weights * deviations).sum(axis=0)
    row_effects = deviations.sum(axis=1) / np.maximum(per_row, 1.0)
    column_effects = deviations.sum(axis=0) / np.maximum(per_column, 1.0)
    residuals = np.where(scored, deviations - row_effects[:, None] - column_effects, 0.0)
    df = max(int(scored.sum()) - rows - columns + 1, 0) if rows else 0
    cell = float((residuals**2).sum()) / df if df else 0.0
    return Crossed(
        average=average,
        rows=rows,
        columns=columns,
        between_rows=_clustered(row_parts, rows),
        between_columns=_clustered(column_parts, columns),
        within=cell * float((weights**2).sum()),
        within_df=df,
        row_parts=row_parts,
        column_parts=column_parts,
        noise=_noise(cell, column_effects[per_column > 0], per_column[per_column > 0], per_row[per_row > 0]),
        residuals=residuals,
    )


def of_average(parts: Crossed, row_factor: float = 1.0) -> Variance:
    """The variance of a table's average over new rows and new columns.

    A single row is taken as given: then only new columns are spoken of. Where sampling error makes the sum smaller than
    one of its two cluster parts, that part is taken. Degrees of freedom are Satterthwaite's (Biometrics Bulletin 2:110,
    1946).

    Args:
        parts: Of the table.
        row_factor: By how much a row counts more than its own cells show (4 for an average over pairs of rows).

    Returns:
        NaN with fewer than two columns.
    """
    columns = parts.between_columns
    if parts.columns < 2 or parts.rows < 2:
        return Variance(columns, max(parts.columns - 1.0, 1.0))
    rows, within = row_factor * parts.between_rows, row_factor * parts.within
    total = max(rows + columns - within, columns, rows)
    squares = rows**2 / (parts.rows - 1) + columns**2 / (parts.columns - 1)
    squares += within**2 / parts.within_df if parts.within_df else 0.0
    if squares <= 0:
        return Variance(0.0, parts.columns - 1.0)
    return Variance(total, max(total**2 / squares, min(parts.rows, parts.columns) - 1.0))


def covariance(first: Crossed, second: Crossed) -> float:
    """Covariance of two tables' averages that comes from their having the same columns; 0 for fewer than two."""
    shared = max(first.columns, second.columns)
    return float(first.column_parts @ second.column_parts) * shared / (shared - 1) if shared > 1 else 0.0


def excess_over_columns(parts: Crossed, means: Floats) -> float:
    """Variance of the rows' variance S^2 that comes from the columns drawn, beyond what independent cells explain.

    How far wordings lie apart depends on the examples: a row effect acts on a probability near 1 less than on one near
    1/2, so all differences shrink and grow together with the examples drawn. To first order S^2 is an average over
    columns of s_j = 2 / (R - 1) * sum_i (A_i - A) e_ij; independent cells would give var(s_j) / C = 4 S^2 noise / (R -
    1).

    Args:
        parts: Of the table.
        means: Row means of its scored rows, and NaN elsewhere, shape (rows,).

    Returns:
        A variance, at least 0.
    """
    if parts.rows < 2 or parts.columns < 2:
        return 0.0
    centred = np.where(np.isnan(means), 0.0, means - parts.average)
    slopes = 2.0 / (parts.rows - 1) * (centred @ parts.residuals)
    expected = 4.0 * float(centred @ centred) / (parts.rows - 1) * parts.noise / (parts.rows - 1)
    return max(0.0, float(slopes @ slopes) / (parts.columns - 1) / parts.columns - expected)


def kurtosis(means: Floats) -> float:
    """Kurtosis (3 for a normal) of row means, steadied for few rows.

    Above 3 it is Bonett's estimate about a trimmed mean (Computational Statistics & Data Analysis 50:775, 2006); below
    3 it is drawn towards 3 by n / (n + 20), as few values can show a heavy tail but never its absence.

    Args:
        means: Shape (n,), without NaN.
    """
    count = len(means)
    squares = float(((means - means.mean()) ** 2).sum()) if count else 0.0
    if count < 4 or squares <= 0:
        return 3.0
    cut = min(int(count / (2.0 * np.sqrt(max(count - 4, 1)))), (count - 1) // 2)
    middle = float(np.sort(means)[cut : count - cut].mean())
    found = count * float(((means - middle) ** 4).sum()) / squares**2
    return found if found > 3.0 else 3.0 + (found - 3.0) * count / (count + 20.0)


def df_of_variance(means: Floats) -> float:
    """Degrees of freedom of the variance of n values: n - 1 for normal ones, fewer with heavy tails.

    From Var(S^2) = sigma^4 (kurtosis - (n - 3) / (n - 1)) / n, matched with a chi-squared distribution.

    Args:
        means: At least two, without NaN.
    """
    count = len(means)
    relative = (kurtosis(means) - (count - 3) / (count - 1)) / count
    return float(np.clip(2.0 / max(relative, 1e-9), 1.0, 3.0 * (count - 1)))


def _clustered(sums: Floats, count: int) -> float:
    return float(sums @ sums) * count / (count - 1) if count > 1 else float("nan")


def _noise(cell: float, column_effects: Floats, per_column: Floats, per_row: Floats) -> float:
    """Mean over rows of cell / n_i, and of what is added where rows have different columns scored."""
    columns = len(per_column)
    if columns < 2 or not len(per_row):
        return 0.0
    column = max(0.0, float(column_effects.var(ddof=1)) - cell * float(np.mean(1.0 / per_column)))
    return float(np.mean(cell / per_row + column * np.maximum(0.0, 1.0 / per_row - 1.0 / columns)))
