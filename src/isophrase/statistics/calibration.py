"""Repairs without training: option scores with a wording's own leaning towards an option taken out, and ensembles.

Contextual calibration (Zhao et al., ICML 2021) takes the leaning from content-free inputs, batch calibration (Zhou et
al., ICLR 2024) from the batch itself. Both act on log-probabilities after they are normalised over the options. Knows
arrays of option scores; does not know how content-free cells are made or measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from isophrase.statistics.metrics import Floats
from isophrase.statistics.tables import OptionTable, OutcomeTable

UNSAFE_RATIO = 2.0


@dataclass(frozen=True)
class Imbalance:
    """How unequal the right answers of a task are.

    Attributes:
        smallest: Share of the rarest class.
        largest: Share of the most frequent class.
        unsafe: Whether batch calibration, which pulls every wording's answers towards equal shares, may do harm: the
            largest class is more than twice the smallest, or there are fewer than ten examples a class.
    """

    smallest: float
    largest: float
    unsafe: bool


def normalised(logprobs: Floats) -> Floats:
    """Log P of each option among the options of its cell, same shape; NaN stays NaN."""
    known = np.where(np.isnan(logprobs), -np.inf, logprobs)
    total = special.logsumexp(known, axis=-1, keepdims=True)
    return np.where(np.isnan(logprobs), np.nan, logprobs - np.where(np.isfinite(total), total, 0.0))


def batch_calibrated(options: OptionTable) -> OptionTable:
    """Each wording's mean log-probability of each option over its examples is taken away.

    Zhou et al., ICLR 2024, section 3, with scores in log space: an additive shift by the mean score of the batch.

    Args:
        options: Of a classification task: the same options for all examples.

    Raises:
        ValueError: Options differ between examples: then there is no leaning towards an option to speak of.
    """
    _check(options)
    scores = normalised(options.logprobs)
    scored = (~np.isnan(scores)).sum(axis=1, keepdims=True)
    prior = np.nansum(scores, axis=1, keepdims=True) / np.maximum(scored, 1)
    return replace(options, logprobs=scores - prior)


def contextually_calibrated(options: OptionTable, content_free: Floats) -> OptionTable:
    """Each wording's option probabilities are divided by those that it gives to content-free inputs.

    Zhao et al., ICML 2021, section 4: W = diag(p_cf)^-1, b = 0, with p_cf the mean of the normalised probabilities over
    the content-free inputs.

    Args:
        options: Of a classification task.
        content_free: log P of the options under content-free inputs, shape (instructions, inputs, options); a wording
            without a scored input stays as it is.
    """
    _check(options)
    chances = np.exp(normalised(content_free))
    scored = (~np.isnan(chances)).any(axis=2).sum(axis=1)[:, None]
    prior = np.where(scored > 0, np.nansum(chances, axis=1) / np.maximum(scored, 1), 1.0)
    return replace(options, logprobs=normalised(options.logprobs) - np.log(np.maximum(prior, 1e-12))[:, None, :])


def ensemble(options: OptionTable, size: int, generator: np.random.Generator) -> OptionTable:
    """Each row becomes an ensemble of its wording and `size` - 1 others, whose probabilities are averaged.

    Args:
        options: Option scores; of a cell, the same options in every row.
        size: Wordings in each ensemble, from 1 to the number of rows.
        generator: Which wordings join which ensemble.

    Returns:
        As many rows as before, so that ensembles are compared with single wordings, row by row.
    """
    rows = options.logprobs.shape[0]
    if not 1 <= size <= rows:
        raise ValueError(f"an ensemble needs 1 to {rows} wordings, not {size}")
    chances = np.exp(normalised(options.logprobs))
    found = np.empty_like(chances)
    for row in range(rows):
        others = generator.permutation(np.delete(np.arange(rows), row))[: size - 1]
        members = chances[[row, *others]]
        count = (~np.isnan(members)).sum(axis=0)
        found[row] = np.where(count > 0, np.nansum(members, axis=0) / np.maximum(count, 1), np.nan)
    with np.errstate(divide="ignore"):
        return replace(options, logprobs=np.where(np.isnan(options.logprobs), np.nan, np.log(found)))


def imbalance(gold: NDArray[np.bool_]) -> Imbalance:
    """How unequal the classes of a task are.

    Args:
        gold: Whether an option is right, shape (examples, options).
    """
    counts = gold.sum(axis=0)
    total = max(int(counts.sum()), 1)
    smallest, largest = int(counts.min(initial=total)), int(counts.max(initial=0))
    unsafe = largest > UNSAFE_RATIO * smallest or len(gold) < 10 * gold.shape[1]
    return Imbalance(smallest / total, largest / total, unsafe)


def outcomes(table: OutcomeTable, options: OptionTable) -> OutcomeTable:
    """The table that these option scores give: the most probable option is chosen anew in every scored cell."""
    chosen = np.where(np.isnan(table.values), -1, options.chosen)
    columns = np.arange(chosen.shape[1])
    right = options.gold[columns, np.maximum(chosen, 0)]
    values = np.where(chosen >= 0, right.astype(np.float64), math.nan)
    return replace(table, values=values, choices=chosen)


def _check(options: OptionTable) -> None:
    if not options.classes:
        raise ValueError("calibration needs a task whose examples all have the same options in the same order")
