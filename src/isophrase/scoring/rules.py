"""From raw option scores to a choice: the rules that turn log-probabilities into one predicted option.

Knows arrays. Every rule is computed from the stored sums, token counts and byte counts, so a run can be read under any
of them without measuring again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isophrase.types import Rule


def option_scores(
    rule: Rule, logprobs: NDArray[np.float64], tokens: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What the rule compares.

    Args:
        rule: The rule.
        logprobs: Sums of log P(token) of all options of all cells, one after another, in nats.
        tokens: Their token counts, same shape.
        lengths: Their UTF-8 lengths, same shape.

    Returns:
        One number for each option, same shape.
    """
    match rule:
        case Rule.SUM:
            return logprobs
        case Rule.PER_TOKEN:
            return logprobs / np.maximum(tokens, 1)
        case Rule.PER_BYTE:
            return logprobs / np.maximum(lengths, 1)


def choose(scores: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index of the best option of every cell; the first one where several are equal.

    Args:
        scores: All options of all cells, one after another.
        offsets: Where each cell's options begin, and the end: shape (cells + 1,).

    Returns:
        Shape (cells,); -1 for a cell without options.
    """
    counts = np.diff(offsets)
    choices = np.full(len(counts), -1, dtype=np.int64)
    filled = np.flatnonzero(counts > 0)
    if filled.size == 0:
        return choices
    starts = offsets[:-1][filled]
    best = np.repeat(np.maximum.reduceat(scores, starts), counts[filled])
    position = np.arange(len(scores)) - np.repeat(starts, counts[filled])
    candidates = np.where(scores == best, position, np.iinfo(np.int64).max)
    choices[filled] = np.minimum.reduceat(candidates, starts)
    return choices
