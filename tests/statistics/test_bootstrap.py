"""The cluster bootstrap has the variance of the crossed model, where a plain one has too much."""

from dataclasses import replace

import numpy as np
import pytest

from isophrase.statistics.bootstrap import three_way, two_way, two_way_gap
from isophrase.statistics.intervals import normal_quantile
from isophrase.statistics.variance import crossed, of_average
from tests.statistics.worlds import TYPICAL, table


def width(estimate):
    return estimate.high - estimate.low


def test_two_way_has_the_variance_of_the_closed_form():
    generator = np.random.default_rng(0)
    drawn, _ = TYPICAL.draw(generator, 30, 120)
    found = two_way(drawn.values, level=0.95, resamples=8000, generator=generator)
    closed = 2 * normal_quantile(0.95) * np.sqrt(of_average(crossed(drawn.values)).value)
    assert width(found) == pytest.approx(closed, rel=0.05)
    assert found.value == pytest.approx(drawn.values.mean())


def test_the_gap_is_drawn_with_the_same_examples_on_both_sides():
    generator = np.random.default_rng(1)
    drawn = TYPICAL.draw_for_gap(generator, 20, 20, 100)
    gap = two_way_gap(drawn, level=0.95, resamples=4000, generator=generator)
    sides = [two_way(drawn.values[side], level=0.95, resamples=4000, generator=generator) for side in (
        drawn.observed, ~drawn.observed)]  # fmt: skip
    assert width(gap) < np.hypot(width(sides[0]), width(sides[1]))
    with pytest.raises(ValueError, match="observed"):
        two_way_gap(table(np.ones((2, 2))), level=0.95, resamples=10, generator=generator)


def test_three_way_is_wider_where_tasks_differ():
    generator = np.random.default_rng(2)
    alike = [TYPICAL.draw(generator, 20, 80)[0] for _ in range(10)]
    apart = [replace(TYPICAL, level=level).draw(generator, 20, 80)[0] for level in np.linspace(-1, 3, 10)]
    found = [three_way(tables, level=0.95, resamples=2000, generator=generator) for tables in (alike, apart)]
    assert width(found[1]) > 2 * width(found[0])
    between = np.std([item.values.mean() for item in apart], ddof=1)
    assert width(found[1]) == pytest.approx(2 * 1.96 * between / np.sqrt(10), rel=0.25)


def test_what_cannot_be_resampled_has_no_interval():
    generator = np.random.default_rng(3)
    assert np.isnan(two_way(np.ones((1, 5)), level=0.95, resamples=10, generator=generator).low)
    assert np.isnan(three_way([table(np.ones((3, 5)))], level=0.95, resamples=10, generator=generator).low)
