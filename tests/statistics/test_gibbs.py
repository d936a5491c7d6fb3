"""Draws of effects and covariances against known ones."""

import numpy as np
import pytest

from isophrase.statistics.gibbs import _Family, _polya_gamma, sample
from isophrase.statistics.rasch import fit
from tests.statistics.test_rasch import draw


def test_sampled_variances_are_not_too_small_with_few_cells_a_row():
    generator = np.random.default_rng(4)
    modes, sampled = [], []
    for _ in range(4):
        terms, values = draw(generator, 40, 100, (0.9, 1.0))
        seen = np.flatnonzero(generator.random(4000) < 0.1)
        modes.append(fit(terms, seen, values[seen]).variances["row"])
        sampled.append(sample(terms, seen, values[seen], draws=150, generator=generator).variances["row"])
    assert np.mean(modes) < np.mean(sampled)
    assert np.mean(sampled) == pytest.approx(0.81, rel=0.45)


def test_polya_gamma_draws_have_their_mean_and_variance():
    for tilt in (0.0, 1.5, 6.0):
        drawn = _polya_gamma(np.full(40_000, tilt), np.random.default_rng(5))
        mean = 0.25 if tilt == 0 else np.tanh(tilt / 2) / (2 * tilt)
        variance = 1 / 24 if tilt == 0 else (np.sinh(tilt) - tilt) / (4 * tilt**3 * np.cosh(tilt / 2) ** 2)
        assert drawn.mean() == pytest.approx(mean, rel=0.01)
        assert drawn.var() == pytest.approx(variance, rel=0.05)


def test_effects_of_the_same_unit_are_known_to_be_correlated():
    generator = np.random.default_rng(6)
    known = np.array([[4.0, -1.8], [-1.8, 1.0]])
    effects = generator.multivariate_normal([0, 0], known, size=300).T
    family = _Family(1 + np.arange(600).reshape(2, 300), 1.0)
    drawn = []
    for _ in range(200):
        family.draw(np.concatenate([[0.0], effects.ravel()]), generator)
        drawn.append(family.covariance)
    np.testing.assert_allclose(np.mean(drawn[20:], axis=0), np.cov(effects), rtol=0.1)
    precision = np.zeros((601, 601))
    family.add_to(precision)
    inverse = np.linalg.inv(family.covariance)
    assert precision[1, 1] == pytest.approx(inverse[0, 0])
    assert precision[1, 301] == precision[301, 1] == pytest.approx(inverse[0, 1])
    assert precision[1, 302] == precision[0, 0] == 0


def test_an_effect_that_is_not_there_is_found_to_be_small():
    generator = np.random.default_rng(7)
    terms, values = draw(generator, 60, 100, (0.0, 1.0))
    seen = np.flatnonzero(generator.random(6000) < 0.2)
    assert sample(terms, seen, values[seen], draws=200, generator=generator).variances["row"] < 0.08
