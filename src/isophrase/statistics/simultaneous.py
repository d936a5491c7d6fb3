"""Intervals that hold for all rows of a table at once: for whatever is picked because it looks best or worst.

Knows arrays. The examples are resampled; the largest studentised deviation over rows sets the width (single-step max-t:
Westfall and Young 1993, chapter 2; Romano and Wolf, Econometrica 73:1237, 2005).
"""

from __future__ import annotations

import numpy as np

from isophrase.statistics.metrics import Floats
from isophrase.statistics.resampling import resampled_means
from isophrase.statistics.tables import Estimate


def simultaneous(values: Floats, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> list[Estimate]:
    """For each row its mean, with intervals that all hold together with probability `level`.

    Args:
        values: Shape (rows, columns), NaN where unscored; for differences between two conditions, the differences
        cell by
            cell.
        level: Of all intervals together.
        resamples: Bootstrap resamples of the columns.
        seed: Of the bootstrap.

    Returns:
        One estimate a row; without limits where a row has fewer than two scored cells. Ends are not cut to [0, 1].
    """
    scored = (~np.isnan(values)).sum(axis=1)
    usable = scored >= 2
    means = np.array([float(np.nanmean(row)) if count else np.nan for row, count in zip(values, scored, strict=True)])
    if not usable.any():
        return [Estimate(float(mean), np.nan, np.nan, level) for mean in means]
    kept = values[usable]
    drawn = resampled_means(kept, np.random.default_rng(seed), resamples)
    deviation = drawn - means[usable]
    errors = deviation.std(axis=0, ddof=1)
    # A row without any variation (all right, or equal to what it is compared with) has no error to studentise by.
    moving = errors > 1e-12
    studentised = np.abs(deviation[:, moving]) / errors[moving]
    width = float(np.quantile(studentised.max(axis=1), level)) if moving.any() else 0.0
    half = np.full(len(means), np.nan)
    # The bootstrap's variance is smaller than the unbiased one by (n - 1) / n.
    half[usable] = width * errors * np.sqrt(scored[usable] / (scored[usable] - 1))
    return [
        Estimate(float(mean), float(mean - side), float(mean + side), level)
        for mean, side in zip(means, half, strict=True)
    ]
