"""What a wording loses, and which cells are new errors."""

import numpy as np
import pytest

from isophrase.statistics.distance import DistanceTable, findings
from isophrase.statistics.tables import OutcomeTable


def table(observed=None):
    rng = np.random.default_rng(0)
    values = (rng.random((12, 20)) < 0.6).astype(float)
    values[3, 4] = np.nan
    names = tuple(f"i{row}" for row in range(12))
    return OutcomeTable(
        "m", "t", 0, "plain", names, tuple(f"e{column}" for column in range(20)), values,
        np.zeros((12, 20), np.int64), observed, 0.5,
    )  # fmt: skip


def distance_table(observed=None):
    rng = np.random.default_rng(1)
    far = rng.random((12, 10))
    return DistanceTable(table(observed), tuple(range(0, 20, 2)), far, far**2, (-1, -1, *[0] * 5, *[1] * 5))


def test_a_loss_is_against_the_own_reference():
    given = distance_table()
    means = np.nanmean(given.table.values, axis=1)
    np.testing.assert_allclose(given.losses[2:7], means[0] - means[2:7])
    np.testing.assert_allclose(given.losses[7:], means[1] - means[7:])
    assert np.isnan(given.losses[:2]).all()


def test_a_loss_is_against_the_observed_where_they_are_known():
    observed = np.arange(12) < 4
    given = distance_table(observed)
    means = np.nanmean(given.table.values, axis=1)
    np.testing.assert_allclose(given.losses[4:], means[:4].mean() - means[4:])
    assert np.isnan(given.losses[:4]).all()


def test_new_errors_count_only_where_the_reference_is_right():
    given = distance_table()
    found = findings([given, given])
    values = given.table.values[:, ::2]
    won = total = 0.0
    for column in range(10):
        for i in range(2, 12):
            for j in range(2, 12):
                right = [values[0 if row < 7 else 1, column] == 1 for row in (i, j)]
                if all(right) and values[i, column] == 0 and values[j, column] == 1:
                    total += 1
                    won += given.l2[i, column] > given.l2[j, column]
    assert found.across_wordings.value.value == pytest.approx(won / total)
    assert len(found.l2.tasks) == 2
    assert found.l2.tasks[0].value == pytest.approx(found.cosine.tasks[0].value, abs=0.3)
