"""Differences on the same cells: values, intervals that use the pairing, and tests that hold their level."""

import numpy as np
import pytest
from scipy import stats

from isophrase.statistics import intervals, metrics
from isophrase.statistics.paired import STATISTICS, Settings, compare
from isophrase.statistics.summary import summarise
from isophrase.statistics.swapping import Alternative, Unit, by_examples, by_wordings, swaps
from tests.statistics.pairs import draw_pair, of_tables

QUICK = Settings(resamples=200, swaps=199)


def changes(pairs, settings=QUICK):
    return {change.name: change for change in compare(pairs, settings).tasks[0].changes}


def test_a_difference_is_the_difference_of_the_two_summaries():
    item, _ = draw_pair(np.random.default_rng(0), 9, 40, level=(0.2, 1.0))
    before, after = summarise(item.before, resamples=100), summarise(item.after, resamples=100)
    for name, change in changes([item]).items():
        assert change.before == pytest.approx(getattr(before, name).value), name
        assert change.difference.value == pytest.approx(getattr(after, name).value - change.before), name
        assert change.difference.low <= change.difference.value <= change.difference.high


def test_pairing_makes_the_interval_of_the_mean_shorter():
    item, _ = draw_pair(np.random.default_rng(1), 12, 80, shared=(0.98, 0.98))
    before, after = summarise(item.before, resamples=100), summarise(item.after, resamples=100)
    apart = intervals.of_difference(after.mean, before.mean, 0.0)
    paired = changes([item])["mean"].difference
    assert paired.high - paired.low < 0.7 * (apart.high - apart.low)


def test_equal_tables_show_no_change():
    item, _ = draw_pair(np.random.default_rng(2), 8, 30)
    for change in changes([of_tables(item.before.values, item.before.values)]).values():
        assert change.difference.value == 0
        assert change.difference.low <= 0 <= change.difference.high
        assert all(test.p_value == 1 for test in change.tests)


def test_the_exact_test_of_the_mean_is_scipys_permutation_test():
    item, _ = draw_pair(np.random.default_rng(3), 8, 30, level=(0.8, 1.2))
    rows = metrics.instruction_means(item.after.values) - metrics.instruction_means(item.before.values)
    for alternative, theirs in ((Alternative.TWO_SIDED, "two-sided"), (Alternative.BETTER, "greater")):
        found = compare([item], Settings(resamples=100, swaps=99, alternative=alternative)).tasks[0].changes[0]
        reference = stats.permutation_test(
            (rows,), np.mean, permutation_type="samples", alternative=theirs, n_resamples=np.inf
        )
        test = next(test for test in found.tests if test.unit is Unit.WORDINGS)
        assert test.exact
        assert test.p_value == pytest.approx(reference.pvalue)


def test_swapping_computes_what_swapped_tables_give():
    """The fast way against the obvious one: swap the cells, then estimate anew."""
    generator = np.random.default_rng(4)
    item, _ = draw_pair(generator, 6, 25, level=(0.3, 1.1))
    ways, exact = swaps(generator, 6, 10)
    assert exact
    found = by_wordings(item, ways, exact)
    for way in (0, 5, 44, 63):
        before = np.where(ways[way][:, None], item.after.values, item.before.values)
        after = np.where(ways[way][:, None], item.before.values, item.after.values)
        expected = metrics.mean(metrics.instruction_means(after)) - metrics.mean(metrics.instruction_means(before))
        assert found["mean"].swapped[way] == pytest.approx(expected)
    columns, _ = swaps(generator, 25, 10)
    found = by_examples(item, columns, False)
    for way in range(10):
        before = of_tables(
            np.where(columns[way], item.after.values, item.before.values),
            np.where(columns[way], item.before.values, item.after.values),
        )
        sides = [metrics.instruction_means(side.values) for side in (before.before, before.after)]
        assert found["mean"].swapped[way] == pytest.approx(sides[1].mean() - sides[0].mean())
        flips = [metrics.flip_rate(side.choices) for side in (before.before, before.after)]
        assert found["flip_rate"].swapped[way] == pytest.approx(flips[1] - flips[0])


