"""Calibration takes a wording's leaning out; ensembles average it out; imbalance is warned of."""

import numpy as np
import pytest

from isophrase.statistics.calibration import (
    batch_calibrated,
    contextually_calibrated,
    ensemble,
    imbalance,
    normalised,
    outcomes,
)
from isophrase.statistics.tables import OptionTable
from tests.statistics.worlds import table


def leaning(generator, rows=10, columns=200, lean=3.0):
    """Wordings that know the answer, but lean towards one of two options; and their answers to nothing."""
    gold = np.eye(2, dtype=bool)[generator.permutation(np.arange(columns) % 2)]
    lean = lean * generator.normal(size=(rows, 1, 1)) * np.array([1.0, -1.0]) / 2
    scores = 2.0 * gold + lean + generator.normal(size=(rows, columns, 2))
    logprobs = normalised(scores) - 1.0
    options = OptionTable(logprobs, np.ones(logprobs.shape, dtype=int), gold, True)
    content_free = normalised(lean + 0.1 * generator.normal(size=(rows, 3, 2)))
    blank = table(np.zeros((rows, columns)))
    return options, content_free, outcomes(blank, options)


def test_normalised_probabilities_sum_to_one_over_the_options_there_are():
    found = normalised(np.array([[-3.0, -4.0, np.nan], [np.nan] * 3]))
    assert np.nansum(np.exp(found), axis=1) == pytest.approx([1, 0])
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("repair", ["batch", "contextual"])
def test_calibration_makes_wordings_better_and_more_alike(repair):
    options, content_free, before = leaning(np.random.default_rng(0))
    calibrated = batch_calibrated(options) if repair == "batch" else contextually_calibrated(options, content_free)
    after = outcomes(before, calibrated)
    assert after.values.mean() > before.values.mean() + 0.1
    assert after.values.mean(axis=1).std() < 0.4 * before.values.mean(axis=1).std()


def test_contextual_calibration_divides_by_the_probabilities_for_nothing():
    options = OptionTable(np.log([[[0.6, 0.2]]]), np.ones((1, 1, 2), dtype=int), np.array([[False, True]]), True)
    found = contextually_calibrated(options, np.log([[[0.9, 0.1], [0.7, 0.3]]]))
    np.testing.assert_allclose(np.exp(found.logprobs[0, 0]), [0.75 / 0.8, 0.25 / 0.2])


def test_a_wording_without_content_free_scores_stays_as_it_is():
    options, content_free, before = leaning(np.random.default_rng(1))
    content_free[3] = np.nan
    after = outcomes(before, contextually_calibrated(options, content_free))
    np.testing.assert_array_equal(after.choices[3], before.choices[3])


def test_an_ensemble_of_one_is_the_wording_and_of_all_is_the_same_for_all():
    options, _, before = leaning(np.random.default_rng(2))
    generator = np.random.default_rng(0)
    np.testing.assert_array_equal(outcomes(before, ensemble(options, 1, generator)).choices, before.choices)
    whole = outcomes(before, ensemble(options, 10, generator))
    assert (whole.choices == whole.choices[0]).all()
    assert whole.values.mean() > before.values.mean()
    with pytest.raises(ValueError, match="1 to 10"):
        ensemble(options, 11, generator)


def test_unscored_cells_stay_unscored():
    options, content_free, before = leaning(np.random.default_rng(3))
    before.values[2, 5] = np.nan
    for repaired in (batch_calibrated(options), contextually_calibrated(options, content_free)):
        after = outcomes(before, repaired)
        assert np.isnan(after.values[2, 5])
        assert after.choices[2, 5] == -1


def test_unequal_classes_make_batch_calibration_unsafe():
    assert not imbalance(np.eye(2, dtype=bool)[np.arange(100) % 2]).unsafe
    rare = imbalance(np.eye(2, dtype=bool)[(np.arange(100) < 10).astype(int)])
    assert rare.unsafe
    assert (rare.smallest, rare.largest) == (0.1, 0.9)
    assert imbalance(np.eye(2, dtype=bool)[[0, 1, 0, 1]]).unsafe, "too few examples to tell"


def test_options_that_differ_between_examples_cannot_be_calibrated():
    options, content_free, _ = leaning(np.random.default_rng(4))
    other = OptionTable(options.logprobs, options.tokens, options.gold, False)
    for repair in (batch_calibrated, lambda item: contextually_calibrated(item, content_free)):
        with pytest.raises(ValueError, match="same options"):
            repair(other)
