"""The losses of alignment and tuning: pure functions of logits, log-probabilities and states.

Knows tensors only. Does not know models, wordings or how losses are weighted. Every function returns one number for
each row; the mean over rows, or a weighting of them, is the caller's.
"""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import Tensor
from torch.nn.functional import normalize


class Divergence(StrEnum):
    """How far two distributions are apart; p is the teacher's, q the student's."""

    FORWARD = "forward"
    """KL(p || q) = Σ p (log p - log q): the student covers all that the teacher finds likely."""
    REVERSE = "reverse"
    """KL(q || p): the student stays inside what the teacher finds likely."""
    JENSEN_SHANNON = "js"
    """Half of KL(p || m) + KL(q || m) with m = (p + q) / 2: symmetric, at most log 2 (Lin 1991)."""


def cross_entropy(words: Tensor, targets: Tensor) -> Tensor:
    """-log P(target).

    Args:
        words: Log-probabilities, [rows, words].
        targets: [rows], indexes of words.

    Returns:
        [rows], in nats.
    """
    return -words.gather(-1, targets[:, None])[:, 0]


def divergence(teacher: Tensor, student: Tensor, kind: Divergence) -> Tensor:
    """The divergence between two distributions over the same words.

    Args:
        teacher: Log-probabilities, [rows, words].
        student: Log-probabilities, [rows, words].
        kind: Which.

    Returns:
        [rows], in nats.
    """
    match kind:
        case Divergence.FORWARD:
            return _kl(teacher, student)
        case Divergence.REVERSE:
            return _kl(student, teacher)
        case Divergence.JENSEN_SHANNON:
            middle = torch.logaddexp(teacher, student) - torch.log(teacher.new_tensor(2.0))
            return (_kl(teacher, middle) + _kl(student, middle)) / 2


def _kl(left: Tensor, right: Tensor) -> Tensor:
    # Words that the left distribution excludes (log-probability -inf) contribute nothing.
    terms = torch.where(torch.isneginf(left), torch.zeros_like(left), left.exp() * (left - right))
    return terms.sum(dim=-1)


def contrast(anchors: Tensor, positives: Tensor, rivals: Tensor, temperature: float = 0.05) -> Tensor:
    """InfoNCE: an input's state under another wording is told from the states of other inputs.

    Source: CoIN (Yan et al. 2024, arXiv 2402.11138), equation 1, with cosine similarity.

    Args:
        anchors: States under the paraphrase, [rows, hidden].
        positives: States of the same inputs under the reference, [rows, hidden].
        rivals: Which rows are negatives of which: [rows, rows], boolean; the diagonal is ignored.
        temperature: Divides the similarities.

    Returns:
        [rows]; zero for a row without negatives.
    """
    similarity = normalize(anchors, dim=-1) @ normalize(positives, dim=-1).T / temperature
    itself = torch.eye(len(anchors), dtype=torch.bool, device=anchors.device)
    candidates = similarity.masked_fill(~(rivals | itself), float("-inf"))
    return torch.logsumexp(candidates, dim=-1) - similarity.diagonal()


def state_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared distance of two states over the squared length of the teacher's: [rows, hidden] twice -> [rows]."""
    return (student - teacher).square().sum(dim=-1) / teacher.square().sum(dim=-1)


def worst_group_weights(weights: Tensor, losses: Tensor, rate: float) -> Tensor:
    """The group weights of distributionally robust optimisation after one step.

    q_g is multiplied by exp(rate * loss_g) and normalised (Sagawa et al. 2020, arXiv 1911.08731, algorithm 1).

    Args:
        weights: q, [groups], sums to 1.
        losses: Mean loss of each group in this step, [groups]; NaN for a group that is not in it, whose factor is 1.
        rate: The step size of q.
    """
    return torch.softmax(weights.log() + rate * torch.nan_to_num(losses), dim=-1)
