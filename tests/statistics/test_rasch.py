"""The fit against scikit-learn's penalised logistic regression, and its variances against known ones."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from isophrase.statistics.rasch import Term, fit


def one_hot(codes, size):
    return sparse.csr_array((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), size))


def draw(generator, rows, columns, deviations):
    row, column = np.repeat(np.arange(rows), columns), np.tile(np.arange(columns), rows)
    logits = (
        0.5 + deviations[0] * generator.normal(size=rows)[row] + deviations[1] * generator.normal(size=columns)[column]
    )
    values = (generator.random(rows * columns) < expit(logits)).astype(float)
    return [Term("row", one_hot(row, rows)), Term("column", one_hot(column, columns))], values


def test_at_its_own_variances_it_is_scikit_learns_penalised_regression():
    terms, values = draw(np.random.default_rng(0), 12, 30, (0.8, 1.2))
    seen = np.arange(0, 360, 2)
    found = fit(terms, seen, values[seen])
    scale = [np.sqrt(found.variances[term.name]) for term in terms]
    design = sparse.csr_array(
        sparse.hstack([10 * np.ones((360, 1)), *(term.design * s for term, s in zip(terms, scale, strict=True))])
    )
    reference = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-9, max_iter=2000).fit(design[seen], values[seen])
    expected = reference.predict_proba(design)[:, 1]
    np.testing.assert_allclose(found.probabilities, expected, atol=2e-3)


def test_variances_are_found():
    generator = np.random.default_rng(1)
    found = []
    for _ in range(5):
        terms, values = draw(generator, 60, 80, (0.7, 1.3))
        found.append(fit(terms, np.arange(len(values)), values).variances)
    assert np.mean([item["row"] for item in found]) == pytest.approx(0.49, rel=0.25)
    assert np.mean([item["column"] for item in found]) == pytest.approx(1.69, rel=0.25)


def test_draws_scatter_about_the_mode():
    terms, values = draw(np.random.default_rng(2), 10, 20, (0.5, 0.5))
    found = fit(terms, np.arange(200), values)
    drawn = found.draws(np.random.default_rng(0), 2000)
    assert drawn.shape == (2000, 200)
    np.testing.assert_allclose(drawn.mean(axis=0), found.probabilities, atol=0.06)


def test_values_that_are_all_alike_are_no_trouble():
    terms, _ = draw(np.random.default_rng(3), 5, 6, (0.5, 0.5))
    assert fit(terms, np.arange(30), np.ones(30)).probabilities.min() > 0.8
