"""Bootstrap over examples: how often each is drawn, and what row means then are.

Knows numpy generators and arrays. Counts are multiplied as matrices, never gathered by index. Does not know what is
estimated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isophrase.statistics.metrics import Floats

_CHUNK = 4_000_000
"""Counts held at once (32 MB)."""


def counts(generator: np.random.Generator, resamples: int, size: int) -> Iterator[Floats]:
    """How often each of `size` units is drawn in each resample of `size` draws.

    Yields:
        Chunks of shape (some resamples, size) that add up to `resamples`; every row sums to `size`.
    """
    most = max(1, _CHUNK // size)
    for start in range(0, resamples, most):
        rows = min(most, resamples - start)
        drawn = generator.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def resampled_means(values: Floats, generator: np.random.Generator, resamples: int) -> Floats:
    """Row means when columns are drawn with replacement.

    Args:
        values: Shape (rows, columns); NaN where unscored. Every row has a scored cell.
        generator: Where the draws come from.
        resamples: Number of draws.

    Returns:
        Shape (resamples, rows). A row none of whose scored cells is drawn keeps its mean.
    """
    scored = (~np.isnan(values)).astype(np.float64)
    known = np.where(scored > 0, values, 0.0)
    means = known.sum(axis=1) / scored.sum(axis=1)
    found = []
    for drawn in counts(generator, resamples, values.shape[1]):
        number = drawn @ scored.T
        kept = np.broadcast_to(means, number.shape).copy()
        found.append(np.divide(drawn @ known.T, number, out=kept, where=number > 0))
    return np.concatenate(found)
