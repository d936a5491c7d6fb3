"""The parts of a variance: textbook mean squares on complete tables, unbiased with cells missing."""

import math

import numpy as np
import pytest

from isophrase.statistics.metrics import instruction_means
from isophrase.statistics.variance import covariance, crossed, df_of_variance, excess_over_columns, kurtosis, of_average


def additive(generator, rows, columns, *, row=0.3, column=0.5, cell=0.4, unscored=0.0):
    values = row * generator.normal(size=rows)[:, None] + column * generator.normal(size=columns)
    values = values + cell * generator.normal(size=(rows, columns))
    values[generator.random(values.shape) < unscored] = np.nan
    return values


def test_a_complete_table_gives_the_mean_squares_of_two_way_anova():
    values = additive(np.random.default_rng(0), 7, 11)
    rows, columns, middle = values.mean(axis=1), values.mean(axis=0), values.mean()
    squares = {
        "rows": 11 * ((rows - middle) ** 2).sum() / 6,
        "columns": 7 * ((columns - middle) ** 2).sum() / 10,
        "cells": ((values - rows[:, None] - columns + middle) ** 2).sum() / 60,
    }
    parts = crossed(values)
    assert parts.average == pytest.approx(middle)
    assert parts.between_rows == pytest.approx(squares["rows"] / 77)
    assert parts.between_columns == pytest.approx(squares["columns"] / 77)
    assert parts.within == pytest.approx(squares["cells"] / 77)
    assert parts.within_df == 60
    assert parts.noise == pytest.approx(squares["cells"] / 11)


@pytest.mark.parametrize("unscored", [0.0, 0.2])
def test_the_variance_of_an_average_is_unbiased(unscored):
    generator = np.random.default_rng(1)
    found = [crossed(additive(generator, 8, 20, unscored=unscored)) for _ in range(1500)]
    truth = np.var([parts.average for parts in found])
    assert np.mean([of_average(parts).value for parts in found]) == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize("unscored", [0.0, 0.2])
def test_row_variance_without_noise_is_unbiased(unscored):
    generator = np.random.default_rng(2)
    left = []
    for _ in range(1500):
        values = additive(generator, 8, 20, unscored=unscored)
        left.append(instruction_means(values).var(ddof=1) - crossed(values).noise)
    assert np.mean(left) == pytest.approx(0.3**2, rel=0.06)


def test_covariance_of_two_averages_over_the_same_columns():
    generator = np.random.default_rng(3)
    pairs = []
    for _ in range(1500):
        values = additive(generator, 9, 20)
        first, second = crossed(values[:3]), crossed(values[3:])
        pairs.append((first.average, second.average, covariance(first, second)))
    first, second, found = np.array(pairs).T
    assert found.mean() == pytest.approx(np.cov(first, second)[0, 1], rel=0.12)


def test_a_single_row_is_taken_as_given():
    values = np.array([[0.0, 1.0, 1.0, 0.0, 1.0]])
    parts = crossed(values)
    assert math.isnan(parts.between_rows)
    assert of_average(parts).value == pytest.approx(values.var(ddof=1) / 5)
    assert of_average(parts).df == 4


def test_a_single_column_has_no_variance_to_speak_of():
    assert math.isnan(of_average(crossed(np.array([[0.0], [1.0]]))).value)


def test_nothing_scored_has_no_average():
    parts = crossed(np.full((3, 4), np.nan))
    assert math.isnan(parts.average)
    assert (parts.rows, parts.columns, parts.within_df) == (0, 0, 0)


def test_degrees_of_freedom_are_n_minus_one_for_normal_values_and_fewer_for_heavy_tails():
    generator = np.random.default_rng(4)
    assert df_of_variance(generator.normal(size=20_000)) == pytest.approx(19_999, rel=0.05)
    heavy = generator.laplace(size=20_000)
    assert kurtosis(heavy) == pytest.approx(6, rel=0.1)
    assert df_of_variance(heavy) == pytest.approx(2 * 20_000 / 5, rel=0.15)
    light = generator.uniform(size=20_000)
    assert kurtosis(light) == pytest.approx(1.8, rel=0.02)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7])
def test_few_values_never_show_light_tails(count):
    values = np.linspace(0, 1, count)
    assert 1.0 <= df_of_variance(values) <= 3 * (count - 1)
    if count < 4:
        assert kurtosis(values) == 3.0


def test_columns_that_stretch_all_differences_are_noticed():
    generator = np.random.default_rng(5)
    rows = generator.normal(size=12)[:, None]
    stretched = rows * generator.choice([0.0, 2.0], size=30) + 0.1 * generator.normal(size=(12, 30))
    even = rows + 0.1 * generator.normal(size=(12, 30))
    assert excess_over_columns(crossed(stretched), stretched.mean(axis=1)) > 0.01
    assert excess_over_columns(crossed(even), even.mean(axis=1)) < 0.001
