"""The studentised permutation test: against the plain way, and its level where the two kinds are spread unequally."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from isophrase.statistics.contrast import contrast, studentised
from tests.statistics.worlds import World, table

SEEN = np.arange(24) < 6


def test_for_one_task_the_statistic_is_welchs():
    values = np.random.default_rng(0).random((24, 1))
    found = contrast([table(values, SEEN)], permutations=99)
    reference = stats.ttest_ind(values[SEEN, 0], values[~SEEN, 0], equal_var=False)
    assert found.statistic == pytest.approx(reference.statistic)
    assert found.gap == pytest.approx(values[SEEN].mean() - values[~SEEN].mean())


def test_the_p_value_is_that_of_scipys_permutation_test_with_welchs_statistic():
    generator = np.random.default_rng(1)
    values = generator.random((9, 1)) + 0.4 * (np.arange(9) < 4)[:, None]
    seen = np.arange(9) < 4

    def welch(first, second, axis):
        return stats.ttest_ind(first, second, equal_var=False, axis=axis).statistic

    exact = stats.permutation_test((values[seen, 0], values[~seen, 0]), welch, n_resamples=np.inf, vectorized=True)
    found = contrast([table(values, seen)], permutations=20_000)
    assert found.p_value == pytest.approx(exact.pvalue, abs=0.015)


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
    """How often tests at 5 % reject, over tables with the given true gap: studentised, and without dividing."""
    world = World("null", level=0.8, wording=wording, shift=shift, unequal=unequal)
    # With unequal spread equal logits are no equal accuracies: the shift that makes the gap 0.
    low, high = -2.0, 2.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if replace(world, shift=middle).gap < 0 else (low, middle)
    world = replace(world, shift=high)
    generator = np.random.default_rng(seed)
    observed, unobserved = sizes
    rejected = {"studentised": 0, "plain": 0}
    seen = np.arange(observed + unobserved) < observed
    for _ in range(repetitions):
        drawn = world.draw_for_gap(generator, observed, unobserved, columns)
        means = drawn.values.mean(axis=1)[None]
        order = generator.random((permutations, len(seen))).argsort(axis=1)
        gaps, statistics = studentised(means, np.concatenate([seen[None], seen[order]]))
        for name, values in (("studentised", statistics), ("plain", gaps)):
            extreme = int((np.abs(values[1:]) >= abs(values[0]) - 1e-12).sum())
            rejected[name] += (extreme + 1) / (permutations + 1) <= 0.05
    return {name: count / repetitions for name, count in rejected.items()}


def test_it_holds_its_level_at_unequal_spread_where_a_plain_permutation_does_not():
    found = rejections(600, wording=0.3, unequal=3.0, sizes=(18, 6), columns=80, seed=4, permutations=199)
    assert 0.02 <= found["studentised"] <= 0.09
    assert found["plain"] > 0.1


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
    print(f"\n| {name} | {100 * found['studentised']:.1f} | {100 * found['plain']:.1f} |")
    assert 0.035 <= found["studentised"] <= 0.075
