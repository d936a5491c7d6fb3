"""Numbers that other papers define on the answers to one task under many wordings, as pure functions on arrays.

Rows are instructions, columns examples; NaN (or -1 for choices) is an unscored cell, which is left out. Each says which
paper it is from. Unlike `std` and `spread` of a summary they describe the cells as measured: the luck of the examples
drawn is in them. Knows arrays only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics import metrics
from isophrase.statistics.metrics import Floats, Integers, ratio


def answer_counts(choices: Integers) -> Integers:
    """How often each answer is given to each example.

    Args:
        choices: Answer codes, shape (instructions, examples); -1 where unscored.

    Returns:
        Shape (examples, answers), answers being the codes 0 to the largest.
    """
    answers, columns = max(int(choices.max(initial=0)) + 1, 1), choices.shape[1]
    scored = choices >= 0
    keys = (choices + answers * np.arange(columns))[scored]
    return np.bincount(keys, minlength=columns * answers).reshape(columns, answers)


def fleiss_kappa(counts: Integers) -> float:
    """Agreement between wordings beyond that of answers drawn at their overall rates.

    With n_j wordings scored on example j and c_ja of them answering a: P_j = sum_a c_ja (c_ja - 1) / (n_j (n_j - 1)),
    p_a the share of answer a among all, P_e = sum_a p_a^2, kappa = (mean_j P_j - P_e) / (1 - P_e) (Fleiss,
    Psychological Bulletin 76:378, 1971, equations 1-7; there all n_j are equal).

    Args:
        counts: Of `answer_counts`. Codes must mean the same for all examples (the same options).

    Returns:
        At most 1; NaN where no example has two answers, or all answers are the same.
    """
    counts = counts[counts.sum(axis=1) > 1].astype(np.float64)
    if not counts.size:
        return math.nan
    totals = counts.sum(axis=1)
    agreement = float(((counts * (counts - 1.0)).sum(axis=1) / (totals * (totals - 1.0))).mean())
    expected = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    return (agreement - expected) / (1.0 - expected) if expected < 1 else math.nan


def pss(values: Floats) -> Floats:
    """ProSA's prompt sensitivity score of every example: sum_{i<j} |Y_i - Y_j| / C(n, 2); the score is their mean.

    Zhuo et al., ProSA, EMNLP Findings 2024, equation 1. For right and wrong it is the probability that two wordings
    differ in being right.

    Args:
        values: Metric values, shape (instructions, examples); NaN where unscored.

    Returns:
        Shape (examples,), in [0, 1]; NaN for an example with fewer than two values.
    """
    ordered = np.sort(values, axis=0)  # NaN comes last
    count = (~np.isnan(values)).sum(axis=0).astype(np.float64)
    place = np.arange(1, len(values) + 1)[:, None]
    weights = np.where(np.isnan(ordered), 0.0, 2.0 * place - count - 1.0)
    sums = (weights * np.nan_to_num(ordered)).sum(axis=0)
    return ratio(sums, count * (count - 1.0) / 2.0)


def posix(logprobs: Floats, tokens: Integers, choices: Integers) -> Floats:
    """The prompt sensitivity index of every example.

    The mean over ordered pairs of |log P(y_j | x_i) - log P(y_j | x_j)| / len(y_j): Chatterjee et al., POSIX, EMNLP
    Findings 2024, equations 1 and 2 (the index is the mean over examples), with the option chosen under wording j as
    response y_j (the paper generates it), and its tokens as length.

    Args:
        logprobs: log P of every option, in nats, shape (instructions, examples, options); NaN where there is none.
        tokens: Tokens of every option, same shape.
        choices: Index of the chosen option, shape (instructions, examples); -1 where unscored.

    Returns:
        Shape (examples,), in nats a token, at least 0; NaN for an example with fewer than two wordings scored.
    """
    scored = choices >= 0
    count = scored.sum(axis=0).astype(np.float64)
    totals = np.zeros(choices.shape[1])
    for option in range(logprobs.shape[2]):
        chosen = choices == option
        if not chosen.any():
            continue
        distances = _summed_distances(np.where(scored, logprobs[:, :, option], np.nan))
        lengths = np.maximum(tokens[:, :, option], 1)
        totals += np.where(chosen, distances / lengths, 0.0).sum(axis=0)
    return ratio(totals, count * (count - 1.0))


def _summed_distances(values: Floats) -> Floats:
    """For each value, the sum of its distances to all values of its column, by sorting; NaN stays NaN."""
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    known = np.where(np.isnan(ordered), 0.0, ordered)
    before = np.cumsum(known, axis=0)
    rank = np.arange(1, len(values) + 1)[:, None]
    count = (~np.isnan(values)).sum(axis=0)
    sums = ordered * (2.0 * rank - count) - 2.0 * before + before[-1]
    found = np.empty_like(values)
    np.put_along_axis(found, order, sums, axis=0)
    return found


def saturation(accuracies: Floats) -> float:
    """Sat = 1 - (max - mean) of the wordings' accuracies (Mizrahi et al., TACL 12:933, 2024, section 4.4)."""
    return 1.0 - (metrics.best(accuracies) - metrics.mean(accuracies))


def combined_performance(accuracies: Floats) -> float:
    """CPS = Sat * max: the combined performance score (Mizrahi et al., TACL 12:933, 2024, section 4.4)."""
    return saturation(accuracies) * metrics.best(accuracies)


def sensitivity(choices: Integers, options: int) -> Floats:
    """For every example the entropy of its answers over wordings, by that of a uniform answer.

    Errica et al., NAACL 2025, section 3 (there averaged over examples): it needs no right answers.

    Args:
        choices: As in `answer_counts`.
        options: How many answers there are to choose from.

    Returns:
        Shape (examples,), in [0, 1]; NaN for an example without an answer, or for fewer than two options.
    """
    counts = answer_counts(choices).astype(np.float64)
    totals = counts.sum(axis=1)
    shares = counts / np.where(totals > 0, totals, np.nan)[:, None]
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(np.abs((shares * logs).sum(axis=1)) / (math.log(options) if options > 1 else math.nan))


def consistency(counts: Integers, gold: NDArray[np.bool_]) -> float:
    """1 - the mean total variation distance between the answers to two examples of one class, over wordings.

    Errica et al., NAACL 2025, section 3: for each class the mean over pairs of its examples, then the mean over
    classes.

    Args:
        counts: Of `answer_counts`; codes are the index of an option, the same for all examples.
        gold: Whether an option is right, shape (examples, options); examples with several right ones are left out.

    Returns:
        In [0, 1]; NaN where no class has two examples.
    """
    totals = counts.sum(axis=1)
    shares = np.divide(counts, totals[:, None], out=np.zeros(counts.shape), where=totals[:, None] > 0)
    kept = (totals > 0) & (gold.sum(axis=1) == 1)
    found = []
    for label in range(gold.shape[1]):
        members = shares[kept & gold[:, label]]
        count = len(members)
        if count < 2:
            continue
        distances = sum(float(np.nansum(_summed_distances(members[:, [answer]]))) for answer in range(members.shape[1]))
        found.append(1.0 - 0.5 * distances / (count * (count - 1)))
    return float(np.mean(found)) if found else math.nan
