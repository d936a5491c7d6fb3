"""Numbers that describe how answers depend on the wording, as pure functions on arrays.

Knows arrays only: rows are instructions, columns examples; NaN (or -1 for choices) is an unscored cell, which never
counts as wrong. Does not know tables, intervals or how anything was measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Element by element, NaN where the denominator is not positive."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.asarray(np.divide(numerator, denominator, out=np.full(shape, np.nan), where=denominator > 0))


def instruction_means(values: Floats) -> Floats:
    """A_i, the mean of every row over its scored cells.

    Args:
        values: Shape (instructions, examples), NaN where unscored.

    Returns:
        Shape (instructions,); NaN for a row without a scored cell.
    """
    scored = ~np.isnan(values)
    return ratio(np.where(scored, values, 0.0).sum(axis=1), scored.sum(axis=1).astype(np.float64))


def mean(accuracies: Floats) -> float:
    """The mean over instructions, each counting alike however many of its cells are scored; NaN for none."""
    known = accuracies[~np.isnan(accuracies)]
    return float(known.mean()) if known.size else float("nan")


def std(accuracies: Floats) -> float:
    """Standard deviation over instructions, with n - 1; NaN for fewer than two."""
    known = accuracies[~np.isnan(accuracies)]
    return float(known.std(ddof=1)) if known.size > 1 else float("nan")


def worst(accuracies: Floats) -> float:
    """min_i A_i; NaN for none."""
    known = accuracies[~np.isnan(accuracies)]
    return float(known.min()) if known.size else float("nan")


def best(accuracies: Floats) -> float:
    """max_i A_i; NaN for none."""
    known = accuracies[~np.isnan(accuracies)]
    return float(known.max()) if known.size else float("nan")


def spread(accuracies: Floats) -> float:
    """max_i A_i - min_i A_i; NaN for fewer than two instructions."""
    known = accuracies[~np.isnan(accuracies)]
    return float(known.max() - known.min()) if known.size > 1 else float("nan")


def gap(accuracies: Floats, observed: NDArray[np.bool_]) -> float:
    """Mean over observed minus mean over unobserved instructions (Sun, Shaib, Wallace 2024); NaN if a side is empty."""
    return mean(accuracies[observed]) - mean(accuracies[~observed])


def performance_drop_rate(accuracies: Floats, observed: NDArray[np.bool_]) -> float:
    """1 - U / O, with U and O the means over unobserved and observed instructions (Zhu et al. 2023, PromptBench).

    Returns:
        NaN where a side is empty or O is 0.
    """
    reference = mean(accuracies[observed])
    return 1.0 - mean(accuracies[~observed]) / reference if reference > 0 else float("nan")


def differing_shares(choices: Integers) -> Floats:
    """For every cell, the share of the other instructions whose answer to the same example is a different one.

    Args:
        choices: Answer codes, equal for equal answers, shape (instructions, examples); -1 where unscored.

    Returns:
        The same shape; NaN where a cell is unscored or is the only scored one of its example.
    """
    scored = choices >= 0
    _, codes = np.unique(choices, return_inverse=True)
    keys = codes.reshape(choices.shape) + np.arange(choices.shape[1]) * (codes.max(initial=0) + 1)
    _, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
    same = counts[places].reshape(choices.shape)
    answered = scored.sum(axis=0)
    shares = ratio((answered - same).astype(np.float64), np.broadcast_to(answered - 1.0, choices.shape))
    return np.where(scored, shares, np.nan)


def flip_rates(choices: Integers) -> Floats:
    """For every example, the probability that two different instructions are answered differently.

    With c_a answers of kind a among n scored ones: 1 - sum_a c_a (c_a - 1) / (n (n - 1)).

    Args:
        choices: As in `differing_shares`.

    Returns:
        Shape (examples,); NaN for an example with fewer than two scored cells.
    """
    shares = differing_shares(choices)
    counted = ~np.isnan(shares)
    return ratio(np.where(counted, shares, 0.0).sum(axis=0), counted.sum(axis=0).astype(np.float64))


def flip_rate(choices: Integers) -> float:
    """P(answers differ between two instructions on one example): the mean of `flip_rates` over examples."""
    return mean(flip_rates(choices))
