"""P-values of several tests, adjusted for there being several.

Knows numbers only. NaN (a test that could not be made) stays NaN and is not counted.
"""

from __future__ import annotations

import numpy as np

from isophrase.statistics.metrics import Floats


def holm(p_values: Floats) -> Floats:
    """Holm's step-down adjustment: holds the chance of any false rejection (Scandinavian J. Statistics 6:65, 1979).

    Args:
        p_values: Shape (n,).

    Returns:
        Adjusted p-values, same shape.
    """
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    found = np.full(p_values.shape, np.nan)
    found[order] = np.minimum(stepped, 1.0)
    return found


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjustment: holds the expected share of false rejections (JRSS B 57:289, 1995).

    Args:
        p_values: Shape (n,); independent or positively dependent.

    Returns:
        Adjusted p-values, same shape.
    """
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")[::-1]]
    stepped = np.minimum.accumulate(p_values[order] * len(order) / np.arange(len(order), 0, -1))
    found = np.full(p_values.shape, np.nan)
    found[order] = np.minimum(stepped, 1.0)
    return found
