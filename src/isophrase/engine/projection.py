"""From hidden states to log-probabilities, only where something scores, a bounded number of rows at a time.

Knows the vocabulary projection and nothing of how the hidden states came about.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isophrase.engine.backbone import Backbone

_LOGIT_BYTES = 1 << 26
"""Memory for one chunk of float32 logits (64 MiB)."""


def rows_a_chunk(vocabulary: int) -> int:
    """Rows whose float32 logits fit the memory set aside for them."""
    return max(16, _LOGIT_BYTES // (4 * vocabulary))


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
    step = rows_a_chunk(backbone.vocabulary)
    for first in range(0, hidden.shape[0], step):
        low, high = np.searchsorted(rows, [first, first + step])
        if low == high:
            continue
        logits = backbone.logits(hidden[first : first + step])
        picked = logits[torch.from_numpy(rows[low:high] - first), torch.from_numpy(targets[low:high])]
        normaliser = torch.logsumexp(logits, dim=-1)[torch.from_numpy(rows[low:high] - first)]
        answers[low:high] = (picked - normaliser).double().cpu().numpy()
    return answers


def most_likely(backbone: Backbone, hidden: Tensor) -> NDArray[np.int64]:
    """The token that follows each row under greedy decoding: [rows, hidden] -> [rows]."""
    step = rows_a_chunk(backbone.vocabulary)
    parts = [backbone.logits(hidden[first : first + step]).argmax(dim=-1) for first in range(0, hidden.shape[0], step)]
    chosen: NDArray[np.int64] = torch.cat(parts).cpu().numpy()
    return chosen
