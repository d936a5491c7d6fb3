"""Projections: the same each time, faithful where truth is known, and alike for two models in one plane."""

import numpy as np
import pytest

from isophrase.representations.projection import MOST_POINTS, perplexity_for, principal, project


def clusters(seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 20, (4, 1, 12))
    return (centres + rng.normal(0, 0.5, (4, 12, 12))).astype(np.float32)


def test_the_same_states_give_the_same_picture():
    one, other = project([clusters()], ["m"], seed=3)[0], project([clusters()], ["m"], seed=3)[0]
    assert (one.tsne == other.tsne).all()
    assert (one.pca == other.pca).all()
    assert one.together == ("m",)


def test_clusters_far_apart_stay_apart():
    (found,) = project([clusters()], ["m"])
    for picture in (found.tsne, found.pca):
        assert np.abs(picture).max() <= 1 + 1e-6
        centres = np.stack([picture[found.rows == row].mean(axis=0) for row in range(4)])
        inside = max(np.linalg.norm(picture[found.rows == row] - centres[row], axis=1).mean() for row in range(4))
        apart = min(np.linalg.norm(centres[i] - centres[j]) for i in range(4) for j in range(i))
        assert apart > 2 * inside


def test_principal_axes_are_those_of_the_covariance():
    rng = np.random.default_rng(4)
    states = rng.normal(size=(200, 5)) * [5, 3, 1, 1, 1]
    scores, shares = principal(states, 2)
    values = np.linalg.eigvalsh(np.cov(states.T))[::-1]
    np.testing.assert_allclose(scores.var(axis=0, ddof=1), values[:2])
    np.testing.assert_allclose(shares, values[:2] / values.sum())


def test_two_models_share_one_plane():
    before = clusters()
    after = before + np.float32(50)
    found = project([before, after], ["base", "repaired"])
    assert [item.together for item in found] == [("base", "repaired")] * 2
    assert found[0].pca[:, 0].max() < found[1].pca[:, 0].min() or found[0].pca[:, 0].min() > found[1].pca[:, 0].max()


def test_missing_states_and_large_tables_leave_points_out():
    states = np.random.default_rng(0).normal(size=(3, 8, 4)).astype(np.float32)
    states[1, 2] = np.nan
    (found,) = project([states], ["m"])
    assert len(found.rows) == 23
    assert (1, 2) not in set(zip(found.rows.tolist(), found.columns.tolist(), strict=True))
    wide = np.random.default_rng(0).normal(size=(2, 8, 3)).astype(np.float32)
    assert len(project([wide], ["m"])[0].rows) == 16
    assert MOST_POINTS >= 1000


@pytest.mark.parametrize(("count", "expected"), [(9, 8 / 3), (25, 5), (100, 10), (10_000, 50)])
def test_perplexity_grows_with_the_number_of_points(count, expected):
    assert perplexity_for(count) == pytest.approx(expected)


def test_few_states_have_no_tsne():
    (found,) = project([np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)], ["m"])
    assert found.tsne.shape == (0, 2)
    assert found.pca.shape == (6, 2)
