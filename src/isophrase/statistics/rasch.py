"""A Rasch model with covariates and random effects, fitted to some cells of a table: what unseen cells will be.

logit P(right_ij) = m + sum over terms, each term a group of normal effects of mean 0 with a variance of its own. The
PromptEval model is the terms `instruction` and `example`, each with features (Polo et al., NeurIPS 2024, equation 3.1);
variances are estimated instead of fixed, which makes it empirical Bayes. Knows sparse designs; does not know what terms
mean.

Fitted by penalised iteratively reweighted least squares with the EM update of each variance (Breslow and Clayton, JASA
88:9, 1993); the posterior is the normal one about the mode (Laplace).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse, special

from isophrase.statistics.metrics import Floats

_ROUNDS = 60
_PRECISION = 0.005
"""In logits, of a standard deviation."""
_SMALLEST = 1e-4
_LARGEST = 25.0


@dataclass(frozen=True)
class Term:
    """A group of effects that share a variance.

    Attributes:
        name: For reading.
        design: Shape (all cells, effects): how each cell takes part; sparse.
    """

    name: str
    design: sparse.csr_array


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes:
        design: Of all cells, with a first column of ones.
        mode: The coefficients at the posterior's mode.
        factor: Lower Cholesky factor of the posterior's precision.
        variances: Term -> estimated variance of its effects, in squared logits.
    """

    design: sparse.csr_array
    mode: Floats
    factor: Floats
    variances: Mapping[str, float]

    @property
    def probabilities(self) -> Floats:
        """P(right) of every cell at the mode, shape (all cells,)."""
        return np.asarray(special.expit(self.design @ self.mode))

    def draws(self, generator: np.random.Generator, count: int) -> Floats:
        """P(right) of every cell in draws from the posterior, shape (count, all cells)."""
        noise = generator.normal(size=(len(self.mode), count))
        coefficients = self.mode[:, None] + linalg.solve_triangular(self.factor, noise, lower=True, trans="T")
        return np.asarray(special.expit((self.design @ coefficients).T))


def fit(
    terms: Sequence[Term], seen: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]], values: Floats
) -> Fitted:
    """Fit the model to the cells that were measured.

    Args:
        terms: Groups of effects, over all cells.
        seen: Indexes of the measured cells, at least one.
        values: Their values, in [0, 1] (a value between is taken as a share of trials).
    """
    ones = sparse.csr_array(np.ones((terms[0].design.shape[0], 1)))
    whole = sparse.csr_array(sparse.hstack([ones, *(term.design for term in terms)]))
    rows = sparse.csr_array(whole[np.asarray(seen)])
    groups = np.concatenate([[0], *(np.full(term.design.shape[1], index + 1) for index, term in enumerate(terms))])
    variances = np.concatenate([[100.0], np.full(len(terms), 0.5)])
    coefficients = np.zeros(whole.shape[1])
    middle = float(np.clip(values.mean(), 0.02, 0.98))
    coefficients[0] = special.logit(middle)
    factor = np.eye(len(coefficients))
    for _ in range(_ROUNDS):
        coefficients, factor = _newton(rows, values, coefficients, 1.0 / variances[groups])
        before = variances.copy()
        variances = _updated(coefficients, factor, groups, variances)
        if np.abs(np.sqrt(variances) - np.sqrt(before)).max() < _PRECISION:
            break
    for _ in range(3):
        coefficients, factor = _newton(rows, values, coefficients, 1.0 / variances[groups])
    named = {term.name: float(value) for term, value in zip(terms, variances[1:], strict=True)}
    return Fitted(whole, coefficients, factor, named)


def _newton(rows: sparse.csr_array, values: Floats, coefficients: Floats, penalty: Floats) -> tuple[Floats, Floats]:
    """One damped step towards the mode, and the Cholesky factor of the precision there."""
    fitted = special.expit(rows @ coefficients)
    weights = np.maximum(fitted * (1.0 - fitted), 1e-6)
    precision = (rows.T @ sparse.csr_array(rows.multiply(weights[:, None]))).toarray() + np.diag(penalty)
    factor = linalg.cholesky(precision, lower=True)
    gradient = rows.T @ (values - fitted) - penalty * coefficients
    step = linalg.cho_solve((factor, True), gradient)
    longest = float(np.abs(step).max(initial=0.0))
    return coefficients + step * min(1.0, 2.0 / longest if longest > 0 else 1.0), factor


