"""Other papers' metrics against statsmodels, scikit-learn and the plain definition, pair by pair."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as reference_kappa

from isophrase.statistics import robustness
from isophrase.statistics.tables import OptionTable


@pytest.fixture
def answers():
    """Seven wordings, thirty examples, four options; a tenth unscored."""
    generator = np.random.default_rng(0)
    logprobs = np.log(generator.dirichlet(np.ones(4), size=(7, 30)))
    logprobs[generator.random((7, 30)) < 0.1] = np.nan
    gold = np.eye(4, dtype=bool)[generator.permutation(np.arange(30) % 4)]
    return OptionTable(logprobs, generator.integers(1, 4, size=(7, 30, 4)), gold, True)


def kappa(choices):
    return robustness.fleiss_kappa(robustness.answer_counts(choices))


def test_kappa_is_that_of_statsmodels():
    choices = np.random.default_rng(1).integers(3, size=(6, 40))
    assert kappa(choices) == pytest.approx(reference_kappa(aggregate_raters(choices.T)[0]))


def test_kappa_of_two_wordings_that_answer_at_equal_rates_is_cohens():
    first = np.array([0, 0, 1, 1, 2, 2, 0, 1])
    second = np.array([0, 1, 0, 1, 2, 2, 1, 0])
    found = kappa(np.stack([first, second]))
    assert found == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_is_one_for_full_agreement_and_undefined_for_a_single_answer():
    assert kappa(np.tile([0, 1, 2], (4, 1))) == pytest.approx(1)
    assert np.isnan(kappa(np.zeros((4, 3), dtype=int)))
    assert np.isnan(kappa(np.full((4, 3), -1)))


def test_pss_is_the_mean_distance_between_pairs():
    generator = np.random.default_rng(2)
    values = generator.random((6, 20))
    values[generator.random((6, 20)) < 0.2] = np.nan
    expected = []
    for column in values.T:
        known = column[~np.isnan(column)]
        if len(known) > 1:
            expected.append(np.mean([abs(a - b) for a, b in itertools.combinations(known, 2)]))
    assert np.nanmean(robustness.pss(values)) == pytest.approx(np.mean(expected))


def test_posix_is_the_mean_over_ordered_pairs(answers):
    logprobs, tokens, choices = answers.logprobs, answers.tokens, answers.chosen
    expected = []
    for column in range(30):
        rows = np.flatnonzero(choices[:, column] >= 0)
        total = 0.0
        for i, j in itertools.permutations(rows, 2):
            option = choices[j, column]
            change = abs(logprobs[i, column, option] - logprobs[j, column, option])
            total += change / tokens[j, column, option]
        expected.append(total / (len(rows) * (len(rows) - 1)))
    assert robustness.posix(logprobs, tokens, choices).mean() == pytest.approx(np.mean(expected))


def test_saturation_and_combined_performance():
    accuracies = np.array([0.5, 0.7, 0.9])
    assert robustness.saturation(accuracies) == pytest.approx(0.8)
    assert robustness.combined_performance(accuracies) == pytest.approx(0.72)


def test_sensitivity_is_the_mean_normalised_entropy(answers):
    choices = answers.chosen
    expected = []
    for column in choices.T:
        shares = np.unique(column[column >= 0], return_counts=True)[1] / (column >= 0).sum()
        expected.append(-(shares * np.log(shares)).sum() / np.log(4))
    assert robustness.sensitivity(choices, 4).mean() == pytest.approx(np.mean(expected))
    assert robustness.sensitivity(np.tile([0, 1], (5, 1)), 2).tolist() == [0, 0]
    assert robustness.sensitivity(np.array([[0, 0], [1, 1]]), 2) == pytest.approx(1)


def test_consistency_is_one_minus_the_mean_distance_within_classes(answers):
    choices, gold = answers.chosen, answers.gold
    shares = np.array([[np.mean(column[column >= 0] == option) for option in range(4)] for column in choices.T])
    classes = []
    for label in range(4):
        members = shares[gold[:, label]]
        pairs = [0.5 * np.abs(a - b).sum() for a, b in itertools.combinations(members, 2)]
        classes.append(1 - np.mean(pairs))
    assert robustness.consistency(robustness.answer_counts(choices), gold) == pytest.approx(np.mean(classes))
