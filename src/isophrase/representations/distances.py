"""How far the model's inner states of one wording lie from those of another, example by example.

Knows arrays of states and which wording is measured against which. Does not know models, files or accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEAREST = "nearest observed wording"
REFERENCE = "reference wording"


@dataclass(frozen=True)
class Distances:
    """The distances of one table; NaN where one is undefined.

    Attributes:
        to: What `l2`, `cosine` and `cka` are measured to: `NEAREST` or `REFERENCE`.
        targets: For each row its reference's row, or -1; with `NEAREST`, 1 for an observed row, else 0.
        l2: Euclidean distance, shape (instructions, examples).
        cosine: 1 - cosine similarity, same shape.
        centroid: Euclidean distance to the mean state of all other wordings on the same example, same shape.
        cka: Linear CKA with the target (with `NEAREST`: the largest over observed wordings), shape (instructions,).
        spread_l2: Mean Euclidean distance of two different wordings on one example, shape (examples,).
        spread_cosine: The same with 1 - cosine similarity.
    """

    to: str
    targets: tuple[int, ...]
    l2: Floats
    cosine: Floats
    centroid: Floats
    cka: Floats
    spread_l2: Floats
    spread_cosine: Floats


def distances(states: NDArray[np.float32], observed: Flags | None, references: Sequence[int]) -> Distances:
    """All distances of one table.

    Args:
        states: Shape (instructions, examples, hidden); NaN where there is none.
        observed: For each row whether the model has seen its wording; None where nothing is known of that.
        references: For each row the row of its reference wording, -1 where it has none.
    """
    l2, cosine = pairwise(states)
    if observed is not None and observed.any():
        found = [to_nearest(item, observed) for item in (l2, cosine)]
        to, targets = NEAREST, tuple(int(item) for item in observed)
        aims = [np.flatnonzero(observed & (np.arange(len(observed)) != row)) for row in range(len(observed))]
    else:
        found = [to_row(item, references) for item in (l2, cosine)]
        to, targets = REFERENCE, tuple(references)
        aims = [np.array([target] if target >= 0 else [], dtype=np.int64) for target in references]
    cka = [max((linear_cka(states[row], states[aim]) for aim in some), default=np.nan) for row, some in enumerate(aims)]
    return Distances(
        to,
        targets,
        found[0],
        found[1],
        to_centroid(states),
        np.array(cka, dtype=np.float64),
        within(l2),
        within(cosine),
    )


def pairwise(states: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Euclidean distance and 1 - cosine similarity of every two wordings, on every example.

    Args:
        states: Shape (instructions, examples, hidden).

    Returns:
        Two arrays of shape (instructions, instructions, examples), 0 on the diagonal; NaN where a state is missing.
    """
    rows, columns, _ = states.shape
    l2, cosine = np.empty((rows, rows, columns)), np.empty((rows, rows, columns))
    for column in range(columns):
        some = states[:, column].astype(np.float64)
        centred = some - np.nanmean(some, axis=0) if not np.isnan(some).all() else some
        gram = centred @ centred.T
        squares = np.diag(gram)
        l2[:, :, column] = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * gram, 0.0))
        lengths = np.linalg.norm(some, axis=1)
        unit = some / np.where(lengths > 0, lengths, np.nan)[:, None]
        cosine[:, :, column] = 1.0 - np.clip(unit @ unit.T, -1.0, 1.0)
    own = np.arange(rows)
    for found in (l2, cosine):
        found[own, own] = np.where(np.isnan(found[own, own]), np.nan, 0.0)
    return l2, cosine


def to_nearest(found: Floats, observed: Flags) -> Floats:
    """The distance to the nearest observed wording other than itself: (instructions, examples).

    Args:
        found: As from `pairwise`.
        observed: Shape (instructions,).
    """
    others = np.where(observed[None, :, None] & ~np.eye(len(observed), dtype=np.bool_)[:, :, None], found, np.inf)
    nearest = np.min(np.where(np.isnan(others), np.inf, others), axis=1)
    own = np.arange(len(observed))
    return np.where(np.isinf(nearest) | np.isnan(found[own, own]), np.nan, nearest)


def to_row(found: Floats, rows: Sequence[int]) -> Floats:
    """The distance of each wording to another one: (instructions, examples); NaN where it has none.

    Args:
        found: As from `pairwise`.
        rows: For each wording the row of the other, or -1.
    """
    other = np.array(rows, dtype=np.int64)
    taken = found[np.arange(len(other)), np.maximum(other, 0)]
    return np.where(other[:, None] >= 0, taken, np.nan)


def to_centroid(states: NDArray[np.float32]) -> Floats:
    """Euclidean distance to the mean state of all other wordings on the same example: (instructions, examples)."""
    known: Flags = np.all(~np.isnan(states), axis=2)
    counts = known.sum(axis=0)
    filled = np.where(known[:, :, None], states, 0.0).astype(np.float64)
    total = filled.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = (total[None] - filled) / (counts - 1.0)[None, :, None]
    found = np.linalg.norm(filled - rest, axis=2)
    return np.where(known & (counts > 1), found, np.nan)


def within(found: Floats) -> Floats:
    """The mean distance of two different wordings on each example: (examples,); NaN for fewer than two."""
    upper = np.triu_indices(found.shape[0], 1)
    pairs = found[upper]
    known = ~np.isnan(pairs)
    counts = known.sum(axis=0)
    sums = np.where(known, pairs, 0.0).sum(axis=0)
    return np.asarray(np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0))


def linear_cka(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Linear centred kernel alignment of two wordings' states over the same examples, without bias.

    CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with K = X X' and L = Y Y' (Kornblith et al. 2019, section 3),
    where HSIC is estimated without bias (Song et al. 2012, equation 5): with fewer examples than dimensions, the usual
    estimate is near 1 whatever the states are.

    Args:
        first: Shape (examples, hidden); rows with NaN are left out on both sides.
        second: Shape (examples, hidden).

    Returns:
        At most 1; about 0 for unrelated states; NaN for fewer than four examples or constant states.
    """
    known = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    if known.sum() < 4:
        return float("nan")
    left, right = (_kernel(item[known].astype(np.float64)) for item in (first, second))
    scale = _hsic(left, left) * _hsic(right, right)
    return float(min(1.0, _hsic(left, right) / np.sqrt(scale))) if scale > 0 else float("nan")


def _kernel(states: Floats) -> Floats:
    """Inner products of centred states, which leaves the estimate as it is and the numbers small; no diagonal."""
    centred = states - states.mean(axis=0)
    kernel = centred @ centred.T
    np.fill_diagonal(kernel, 0.0)
    return np.asarray(kernel)


def _hsic(left: Floats, right: Floats) -> float:
    n = len(left)
    cross = float((left.sum(axis=0) * right.sum(axis=0)).sum())
    total = float((left * right).sum()) + float(left.sum() * right.sum()) / ((n - 1) * (n - 2)) - 2 * cross / (n - 2)
    return total / (n * (n - 3))