def _updated(coefficients: Floats, factor: Floats, groups: Floats, variances: Floats) -> Floats:
    """EM: the mean square of each group's effects, at the mode and about it. The intercept's prior stays."""
    inverse = linalg.solve_triangular(factor, np.eye(len(coefficients)), lower=True)
    spread = (inverse**2).sum(axis=0)
    found = variances.copy()
    for group in range(1, len(variances)):
        members = groups == group
        if members.any():
            # The step is doubled on the log scale: plain EM creeps.
            update = float((coefficients[members] ** 2 + spread[members]).mean())
            found[group] = np.clip(variances[group] * (update / variances[group]) ** 1.8, _SMALLEST, _LARGEST)
    return found


@dataclass(frozen=True)
class Sampled:
    """Draws from the posterior of all effects and variances together.

    Attributes:
        design: Of all cells, with a first column of ones.
        coefficients: Shape (draws, coefficients).
        variances: Term -> posterior mean of its effects' variance, in squared logits.
    """

    design: sparse.csr_array
    coefficients: Floats
    variances: Mapping[str, float]

    def probabilities(self, start: int, stop: int) -> Floats:
        """P(right) of every cell in some draws, shape (stop - start, all cells)."""
        return np.asarray(special.expit((self.design @ self.coefficients[start:stop].T).T))


def sample(
    terms: Sequence[Term],
    seen: np.ndarray[tuple[int], np.dtype[np.int64]],
    values: Floats,
    *,
    draws: int,
    generator: np.random.Generator,
) -> Sampled:
    """Draw from the posterior by Gibbs sampling with Polya-gamma variables.

    Polson, Scott, Windle, JASA 108:1339, 2013. Unlike the mode of `fit`, whose variances are too small where a row has
    few binary cells (Breslow and Lin, Biometrika 82:81, 1995), it is exact but for the number of draws. Each variance
    has an inverse gamma prior (1, 0.1); sampling starts at the mode, and its first third is thrown away.

    Args:
        terms: Groups of effects, over all cells.
        seen: Indexes of the measured cells, at least one.
        values: Their values, in [0, 1].
        draws: How many to keep.
        generator: Where they come from.
    """
    found = fit(terms, seen, values)
    rows = sparse.csr_array(found.design[seen])
    groups = np.concatenate([[0], *(np.full(term.design.shape[1], index + 1) for index, term in enumerate(terms))])
    sizes = np.bincount(groups)
    variances = np.array([100.0, *found.variances.values()])
    coefficients, target = found.mode, rows.T @ (values - 0.5)
    kept, spread = [], np.zeros(len(variances))
    burn = draws // 2
    for turn in range(burn + draws):
        weights = _polya_gamma(rows @ coefficients, generator)
        precision = (rows.T @ sparse.csr_array(rows.multiply(weights[:, None]))).toarray()
        precision[np.diag_indices_from(precision)] += 1.0 / variances[groups]
        factor = linalg.cholesky(precision, lower=True, overwrite_a=True, check_finite=False)
        noise = generator.normal(size=len(target))
        whitened = linalg.solve_triangular(factor, target, lower=True, check_finite=False) + noise
        coefficients = linalg.solve_triangular(factor, whitened, lower=True, trans="T", check_finite=False)
        squares = np.bincount(groups, weights=coefficients**2)
        drawn = (0.1 + squares / 2.0) / generator.gamma(1.0 + sizes / 2.0)
        variances[1:] = np.clip(drawn[1:], _SMALLEST, _LARGEST)
        if turn >= burn:
            kept.append(coefficients)
            spread += variances
    named = {term.name: float(value) for term, value in zip(terms, spread[1:] / draws, strict=True)}
    return Sampled(found.design, np.stack(kept), named)


def _polya_gamma(tilts: Floats, generator: np.random.Generator) -> Floats:
    """PG(1, z) for each z: the sum of gammas that defines it (Polson et al., equation 2), cut, with the rest's mean."""
    terms = 24
    scale = (np.arange(1, terms + 1) - 0.5)[:, None] ** 2 + (tilts / (2.0 * np.pi)) ** 2
    found = (generator.standard_exponential((terms, len(tilts))) / scale).sum(axis=0) / (2.0 * np.pi**2)
    size = np.maximum(np.abs(tilts), 1e-8)
    whole = np.tanh(size / 2.0) / (2.0 * size)
    return np.asarray(found + whole - (1.0 / scale).sum(axis=0) / (2.0 * np.pi**2))
