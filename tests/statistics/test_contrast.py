"""The studentised permutation test: against the plain way, and its level where the two kinds are spread unequally."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from isophrase.statistics.contrast import contrast, studentised, under_null
from tests.statistics.worlds import World, table

SEEN = np.arange(24) < 6


def test_for_one_task_the_statistic_is_welchs():
    values = np.random.default_rng(0).random((24, 1))
    found = contrast([table(values, SEEN)], permutations=99)
    reference = stats.ttest_ind(values[SEEN, 0], values[~SEEN, 0], equal_var=False)
    assert found.statistic == pytest.approx(reference.statistic)
    assert found.gap == pytest.approx(values[SEEN].mean() - values[~SEEN].mean())


def test_under_the_null_it_is_distributed_as_welchs_t():
    values = np.random.default_rng(1).normal(size=(1, 24)) * np.where(SEEN, 0.3, 0.9)
    found = under_null(values, SEEN, np.random.default_rng(0), 20_000)
    first, second = values[0, SEEN].var(ddof=1) / 6, values[0, ~SEEN].var(ddof=1) / 18
    df = (first + second) ** 2 / (first**2 / 5 + second**2 / 17)
    assert np.quantile(np.abs(found), 0.95) == pytest.approx(stats.t.ppf(0.975, df), rel=0.12)


def test_wordings_that_tasks_share_are_relabelled_together():
    """With every task a copy of the first, a second task adds nothing: the same statistic, the same p-value."""
    values = np.random.default_rng(2).random((24, 5))
    one = contrast([table(values, SEEN)])
    two = contrast([table(values, SEEN), replace(table(values, SEEN), task="copy")])
    assert two.statistic == pytest.approx(one.statistic)
    assert two.p_value == pytest.approx(one.p_value)
    other = replace(table(values, SEEN), task="other", instructions=tuple(f"o{row}" for row in range(24)))
    assert abs(contrast([table(values, SEEN), other]).statistic) == pytest.approx(np.sqrt(2) * abs(one.statistic))


def test_where_a_kind_has_no_two_wordings_there_is_no_test():
    values = np.random.default_rng(3).random((5, 10))
    assert contrast([table(values)]) is None
    assert contrast([table(values, np.arange(5) < 1)]) is None


def rejections(repetitions, *, wording, unequal, sizes, columns, seed, permutations=399, shift=0.0):
    """How often tests at 5 % reject, over tables with the given true gap: this one, and permuted means."""
    world = World("null", level=0.8, wording=wording, shift=shift, unequal=unequal)
    # With unequal spread equal logits are no equal accuracies: the shift that makes the gap 0.
    low, high = -2.0, 2.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if replace(world, shift=middle).gap < 0 else (low, middle)
    world = replace(world, shift=high)
    generator = np.random.default_rng(seed)
    observed, unobserved = sizes
    rejected = {"test": 0, "studentised means": 0, "plain means": 0}
    seen = np.arange(observed + unobserved) < observed
    for _ in range(repetitions):
        drawn = world.draw_for_gap(generator, observed, unobserved, columns)
        means = drawn.values.mean(axis=1)[None]
        order = generator.random((permutations, len(seen))).argsort(axis=1)
        gap, statistic = studentised(means[None], seen)
        gaps, statistics = studentised(means[:, order].transpose(1, 0, 2), seen)
        pairs = {
            "test": (statistic, under_null(means, seen, generator, permutations)),
            "studentised means": (statistic, statistics),
            "plain means": (gap, gaps),
        }
        for name, (value, others) in pairs.items():
            rejected[name] += (int((np.abs(others) >= abs(value[0]) - 1e-12).sum()) + 1) / (permutations + 1) <= 0.05
    return {name: count / repetitions for name, count in rejected.items()}


def test_it_holds_its_level_at_unequal_spread_where_a_plain_permutation_does_not():
    found = rejections(600, wording=0.3, unequal=3.0, sizes=(18, 6), columns=80, seed=4, permutations=199)
    assert 0.02 <= found["test"] <= 0.08
    assert found["plain means"] > 0.1


NULLS = [
    ("equal spread, balanced", {"wording": 0.4, "unequal": 1.0, "sizes": (12, 12)}),
    ("equal spread, 6:18", {"wording": 0.4, "unequal": 1.0, "sizes": (6, 18)}),
    ("spread 1:3, balanced", {"wording": 0.3, "unequal": 3.0, "sizes": (12, 12)}),
    ("spread 1:3, 6:18", {"wording": 0.3, "unequal": 3.0, "sizes": (6, 18)}),
    ("spread 1:3, 18:6", {"wording": 0.3, "unequal": 3.0, "sizes": (18, 6)}),
    ("spread 1:3, 20:40", {"wording": 0.3, "unequal": 3.0, "sizes": (20, 40)}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "null"), NULLS, ids=[name for name, _ in NULLS])
def test_rejections_of_a_true_null(name, null):
    """`pytest -m slow -s tests/statistics/test_contrast.py` prints the table in docs/statistics.md."""
    found = rejections(4000, columns=100, seed=5, **null)
    print(f"\n| {name} | {' | '.join(f'{100 * share:.1f}' for share in found.values())} |")
    assert 0.04 <= found["test"] <= 0.06
