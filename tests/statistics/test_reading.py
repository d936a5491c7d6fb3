"""The negation drop before and after: plain formulas, and intervals that cover."""

from dataclasses import replace

import numpy as np
import pytest

from isophrase.statistics.pairing import pair
from isophrase.statistics.reading import ReadingPair, drop_changes
from tests.statistics.worlds import table


def reading(references, negated, name="task"):
    """A task from values before and after under references, and under negated wordings."""
    return ReadingPair(name, *(pair(*map(table, sides)) for sides in (references, negated)))


def drawn(generator, rates, examples=60):
    """Right or wrong under some wordings at these rates, one row each."""
    return (generator.random((len(rates), examples)) < np.array(rates)[:, None]).astype(float)


def test_the_drop_is_the_difference_of_the_row_means():
    generator = np.random.default_rng(0)
    references = [drawn(generator, [0.9, 0.8]), drawn(generator, [0.95, 0.9])]
    negated = [drawn(generator, [0.3, 0.2, 0.4]), drawn(generator, [0.5, 0.4, 0.6])]
    (found,) = drop_changes([reading(references, negated)], resamples=500)
    before, after = (one.mean() - other.mean() for one, other in zip(references, negated, strict=True))
    assert (found.references, found.negated) == (2, 3)
    assert found.before.value == pytest.approx(before)
    assert found.after.value == pytest.approx(after)
    assert found.change.value == pytest.approx(after - before)
    assert found.kept.value == pytest.approx(after / before)
    for estimate in (found.before, found.after, found.change, found.kept):
        assert estimate.low < estimate.value < estimate.high


def test_unscored_cells_are_left_out_on_both_sides():
    right = np.ones((1, 4))
    torn = np.array([[0.0, 0.0, np.nan, 1.0]])
    (found,) = drop_changes([reading([right, right], [torn, np.zeros((1, 4))])], resamples=200)
    assert found.before.value == pytest.approx(1 - 1 / 3)
    assert found.after.value == pytest.approx(1.0)


def test_only_examples_that_both_kinds_of_wording_have_count():
    references, negated = np.array([[1.0, 0.0, 1.0]]), np.array([[0.0, 1.0]])
    item = reading([references, references], [negated, negated])
    item = replace(item, negated=pair(*[replace(table(negated), examples=("e2", "e0"))] * 2))
    (found,) = drop_changes([item], resamples=200)
    assert found.before.value == pytest.approx(1.0 - 0.5)


def test_no_share_is_kept_of_a_drop_that_may_be_none():
    generator = np.random.default_rng(1)
    flat = [drawn(generator, [0.6]), drawn(generator, [0.6])]
    (found,) = drop_changes([reading(flat, [drawn(generator, [0.6]), drawn(generator, [0.6])])], resamples=500)
    assert found.before.low <= 0
    assert np.isnan([found.kept.value, found.kept.low, found.kept.high]).all()


def test_no_share_is_kept_where_some_draws_have_no_drop():
    references, negated = np.ones((1, 40)), np.ones((1, 40))
    negated[0, :4] = 0.0
    (found,) = drop_changes([reading([references, references], [negated, negated])], resamples=2000)
    assert found.before.low > 0
    assert np.isnan(found.kept.value)


def test_several_tasks_have_an_average_in_which_each_counts_alike():
    generator = np.random.default_rng(2)
    tasks = [
        reading(
            [drawn(generator, [0.9], size), drawn(generator, [0.9], size)],
            [drawn(generator, [low], size), drawn(generator, [low], size)],
            name,
        )
        for name, low, size in (("a", 0.1, 40), ("b", 0.6, 90))
    ]
    first, second, average = drop_changes(tasks, resamples=500)
    assert average.task == ""
    assert average.change.value == pytest.approx((first.change.value + second.change.value) / 2)
    width = average.change.high - average.change.low
    assert width < min(one.change.high - one.change.low for one in (first, second))


def test_intervals_of_the_change_cover_its_truth_over_examples_like_these():
    generator = np.random.default_rng(3)
    covered = []
    for _ in range(300):
        # Examples differ in difficulty, alike on both sides, so the rows of one example hang together.
        ease = generator.normal(size=50)

        def rows(levels, ease=ease):
            chances = 1 / (1 + np.exp(-(np.array(levels)[:, None] + ease)))
            return (generator.random(chances.shape) < chances).astype(float)

        item = reading([rows([2.0, 1.5]), rows([2.0, 1.5])], [rows([-1.0, -0.5]), rows([0.0, 0.5])])
        (found,) = drop_changes([item], resamples=300, seed=1)
        covered.append(found.change.low <= TRUTH <= found.change.high)
    assert np.mean(covered) > 0.9


def average_chance(levels):
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    return float(np.mean([weights @ (1 / (1 + np.exp(-(level + points)))) for level in levels]))


TRUTH = average_chance([-1.0, -0.5]) - average_chance([0.0, 0.5])
"""The drop after less the drop before: references stay as they are."""
