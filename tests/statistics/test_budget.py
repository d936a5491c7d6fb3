"""Estimates from a part of the cells: nearer to the whole than averages, and honest about how near."""

import numpy as np
import pytest
from scipy.special import expit

from isophrase.statistics.budget import Features, estimate, plain_quantiles
from isophrase.statistics.choosing import Wish, choose
from isophrase.statistics.features import text_features
from isophrase.statistics.measures import QUANTILES


def whole(generator, rows=40, columns=150, leaning=1.0):
    """A whole table in which wordings lean towards one of two answers, and what is known beforehand."""
    classes = generator.integers(2, size=columns)
    level = 0.6 + 0.6 * generator.normal(size=rows)
    lean = leaning * generator.normal(size=rows)
    logits = level[:, None] + lean[:, None] * (2 * classes - 1) + 1.0 * generator.normal(size=columns)
    values = (generator.random((rows, columns)) < expit(logits)).astype(float)
    return values, Features(np.zeros((rows, 0)), np.zeros((columns, 0)), classes)


def spend(values, features, wish):
    """Measure what is chosen until nothing is."""
    asked = np.zeros(values.shape, dtype=bool)
    rounds = 0
    while picks := choose(np.where(asked, values, np.nan), asked, features, wish):
        for pick in picks:
            block = np.ix_(pick.rows, pick.columns)
            assert not asked[block].any()
            asked[block] = True
        rounds += 1
    return asked, rounds


def test_the_budget_is_spent_and_never_passed():
    values, features = whole(np.random.default_rng(0))
    for budget in (0.02, 0.1, 0.33, 1.0):
        asked, _ = spend(values, features, Wish(budget))
        assert 0.97 * budget - 0.002 <= asked.mean() <= budget


def test_the_first_round_is_balanced_over_rows_columns_and_classes():
    values, features = whole(np.random.default_rng(1))
    asked, rounds = spend(values, features, Wish(0.1, rounds=1))
    assert rounds == 1
    assert np.ptp(asked.sum(axis=1)) <= 2
    assert asked.sum(axis=0).max() <= 3 * asked.sum(axis=0).mean()
    share = asked[:, features.classes == 1].sum(axis=1) / asked.sum(axis=1)
    assert np.abs(share - features.classes.mean()).max() < 0.2


def test_equal_scores_give_equal_choices():
    values, features = whole(np.random.default_rng(2))
    assert (spend(values, features, Wish(0.1, seed=3))[0] == spend(values, features, Wish(0.1, seed=3))[0]).all()
    assert (spend(values, features, Wish(0.1, seed=3))[0] != spend(values, features, Wish(0.1, seed=4))[0]).any()


def test_it_is_nearer_to_the_whole_than_averages_and_its_intervals_hold():
    generator = np.random.default_rng(3)
    errors, plain, held = [], [], []
    for seed in range(6):
        values, features = whole(generator, rows=64, columns=200)
        truth = np.quantile(values.mean(axis=1), QUANTILES)
        asked, _ = spend(values, features, Wish(0.1, seed=seed))
        seen = np.where(asked, values, np.nan)
        found = estimate(seen, features, draws=150, seed=seed)
        errors.append([abs(item.accuracy.value - one) for item, one in zip(found.quantiles, truth, strict=True)])
        plain.append(np.abs(plain_quantiles(seen) - truth))
        held.append(
            [item.accuracy.low <= one <= item.accuracy.high for item, one in zip(found.quantiles, truth, strict=True)]
        )
    assert np.mean(errors) < 0.6 * np.mean(plain)
    assert np.mean(errors) < 0.025
    assert 0.8 <= np.mean(held) <= 1.0


def test_with_every_cell_measured_it_is_the_table():
    values, features = whole(np.random.default_rng(4), rows=8, columns=30)
    found = estimate(values, features)
    np.testing.assert_allclose([item.value for item in found.instructions], values.mean(axis=1), atol=1e-9)
    assert found.widest == pytest.approx(0)
    assert (found.measured, found.cells) == (240, 240)


def test_features_tell_alike_texts_from_others():
    texts = ["Is it good?", "Is it bad?", "Give the label.", "Give the label now."]
    found = text_features(texts)
    assert found.shape[0] == 4
    assert found[2] @ found[3] > found[1] @ found[2]
    assert text_features(["same", "same"]).shape == (2, 0)
