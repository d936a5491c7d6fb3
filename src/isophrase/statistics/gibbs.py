"""Draws from the posterior of a Rasch model with covariates: effects and their covariances together.

Gibbs sampling with Pólya-gamma variables (Polson, Scott, Windle, JASA 108:1339, 2013). Unlike the mode of `rasch.fit`,
whose variances are too small where a row has few binary cells (Breslow and Lin, Biometrika 82:81, 1995), it is exact
but for the number of draws. Effects of the same unit are correlated: a wording that draws out one label cannot draw out
the others as well. Knows sparse designs; does not know what terms mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse, special, stats

from isophrase.statistics.metrics import Floats
from isophrase.statistics.rasch import Term, fit

_TYPICAL = 1.0
"""Scale, in logits, of the half-t prior of every standard deviation."""
_FREEDOM = 2.0
_LARGEST = 5.0
"""In logits, of a standard deviation; without a bound nothing would hold a unit that is always right."""


@dataclass(frozen=True)
class Sampled:
    """Draws from the posterior.

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
    """Draw effects and covariances; sampling starts at the mode, and its first third is thrown away.

    Args:
        terms: Groups of effects, over all cells.
        seen: Indexes of the measured cells, at least one.
        values: Their values, in [0, 1].
        draws: How many to keep.
        generator: Where they come from.
    """
    found = fit(terms, seen, values)
    rows = sparse.csr_array(found.design[seen])
    families = list(_families(terms, found.variances))
    coefficients, target = found.mode, rows.T @ (values - 0.5)
    kept, spread = [], np.zeros(len(terms))
    burn = draws // 2
    for turn in range(burn + draws):
        weights = _polya_gamma(rows @ coefficients, generator)
        precision = (rows.T @ sparse.csr_array(rows.multiply(weights[:, None]))).toarray()
        precision[0, 0] += 0.01
        for family in families:
            family.add_to(precision)
        factor = linalg.cholesky(precision, lower=True, overwrite_a=True, check_finite=False)
        noise = generator.normal(size=len(target))
        whitened = linalg.solve_triangular(factor, target, lower=True, check_finite=False) + noise
        coefficients = linalg.solve_triangular(factor, whitened, lower=True, trans="T", check_finite=False)
        for family in families:
            family.draw(coefficients, generator)
        if turn >= burn:
            kept.append(coefficients)
            spread += [np.diag(family.covariance).mean() for family in families]
    named = {term.name: float(value / draws) for term, value in zip(terms, spread, strict=True)}
    return Sampled(found.design, np.stack(kept), named)


class _Family:
    """The effects of the same units, and their covariance.

    Args:
        places: Index of every effect among the coefficients, shape (stretches, units).
        variance: Where to start.
    """

    def __init__(self, places: np.ndarray[tuple[int, int], np.dtype[np.int64]], variance: float) -> None:
        self._places = places
        self.covariance: Floats = max(variance, 1e-3) * np.eye(len(places))

    def add_to(self, precision: Floats) -> None:
        """Adds what the prior knows to the precision of all coefficients, in place."""
        inverse = linalg.inv(self.covariance, check_finite=False)
        for one, row in zip(self._places, inverse, strict=True):
            for other, value in zip(self._places, row, strict=True):
                precision[one, other] += value

    def draw(self, coefficients: Floats, generator: np.random.Generator) -> None:
        """A new covariance, under a half-t prior of each standard deviation (Huang and Wand, Bayesian Anal. 8:439)."""
        effects = coefficients[self._places]
        stretches, units = effects.shape
        inverse = linalg.inv(self.covariance, check_finite=False)
        rate = _FREEDOM * np.diag(inverse) + 1.0 / _TYPICAL**2
        scales = rate / generator.gamma((_FREEDOM + stretches) / 2.0, size=stretches)
        matrix = effects @ effects.T + 2.0 * _FREEDOM * np.diag(1.0 / scales)
        freedom = _FREEDOM + stretches - 1.0 + units
        drawn = np.atleast_2d(stats.invwishart.rvs(freedom, matrix, random_state=generator))
        shrunk = np.minimum(1.0, _LARGEST / np.sqrt(np.diag(drawn)))
        self.covariance = drawn * np.outer(shrunk, shrunk) + 1e-6 * np.eye(stretches)


def _families(terms: Sequence[Term], variances: Mapping[str, float]) -> Iterator[_Family]:
    """One for each term; the first coefficient is the intercept."""
    start = 1
    for term in terms:
        width = term.design.shape[1]
        places = (start + np.arange(width)).reshape(-1, term.units or width)
        yield _Family(places, variances[term.name])
        start += width


def _polya_gamma(tilts: Floats, generator: np.random.Generator) -> Floats:
    """PG(1, z) for each z: the sum of gammas that defines it (Polson et al., equation 2), cut, with the rest's mean."""
    terms = 24
    scale = (np.arange(1, terms + 1) - 0.5)[:, None] ** 2 + (tilts / (2.0 * np.pi)) ** 2
    found = (generator.standard_exponential((terms, len(tilts))) / scale).sum(axis=0) / (2.0 * np.pi**2)
    size = np.maximum(np.abs(tilts), 1e-8)
    whole = np.tanh(size / 2.0) / (2.0 * size)
    return np.asarray(found + whole - (1.0 / scale).sum(axis=0) / (2.0 * np.pi**2))