def test_p_values_are_adjusted_over_tasks_and_the_average_is_tested():
    generator = np.random.default_rng(5)
    pairs = [draw_pair(generator, 8, 40, level=(0.2, 0.2 + shift))[0] for shift in (0.0, 0.3, 1.5)]
    found = compare(pairs, QUICK)
    for place, unit in ((0, Unit.WORDINGS), (1, Unit.EXAMPLES)):
        tests = [task.changes[0].tests[place] for task in found.tasks]
        assert all(test.unit is unit for test in tests)
        assert all(test.p_value <= test.benjamini_hochberg <= test.holm <= 1 for test in tests)
    overall = found.overall[0]
    assert overall.difference.these.value == pytest.approx(
        np.mean([task.changes[0].difference.value for task in found.tasks])
    )
    assert min(test.p_value for test in overall.tests) < 0.05
    assert [change.name for change in found.overall] == list(STATISTICS)


def test_one_wording_has_a_mean_and_nothing_else():
    item, _ = draw_pair(np.random.default_rng(6), 1, 40)
    found = changes([item])
    assert np.isfinite(found["mean"].difference.low)
    for name in ("std", "minimum", "spread", "flip_rate"):
        assert np.isnan(found[name].difference.low), name
        assert found[name].tests == ()


TRUTHS = {
    "mean": lambda truths: truths.mean(axis=1),
    "std": None,
    "minimum": lambda truths: truths.min(axis=1),
    "spread": lambda truths: np.ptp(truths, axis=1),
}


def simulate(repetitions, rows, columns, seed, *, level, wording, shared=(0.7, 0.7), settings=QUICK):
    """How often intervals hold the truth, and how often tests at 5 % reject."""
    generator = np.random.default_rng(seed)
    populations = [draw_pair(generator, 4000, 1, level=level, wording=wording)[1] for _ in range(10)]
    population = np.concatenate(populations, axis=1)
    truth = {"mean": np.diff(population.mean(axis=1))[0], "std": np.diff(population.std(axis=1))[0]}
    held, rejected = dict.fromkeys(TRUTHS, 0), {}
    for _ in range(repetitions):
        item, truths = draw_pair(generator, rows, columns, level=level, wording=wording, shared=shared)
        for change in compare([item], settings).tasks[0].changes:
            if change.name in held:
                own = truth.get(change.name)
                wanted = own if own is not None else np.diff(TRUTHS[change.name](truths))[0]
                held[change.name] += change.difference.low <= wanted <= change.difference.high
            for test in change.tests:
                key = change.name, test.unit.value
                rejected[key] = rejected.get(key, 0) + (test.p_value <= 0.05)
    return (
        {name: count / repetitions for name, count in held.items()},
        {name: count / repetitions for name, count in rejected.items()},
    )


def test_paired_intervals_hold_the_truth():
    held, _ = simulate(200, 16, 80, 7, level=(0.5, 1.2), wording=(0.8, 0.4))
    for name, share in held.items():
        assert share >= 0.88, name


SIZES = ((12, 60), (16, 120), (40, 200))
CHANGED = [
    ("better", {"level": (0.3, 1.3), "wording": (0.4, 0.4)}),
    ("steadier", {"level": (0.8, 0.8), "wording": (0.8, 0.3)}),
    ("both", {"level": (0.5, 1.2), "wording": (0.8, 0.3)}),
]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("name", "world"), CHANGED, ids=[name for name, _ in CHANGED])
def test_coverage_of_paired_intervals(name, world, size):
    """`pytest -m slow -s tests/statistics/test_paired.py` prints the tables in docs/statistics.md."""
    held, _ = simulate(1000, *size, 8, settings=Settings(resamples=300, swaps=19), **world)
    print(f"\n| {name} | {size[0]} × {size[1]} | {' | '.join(f'{100 * held[item]:.1f}' for item in TRUTHS)} |")
    assert 0.92 <= held["mean"] <= 0.985
    assert held["std"] >= 0.92
    assert min(held["minimum"], held["spread"]) >= 0.86


NULLS = [
    # Whatever is random on both sides apart is what labels are swapped within.
    ("wordings", (0.5, 1.0)),
    ("examples", (1.0, 0.5)),
]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("unit", "shared"), NULLS, ids=[unit for unit, _ in NULLS])
def test_paired_tests_reject_a_true_null_as_often_as_they_say(unit, shared, size):
    settings = Settings(resamples=100, swaps=199)
    _, rejected = simulate(2000, *size, 9, level=(0.8, 0.8), wording=(0.4, 0.4), shared=shared, settings=settings)
    shares = {name: share for (name, of), share in rejected.items() if of == unit}
    print(f"\n| {unit} | {size[0]} × {size[1]} | {' | '.join(f'{100 * share:.1f}' for share in shares.values())} |")
    assert list(shares) == [name for name in STATISTICS if name in shares]
    for name, share in shares.items():
        assert 0.035 <= share <= 0.065, name
