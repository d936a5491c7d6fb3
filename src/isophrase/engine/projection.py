"""From hidden states to log-probabilities, only where something scores, a bounded number of rows at a time.

Knows the vocabulary projection and nothing of how the hidden states came about.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isophrase.engine.backbone import Backbone

_ROWS = 512
"""Rows that are projected together."""


def log_probabilities(
    backbone: Backbone, hidden: Tensor, rows: NDArray[np.int64], targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log P(target | what the row has read), natural logarithm.

    Args:
        backbone: Whose head to use.
        hidden: Last hidden states, [rows, hidden].
        rows: For each request its row, ascending: [requests].
        targets: For each request its token: [requests].
    """
    answers = np.empty(len(rows), dtype=np.float64)
    for first in range(0, hidden.shape[0], _ROWS):
        low, high = np.searchsorted(rows, [first, first + _ROWS])
        if low < high:
            part = hidden[first : first + _ROWS]
            answers[low:high] = _chunk(backbone, part, rows[low:high] - first, targets[low:high])
    return answers


def _chunk(
    backbone: Backbone, hidden: Tensor, rows: NDArray[np.int64], targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    where = torch.from_numpy(rows).to(hidden.device)
    wanted = torch.from_numpy(targets).to(hidden.device)
    scores = torch.empty(len(rows), dtype=torch.float32, device=hidden.device)
    normalisers: list[Tensor] = []
    for first, logits in backbone.logits(hidden):
        normalisers.append(torch.logsumexp(logits, dim=-1))
        here = torch.nonzero((wanted >= first) & (wanted < first + logits.shape[1]))[:, 0]
        scores[here] = logits[where[here], wanted[here] - first]
    normaliser = torch.logsumexp(torch.stack(normalisers), dim=0)
    if hidden.dtype != torch.float32 and backbone.has_plain_head:
        scores = backbone.logits_at(hidden[where], wanted)
    found: NDArray[np.float64] = (scores - normaliser[where]).double().cpu().numpy()
    return found


def most_likely(backbone: Backbone, hidden: Tensor) -> NDArray[np.int64]:
    """The token that follows each row under greedy decoding, the first of equals: [rows, hidden] -> [rows]."""
    parts = [_best(backbone, hidden[first : first + _ROWS]) for first in range(0, hidden.shape[0], _ROWS)]
    chosen: NDArray[np.int64] = torch.cat(parts).cpu().numpy()
    return chosen


def _best(backbone: Backbone, hidden: Tensor) -> Tensor:
    highest = torch.full((hidden.shape[0],), -torch.inf, device=hidden.device)
    token = torch.zeros(hidden.shape[0], dtype=torch.int64, device=hidden.device)
    for first, logits in backbone.logits(hidden):
        values, words = logits.max(dim=-1)
        better = values > highest
        highest = torch.where(better, values, highest)
        token = torch.where(better, words + first, token)
    return token
