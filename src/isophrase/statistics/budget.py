"""The whole distribution over wordings, estimated from a part of the cells.

The PromptEval estimator (Polo et al., NeurIPS 2024): a Rasch model with features of wordings and examples is fitted to
the measured cells, the others are filled in, and quantiles are taken of the rows' means. Beyond it: a wording may do
better on one class of examples than on another (a wording that draws out `yes` is right wherever `yes` is, and wrong
wherever `no` is: leanings sum to 0 over classes), effects are shrunk by estimated variances, and quantiles are averaged
over draws of the posterior, so that neither noise spreads nor shrinking gathers them. The target is what measuring
every cell of these wordings and these examples would give.

Knows tables with missing cells and features; does not know which cells are measured next (`choosing`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from isophrase.statistics.gibbs import sample
from isophrase.statistics.measures import QUANTILES, Quantile
from isophrase.statistics.metrics import Floats, instruction_means
from isophrase.statistics.rasch import Term, fit
from isophrase.statistics.tables import Estimate

_DRAWS = 400
_QUICK_DRAWS = 100


@dataclass(frozen=True)
class Features:
    """What is known of rows and columns before anything is measured.

    Attributes:
        instructions: Shape (instructions, features).
        examples: Shape (examples, features).
        classes: Code of each example's right answer, where it is comparable between examples; else all 0.
    """

    instructions: Floats
    examples: Floats
    classes: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class BudgetEstimate:
    """What a fully measured table would show.

    Attributes:
        measured: Cells with a score.
        cells: All cells.
        mean: Of the rows' means.
        quantiles: Of the rows' means, at `QUANTILES`.
        instructions: Each row's mean.
        worst: The smallest of the rows' means.
        variances: Of the model's terms, in squared logits.
    """

    measured: int
    cells: int
    mean: Estimate
    quantiles: tuple[Quantile, ...]
    instructions: tuple[Estimate, ...]
    worst: Estimate
    variances: dict[str, float]

    @property
    def widest(self) -> float:
        """The widest half-width of a quantile's interval: what a wanted precision is compared with."""
        return max((item.accuracy.high - item.accuracy.low) / 2.0 for item in self.quantiles)


def estimate(
    values: Floats, features: Features, *, level: float = 0.9, draws: int = _DRAWS, seed: int = 0
) -> BudgetEstimate:
    """Estimate the distribution of the rows' means.

    Args:
        values: Shape (instructions, examples), in [0, 1]; NaN where not measured. At least one cell is measured.
        features: Of rows and columns.
        level: Confidence (credible) level.
        draws: From the posterior.
        seed: Of the draws.
    """
    means, variances = row_draws(values, features, draws=draws, seed=seed)
    of_draws = np.quantile(means, QUANTILES, axis=1)
    return BudgetEstimate(
        measured=int((~np.isnan(values)).sum()),
        cells=values.size,
        mean=_estimate(means.mean(axis=1), level),
        quantiles=tuple(
            Quantile(share, _estimate(drawn, level)) for share, drawn in zip(QUANTILES, of_draws, strict=True)
        ),
        instructions=tuple(_estimate(row, level) for row in means.T),
        worst=_estimate(means.min(axis=1), level),
        variances=variances,
    )


def row_draws(values: Floats, features: Features, *, draws: int, seed: int) -> tuple[Floats, dict[str, float]]:
    """Draws of the rows' means over all columns, shape (draws, rows), and the variances of the model's terms.

    Measured cells are as they are, others as predicted.
    """
    known = ~np.isnan(values)
    generator = np.random.default_rng(seed)
    seen = np.flatnonzero(known.ravel())
    sampled = sample(terms(values.shape, features), seen, values[known], draws=draws, generator=generator)
    return _filled(values, sampled.probabilities, draws, generator), dict(sampled.variances)


def row_errors(values: Floats, features: Features, *, seed: int) -> Floats:
    """How uncertain each row's mean is, shape (rows,): quick, from the posterior about its mode; for choosing."""
    known = ~np.isnan(values)
    fitted = fit(terms(values.shape, features), np.flatnonzero(known.ravel()), values[known])
    generator = np.random.default_rng(seed)

    def probabilities(start: int, stop: int) -> Floats:
        return fitted.draws(generator, stop - start)

    return np.asarray(_filled(values, probabilities, _QUICK_DRAWS, generator).std(axis=0))


def _filled(
    values: Floats, probabilities: Callable[[int, int], Floats], draws: int, generator: np.random.Generator
) -> Floats:
    """Row means in each draw, shape (draws, rows)."""
    rows, columns = values.shape
    known = ~np.isnan(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    counted = bool(np.isin(values[known], (0.0, 1.0)).all())  # right or wrong: totals are whole numbers
    found = []
    at_once = max(1, 4_000_000 // values.size)
    for start in range(0, draws, at_once):
        chances = probabilities(start, min(start + at_once, draws)).reshape(-1, rows, columns)
        unseen = np.where(known, 0.0, chances)
        noise = np.sqrt(np.where(known, 0.0, chances * (1.0 - chances)).sum(axis=2))
        totals = sums + unseen.sum(axis=2) + noise * generator.normal(size=noise.shape)
        found.append(np.clip((np.rint(totals) if counted else totals) / columns, 0.0, 1.0))
    return np.concatenate(found)


def terms(shape: tuple[int, int], features: Features) -> list[Term]:
    """The model's terms over all cells of a table, row by row."""
    rows, columns = shape
    row = np.repeat(np.arange(rows), columns)
    column = np.tile(np.arange(columns), rows)
    classes = features.classes[column]
    described = sparse.csr_array(features.instructions[row])
    number = described.shape[1]
    found = [Term("instruction", _one_hot(row, rows)), Term("example", _one_hot(column, columns))]
    if number:
        found.append(Term("instruction features", described))
    if features.examples.shape[1]:
        found.append(Term("example features", sparse.csr_array(features.examples[column])))
    if classes.any():
        # Sums over classes are 0: what a leaning gives to one class it takes from the others.
        leanings = linalg.helmert(int(classes.max()) + 1).T[classes]
        found.append(Term("class", sparse.csr_array(leanings)))
        found.append(Term("instruction × class", _times(_one_hot(row, rows), leanings), rows))
        if number:
            found.append(Term("instruction features × class", _times(described, leanings), number))
    return found


def _times(design: sparse.csr_array, leanings: Floats) -> sparse.csr_array:
    """Every column of one with every column of the other: shape (cells, columns × leanings)."""
    blocks = [sparse.csr_array(design.multiply(leanings[:, [place]])) for place in range(leanings.shape[1])]
    return sparse.csr_array(sparse.hstack(blocks))


def plain_quantiles(values: Floats, shares: Sequence[float] = QUANTILES) -> Floats:
    """What averaging the measured cells of each row gives: for comparison. Shape (shares,)."""
    means = instruction_means(values)
    return np.asarray(np.quantile(means[~np.isnan(means)], shares))


def _one_hot(codes: np.ndarray[tuple[int], np.dtype[np.int64]], size: int) -> sparse.csr_array:
    number = len(codes)
    return sparse.csr_array((np.ones(number), (np.arange(number), codes)), shape=(number, size))


def _estimate(drawn: Floats, level: float) -> Estimate:
    tail = (1.0 - level) / 2.0
    low, high = (float(end) for end in np.quantile(drawn, [tail, 1.0 - tail]))
    value = float(drawn.mean())
    return Estimate(value, min(low, value), max(high, value), level)
