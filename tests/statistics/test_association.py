"""Association of distance and loss: closed forms, and simulations with known truth."""

import numpy as np
import pytest
from scipy import stats

from isophrase.statistics.association import discrimination, over_tasks, rank_correlation


def pairs(rng, tasks, count, slope, between=0.0):
    """Tasks of `count` pairs whose true Pearson correlations scatter around `slope`."""
    found = []
    for _ in range(tasks):
        r = np.clip(slope + rng.normal(0, between), -0.95, 0.95) if between else slope
        x = rng.normal(size=count)
        found.append((x, r * x + np.sqrt(1 - r**2) * rng.normal(size=count)))
    return found


def test_one_task_is_scipys_spearman():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=25), rng.integers(0, 6, 25).astype(float)
    found = rank_correlation([(x, y)])
    expected = stats.spearmanr(x, y)
    assert found.value.value == pytest.approx(expected.statistic)
    assert found.tasks[0].value == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=0.02)
    half = 1.959964 * np.sqrt((1 + expected.statistic**2 / 2) / 22)
    assert found.value.low == pytest.approx(np.tanh(np.arctanh(expected.statistic) - half))


def test_what_is_undefined_is_left_out():
    x = np.array([1.0, 2, 3, 4, 5, np.nan, 7])
    found = rank_correlation([(x, x * 2), (np.ones(7), x), (x[:3], x[:3])], permutations=99)
    assert found.tasks[0].value == pytest.approx(1)
    assert np.isnan(found.tasks[1].value)
    assert np.isnan(found.tasks[2].value)
    nothing = rank_correlation([(np.ones(7), x)])
    assert np.isnan(nothing.value.value)
    assert np.isnan(nothing.p)


def test_the_p_value_is_uniform_where_there_is_no_relation():
    rng = np.random.default_rng(1)
    found = [rank_correlation(pairs(rng, 4, 12, 0.0), permutations=199, seed=k).p for k in range(400)]
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.025)


@pytest.mark.parametrize(("truth", "between"), [(0.0, 0.0), (0.0, 0.3), (0.4, 0.2)])
def test_the_interval_covers_the_truth_over_tasks(truth, between):
    rng = np.random.default_rng(2)
    target = 6 / np.pi * np.arcsin(truth / 2)
    hits = []
    for _ in range(500):
        found = rank_correlation(pairs(rng, 6, 22, truth, between), permutations=1).value
        hits.append(found.low <= target <= found.high)
    assert np.mean(hits) > 0.93


def test_equal_tasks_are_averaged_by_their_precision():
    found = over_tasks(np.array([0.2, 0.2, 0.2]), np.array([0.1, 0.1, 0.1]), 0.95)
    assert found.value == pytest.approx(0.2)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 2) * np.sqrt(0.1 / 3))


def obvious(distances, bad, good):
    won = total = 0.0
    for column in range(distances.shape[1]):
        for i in np.flatnonzero(bad[:, column]):
            for j in np.flatnonzero(good[:, column]):
                one, other = distances[i, column], distances[j, column]
                if not np.isnan(one + other):
                    total += 1
                    won += float(one > other) + 0.5 * float(one == other)
    return won / total


def world(rng, effect, rows=16, columns=30):
    """Cells whose errors cluster by instruction, and depend on the distance by `effect`."""
    distance = np.abs(rng.normal(1, 0.3, (rows, 1)) + rng.normal(0, 0.2, (rows, columns)))
    logit = rng.normal(0, 1, (rows, 1)) + rng.normal(0, 1, (1, columns)) + effect * (distance - 1)
    bad = rng.random((rows, columns)) < 1 / (1 + np.exp(-logit))
    return distance, bad, ~bad


def test_discrimination_is_the_obvious_count_within_examples():
    rng = np.random.default_rng(3)
    distance, bad, good = world(rng, 1.0)
    distance[2, 5] = np.nan
    distance = distance.round(1)
    bad[3, 4] = good[3, 4] = False
    assert discrimination([(distance, bad, good)]).value.value == pytest.approx(obvious(distance, bad, good))


def test_errors_that_cluster_by_instruction_do_not_fake_a_relation():
    rng = np.random.default_rng(4)
    found = [discrimination([world(rng, 0.0, columns=15) for _ in range(5)]) for _ in range(300)]
    assert np.mean([item.value.low <= 0.5 <= item.value.high for item in found]) > 0.93
    assert np.mean([item.p < 0.05 for item in found]) < 0.07


def test_a_relation_is_found():
    rng = np.random.default_rng(5)
    found = discrimination([world(rng, 3.0) for _ in range(5)])
    assert found.value.low > 0.5
    assert found.p < 0.05


def test_tables_without_errors_say_nothing():
    rng = np.random.default_rng(6)
    distance, bad, good = world(rng, 0.0)
    found = discrimination([(distance, np.zeros_like(bad), good)])
    assert np.isnan(found.value.value)
    assert np.isnan(found.p)
