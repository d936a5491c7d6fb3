"""Gap closed: the pooled ratio against the original observed level, and when it is withheld."""

import numpy as np
import pytest

from isophrase.statistics.closing import gap_closed
from tests.statistics.pairs import of_tables
from tests.statistics.worlds import averaged, sigmoid

SEEN = np.arange(12) < 6


def draw(generator, *, observed, unobserved, repaired, observed_after=None, columns=80, wording=0.2):
    effects = wording * generator.normal(size=12)
    ease = 1.2 * generator.normal(size=columns)

    def side(first, second):
        level = np.where(SEEN, first, second) + effects
        return (generator.random((12, columns)) < sigmoid(level[:, None] + ease)).astype(float)

    after = observed if observed_after is None else observed_after
    return of_tables(side(observed, unobserved), side(after, repaired), SEEN)


def test_it_is_the_gain_over_the_original_gap():
    item = draw(np.random.default_rng(0), observed=2.0, unobserved=-0.5, repaired=1.0, observed_after=0.8)
    found = gap_closed([item], 0.95)
    before, after = item.before.values, item.after.values
    gap, gain = before[SEEN].mean() - before[~SEEN].mean(), after[~SEEN].mean() - before[~SEEN].mean()
    assert found.gap.value == pytest.approx(gap)
    assert found.closed.value == pytest.approx(gain / gap)
    assert found.closed_of_after == pytest.approx(gain / (after[SEEN].mean() - before[~SEEN].mean()))
    assert found.closed.low < found.closed.value < found.closed.high


def test_lowering_the_observed_level_cannot_pass_for_success():
    item = draw(np.random.default_rng(1), observed=2.0, unobserved=-0.5, repaired=-0.5, observed_after=-0.5)
    found = gap_closed([item], 0.95)
    assert abs(found.closed.value) < 0.25
    assert found.closed.low < 0 < found.closed.high


def test_over_tasks_it_is_pooled_rather_than_averaged():
    generator = np.random.default_rng(2)
    pairs = [
        draw(generator, observed=2.0, unobserved=-0.5, repaired=1.5),
        draw(generator, observed=1.0, unobserved=0.7, repaired=0.7),
    ]
    found = gap_closed(pairs, 0.95)
    parts = [gap_closed([item], 0.95) for item in pairs]
    assert found.closed.value == pytest.approx(
        sum(item.gain.value for item in parts) / sum(item.gap.value for item in parts)
    )
    assert found.tasks == ("task", "task")


def test_without_a_clear_gap_it_is_withheld():
    found = gap_closed([draw(np.random.default_rng(3), observed=0.5, unobserved=0.5, repaired=1.0)], 0.95)
    assert np.isnan(found.closed.value)
    assert "includes 0" in found.withheld
    assert found.gain.value > 0


def test_where_nothing_is_known_of_the_training_there_is_none():
    assert gap_closed([of_tables(np.ones((3, 4)), np.ones((3, 4)))], 0.95) is None


def test_its_interval_holds_the_truth():
    generator, held, given = np.random.default_rng(4), 0, 0
    levels = [float(averaged(level, np.hypot(1.2, 0.2))) for level in (1.6, -0.4, 0.8)]
    truth = (levels[2] - levels[1]) / (levels[0] - levels[1])
    for _ in range(400):
        found = gap_closed([draw(generator, observed=1.6, unobserved=-0.4, repaired=0.8)], 0.95)
        if not found.withheld:
            given += 1
            held += found.closed.low <= truth <= found.closed.high
    assert given > 390
    assert 0.91 <= held / given <= 0.985
