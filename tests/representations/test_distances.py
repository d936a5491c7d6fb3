"""Distances against the obvious loops, and CKA against its definition and known truth."""

import numpy as np
import pytest

from isophrase.representations.distances import NEAREST, REFERENCE, distances, linear_cka, pairwise, to_centroid, within


@pytest.fixture
def states():
    found = np.random.default_rng(0).normal(3, 1, (5, 6, 8)).astype(np.float32)
    found[2, 3] = np.nan
    return found


def cosine(one, other):
    return 1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_pairs_are_those_of_the_obvious_loop(states):
    l2, angle = pairwise(states)
    for i in range(5):
        for j in range(5):
            for e in range(6):
                one, other = states[i, e].astype(float), states[j, e].astype(float)
                np.testing.assert_allclose(l2[i, j, e], np.linalg.norm(one - other), atol=1e-6)
                np.testing.assert_allclose(angle[i, j, e], cosine(one, other) if i != j else one.sum() * 0, atol=1e-9)


def test_the_nearest_observed_wording_is_never_itself(states):
    observed = np.array([True, False, True, True, False])
    found = distances(states, observed, (-1, 0, 0, 0, 0))
    assert found.to == NEAREST
    for i in range(5):
        for e in range(6):
            some = [
                np.linalg.norm(states[i, e].astype(float) - states[j, e])
                for j in (0, 2, 3)
                if j != i and not np.isnan(states[j, e]).any()
            ]
            expected = np.nan if np.isnan(states[i, e]).any() else min(some)
            np.testing.assert_allclose(found.l2[i, e], expected, atol=1e-5)


def test_where_nothing_is_known_distances_are_to_the_reference(states):
    found = distances(states, None, (-1, 0, 0, 4, -1))
    assert found.to == REFERENCE
    assert np.isnan(found.l2[[0, 4]]).all()
    assert np.isnan(found.cka[[0, 4]]).all()
    np.testing.assert_allclose(found.l2[3, 1], np.linalg.norm(states[3, 1].astype(float) - states[4, 1]), atol=1e-5)
    np.testing.assert_allclose(found.cosine[1, 2], cosine(states[1, 2].astype(float), states[0, 2]), atol=1e-6)
    assert np.isnan(found.l2[2, 3])


def test_a_model_that_saw_none_of_the_wordings_is_measured_to_the_reference(states):
    assert distances(states, np.zeros(5, bool), (-1, 0, 0, 0, 0)).to == REFERENCE


def test_the_centroid_is_that_of_the_other_wordings(states):
    found = to_centroid(states)
    np.testing.assert_allclose(
        found[1, 0], np.linalg.norm(states[1, 0].astype(float) - states[[0, 2, 3, 4], 0].mean(axis=0)), atol=1e-5
    )
    others = states[[0, 3, 4], 3].mean(axis=0)
    np.testing.assert_allclose(found[1, 3], np.linalg.norm(states[1, 3].astype(float) - others), atol=1e-5)
    assert np.isnan(found[2, 3])


def test_dispersion_is_the_mean_over_pairs(states):
    l2, _ = pairwise(states)
    pairs = [np.linalg.norm(states[i, 0].astype(float) - states[j, 0]) for i in range(5) for j in range(i)]
    np.testing.assert_allclose(within(l2)[0], np.mean(pairs), atol=1e-5)
    known = (0, 1, 3, 4)
    pairs = [np.linalg.norm(states[i, 3].astype(float) - states[j, 3]) for i in known for j in known if j < i]
    np.testing.assert_allclose(within(l2)[3], np.mean(pairs), atol=1e-5)


def hsic(k, ell):
    """Equation 5 of Song et al. 2012, as printed."""
    n = len(k)
    k, ell = k - np.diag(np.diag(k)), ell - np.diag(np.diag(ell))
    one = np.ones(n)
    first, second = np.trace(k @ ell), one @ k @ one * (one @ ell @ one) / (n - 1) / (n - 2)
    return (first + second - 2 / (n - 2) * one @ k @ ell @ one) / (n * (n - 3))


def test_cka_is_its_definition():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, 6))
    y = x @ rng.normal(size=(6, 4)) + rng.normal(size=(30, 4))
    k, ell = x @ x.T, y @ y.T
    np.testing.assert_allclose(linear_cka(x, y), hsic(k, ell) / np.sqrt(hsic(k, k) * hsic(ell, ell)))


def test_cka_does_not_see_rotation_scale_or_shift():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 16))
    rotation, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    assert linear_cka(x, 3 * x @ rotation + 5) == pytest.approx(1.0)


def test_cka_of_unrelated_states_is_about_zero_with_few_examples_and_many_dimensions():
    rng = np.random.default_rng(3)
    found = [linear_cka(rng.normal(size=(20, 500)), rng.normal(size=(20, 500))) for _ in range(200)]
    assert abs(np.mean(found)) < 0.03


def test_too_few_examples_or_no_variance_give_no_cka():
    assert np.isnan(linear_cka(np.ones((3, 4)), np.ones((3, 4))))
    assert np.isnan(linear_cka(np.ones((9, 4)), np.ones((9, 4))))
