"""Hidden states drawn in the plane: t-SNE and PCA of the same states.

Knows arrays. Does not know what the points mean. A projection is a picture, not a measure: no statistic uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isophrase.errors import ConfigError

MOST_POINTS = 1200
_COMPONENTS = 50
_FEWEST = 8


@dataclass(frozen=True)
class Points:
    """Where the states of one table are drawn.

    Attributes:
        rows: Instruction of each point.
        columns: Example of each point.
        tsne: Shape (points, 2), within [-1, 1]; empty where there are too few.
        pca: Shape (points, 2), within [-1, 1].
        perplexity: That of the t-SNE.
        explained: Shares of the variance on the two axes of the PCA.
        together: Names of the models whose states were drawn in the same plane.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    tsne: NDArray[np.float32]
    pca: NDArray[np.float32]
    perplexity: float
    explained: tuple[float, ...]
    together: tuple[str, ...]


def project(tables: Sequence[NDArray[np.float32]], names: Sequence[str], seed: int = 0) -> list[Points]:
    """Draw the states of one or several models (before and after a repair) in one plane.

    Of large tables, every wording keeps as many examples as `MOST_POINTS` allow: the first ones.

    Args:
        tables: Each of shape (instructions, examples, hidden), with equal shapes; NaN where there is none.
        names: What the models are called.
        seed: Of the t-SNE.
    """
    places = [_places(table, MOST_POINTS // len(tables)) for table in tables]
    states = np.concatenate([table[rows, columns] for table, (rows, columns) in zip(tables, places, strict=True)])
    flat = states.astype(np.float64)
    axes, explained = principal(flat, 2)
    perplexity = perplexity_for(len(flat))
    drawn = tsne(flat, perplexity, seed) if len(flat) >= _FEWEST else np.empty((0, 2))
    found, start = [], 0
    for rows, columns in places:
        own = slice(start, start + len(rows))
        start += len(rows)
        found.append(
            Points(
                rows, columns, _fitted(drawn)[own] if len(drawn) else np.empty((0, 2), np.float32), _fitted(axes)[own],
                perplexity, explained, tuple(names),
            )
        )  # fmt: skip
    return found


def _places(table: NDArray[np.float32], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    kept = max(1, most // max(1, table.shape[0]))
    rows, columns = np.nonzero(~np.isnan(table[:, :kept]).any(axis=2))
    return rows, columns


def perplexity_for(count: int) -> float:
    """The square root of the number of points, between 5 and 50, and under a third of the points."""
    return float(min(max(5.0, min(50.0, count**0.5)), max(1.0, (count - 1) / 3)))


def principal(states: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """The scores on the first principal axes, each axis signed so that its largest loading is positive.

    Returns:
        Shape (points, count), and each axis's share of the variance.
    """
    centred = states - states.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    kept = min(count, len(sizes))
    signs = np.sign(right[np.arange(kept), np.abs(right[:kept]).argmax(axis=1)])
    scores = np.zeros((len(states), count))
    scores[:, :kept] = left[:, :kept] * sizes[:kept] * signs
    total = float((sizes**2).sum())
    shares = tuple(float(size**2) / total if total > 0 else 0.0 for size in sizes[:kept])
    return scores, shares + (0.0,) * (count - kept)


def tsne(states: NDArray[np.float64], perplexity: float, seed: int) -> NDArray[np.float64]:
    """t-SNE (van der Maaten and Hinton 2008) of the first fifty principal axes, begun with the first two.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise ConfigError(
            "scikit-learn for the projection", got="none installed", remedy="pip install 'isophrase[local]'"
        ) from None
    reduced, _ = principal(states, min(_COMPONENTS, states.shape[1], len(states)))
    model = TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(reduced), dtype=np.float64)


def _fitted(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """The points moved and scaled into [-1, 1], both axes alike."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max())
    fitted = (points - (low + high) / 2) * (2 / size if size > 0 else 1.0)
    return np.asarray(fitted, dtype=np.float32)
