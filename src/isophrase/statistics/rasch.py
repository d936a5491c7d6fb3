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
        units: Where several effects are of the same unit, which may correlate them, the number of units: effects are
            in stretches of so many. 0: each effect has a unit of its own.
    """

    name: str
    design: sparse.csr_array
    units: int = 0


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
