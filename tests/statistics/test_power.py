"""Planned power is the power that simulated measurements have."""

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from isophrase.statistics.components import Components, components
from isophrase.statistics.power import Design, cheapest, gap_error, needed_instructions, power, smallest_gap


def parts(instruction, interaction):
    return Components(instruction, 0.02, 0.0, interaction, 0.0, 0.0, 0.0, 20, 100, 1, 0)


def test_it_is_the_power_of_the_t_test():
    pilot = parts(0.01, 0.15)
    deviation = np.sqrt(0.01 + 0.15 / 100)
    for count in (4, 10, 40):
        reference = TTestIndPower().power(0.1 / deviation, count, 0.05)
        assert power(pilot, 0.1, Design(count, count, 100)) == pytest.approx(reference, abs=1e-6)


def test_simulated_gaps_are_seen_as_often_as_planned():
    generator = np.random.default_rng(0)
    rows, columns, gap = 10, 60, 0.12
    truth = parts(0.1**2, 0.4**2)
    expected = power(truth, gap, Design(rows, rows, columns))
    seen = 0
    for _ in range(800):
        wording = 0.1 * generator.normal(size=2 * rows) + gap * (np.arange(2 * rows) < rows)
        cells = (
            wording[:, None] + 0.3 * generator.normal(size=columns) + 0.4 * generator.normal(size=(2 * rows, columns))
        )
        means = cells.mean(axis=1)
        error = np.sqrt(means[:rows].var(ddof=1) / rows + means[rows:].var(ddof=1) / rows)
        seen += abs(means[:rows].mean() - means[rows:].mean()) / error > 2.101
    assert seen / 800 == pytest.approx(expected, abs=0.045)


def test_the_number_needed_is_the_smallest_that_does():
    pilot = parts(0.01, 0.2)
    number = needed_instructions(pilot, 0.1, 100)
    assert power(pilot, 0.1, Design(number, number, 100)) >= 0.8
    assert power(pilot, 0.1, Design(number - 1, number - 1, 100)) < 0.8
    assert needed_instructions(pilot, 0.0001, 100) is None
    found = cheapest(pilot, 0.1, [20, 50, 100, 400])
    assert found.cells == min(2 * needed_instructions(pilot, 0.1, count) * count for count in (20, 50, 100, 400))


def test_the_smallest_gap_is_seen_with_the_wanted_probability():
    pilot, design = parts(0.01, 0.2), Design(12, 12, 80, tasks=3)
    assert power(pilot, smallest_gap(pilot, design), design) == pytest.approx(0.8, abs=1e-4)


def test_the_error_of_a_gap_is_what_simulation_shows():
    generator = np.random.default_rng(1)
    pilot = components(0.2 * generator.normal(size=(30, 1)) + generator.normal(size=(30, 200)))
    assert gap_error(pilot, Design(15, 15, 200)) == pytest.approx(np.sqrt((0.2**2 + 1 / 200) * 2 / 15), rel=0.25)
    assert np.isnan(power(pilot, 0.1, Design(1, 5, 10)))
