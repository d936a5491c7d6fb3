"""What `summarise` says of a table: the right numbers, honest intervals, and sense at every edge."""

import math
import time
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from isophrase.statistics import metrics
from isophrase.statistics.summary import TaskSummary, summarise
from isophrase.statistics.tables import Estimate
from tests.statistics.worlds import TYPICAL, WORLDS, table

ESTIMATES = tuple(item.name for item in fields(TaskSummary) if item.type in ("Estimate", "Estimate | None"))
VALUES = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
    elements=st.sampled_from([0.0, 1.0, 1.0, 0.3, math.nan]),
)


def quick(given_table, **options):
    return summarise(given_table, **{"resamples": 100, **options})


def estimates(summary):
    return {name: found for name in ESTIMATES if (found := getattr(summary, name)) is not None}


def has_no_interval(estimate):
    return math.isnan(estimate.low) and math.isnan(estimate.high)


def drawn(rows=12, columns=60, seed=0):
    return TYPICAL.draw(np.random.default_rng(seed), rows, columns)[0]


def test_every_estimate_is_there():
    assert set(ESTIMATES) == {"mean", "std", "minimum", "maximum", "spread", "gap", "flip_rate", "unscored"}


@settings(deadline=None)
@given(VALUES, st.randoms(use_true_random=False))
def test_every_value_lies_in_its_interval_whatever_the_table(values, random):
    observed = [random.random() < 0.5 for _ in values]
    summary = quick(table(values, observed))
    for name, found in estimates(summary).items():
        assert math.isnan(found.low) == math.isnan(found.high), name
        if not math.isnan(found.low):
            assert found.low - 1e-12 <= found.value <= found.high + 1e-12, name
            assert found.low >= (-1.0 if name == "gap" else 0.0), name
            assert found.high <= 1.0, name
    if not math.isnan(summary.mean.value):
        assert summary.minimum.value <= summary.mean.value + 1e-12
        assert summary.mean.value <= summary.maximum.value + 1e-12


@settings(deadline=None)
@given(VALUES, st.randoms(use_true_random=False))
def test_values_agree_with_the_metrics(values, random):
    observed = np.array([random.random() < 0.5 for _ in values])
    given_table = table(values, observed)
    summary, means = quick(given_table), metrics.instruction_means(values)
    approx = {"abs": 1e-12, "nan_ok": True}
    assert summary.mean.value == pytest.approx(metrics.mean(means), **approx)
    assert summary.flip_rate.value == pytest.approx(metrics.flip_rate(given_table.choices), **approx)
    assert summary.unscored.value == pytest.approx(np.isnan(values).mean())
    assert summary.measured_std == pytest.approx(metrics.std(means), **approx)
    assert summary.measured_spread == pytest.approx(metrics.spread(means), **approx)
    gap = math.nan if summary.gap is None else summary.gap.value
    assert gap == pytest.approx(metrics.gap(means, observed), **approx)
    assert summary.performance_drop_rate == pytest.approx(metrics.performance_drop_rate(means, observed), **approx)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_noise_is_taken_out_of_what_tells_wordings_apart(world):
    summary = quick(world.draw(np.random.default_rng(1), 16, 60)[0])
    assert 0 <= summary.std.value < summary.measured_std
    assert summary.spread.value == pytest.approx(summary.maximum.value - summary.minimum.value)
    ratio = summary.std.value / summary.measured_std
    assert summary.spread.value == pytest.approx(ratio * summary.measured_spread)


def test_with_many_examples_there_is_hardly_any_noise_to_take_out():
    summary = quick(drawn(columns=20_000))
    assert summary.std.value == pytest.approx(summary.measured_std, rel=0.01)
    assert summary.maximum.value == pytest.approx(max(summary.measured_means), abs=0.001)


def test_equal_seeds_give_equal_intervals_and_other_seeds_others():
    given_table = drawn()
    assert quick(given_table, seed=3) == quick(given_table, seed=3)
    assert quick(given_table, seed=3).spread != quick(given_table, seed=4).spread
    assert quick(given_table, seed=3).mean == quick(given_table, seed=4).mean


def test_a_higher_level_gives_wider_intervals():
    narrow, wide = quick(drawn(), level=0.8), quick(drawn(), level=0.99)
    for name, found in estimates(wide).items():
        other = getattr(narrow, name)
        assert found.level == 0.99
        assert found.value == other.value
        assert found.high - found.low > other.high - other.low, name


def test_the_order_of_instructions_does_not_matter():
    given_table = drawn()
    order = np.random.default_rng(0).permutation(12)
    turned = replace(
        given_table,
        instructions=tuple(given_table.instructions[row] for row in order),
        values=given_table.values[order],
        choices=given_table.choices[order],
    )
    first, second = quick(given_table), quick(turned)
    for name, found in estimates(first).items():
        assert [found.value, found.low, found.high] == pytest.approx(
            [getattr(second, name).value, getattr(second, name).low, getattr(second, name).high]
        ), name
    assert [item.instruction for item in second.instructions] == list(turned.instructions)


def test_observed_and_unobserved_share_the_luck_of_the_examples():
    generator = np.random.default_rng(2)
    ease = generator.normal(0, 3, size=80)
    right = (generator.random((8, 80)) < 1 / (1 + np.exp(-ease))).astype(float)
    observed = np.arange(8) < 4
    summary = quick(table(right, observed))
    assert summary.gap is not None
    assert summary.gap.high - summary.gap.low < summary.mean.high - summary.mean.low


@pytest.mark.parametrize("observed", [None, [True] * 12, [False] * 12], ids=["unknown", "all", "none"])
def test_there_is_no_gap_without_two_sides(observed):
    summary = quick(replace(drawn(), observed=None if observed is None else np.array(observed)))
    assert summary.gap is None
    assert math.isnan(summary.performance_drop_rate)
    assert {item.observed for item in summary.instructions} == {None if observed is None else observed[0]}


def test_there_is_no_gap_where_one_side_is_unscored():
    values = drawn().values.copy()
    values[:3] = np.nan
    assert quick(table(values, np.arange(12) < 3)).gap is None


def test_one_instruction_says_nothing_of_wording():
    summary = quick(table(drawn(rows=1).values))
    assert all(math.isnan(item.value) for item in (summary.std, summary.spread, summary.flip_rate))
    assert summary.minimum == summary.maximum == summary.mean
    assert 0 < summary.mean.low < summary.mean.high < 1


def test_one_example_has_no_interval():
    summary = quick(table([[1.0], [0.0], [1.0]], [True, True, False]))
    assert summary.mean.value == pytest.approx(2 / 3)
    assert all(has_no_interval(found) for found in estimates(summary).values())
    assert all(has_no_interval(item.mean) for item in summary.instructions)


def test_nothing_scored_is_undefined():
    summary = quick(table(np.full((4, 9), np.nan), [True, True, False, False]))
    assert summary.unscored.value == 1.0
    found = estimates(summary)
    del found["unscored"]
    assert all(math.isnan(item.value) and has_no_interval(item) for item in found.values())
    assert all(math.isnan(item.mean.value) and item.unscored == 1.0 for item in summary.instructions)


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_all_alike_has_no_scatter_but_the_mean_is_not_certain(answer):
    summary = quick(table(np.full((6, 50), answer), [True] * 3 + [False] * 3))
    for estimate in (summary.std, summary.spread):
        assert (estimate.value, estimate.low, estimate.high) == (0.0, 0.0, 0.0)
    assert summary.mean.value == answer
    assert summary.mean.high - summary.mean.low == pytest.approx(0.075, abs=0.005), "like 50 independent answers"
    assert summary.flip_rate.value == 0.0
    assert 0.05 < summary.flip_rate.high < 0.1
    assert summary.gap is not None
    assert summary.gap.low < 0 < summary.gap.high


def test_an_unscored_cell_is_never_counted_as_wrong():
    values = np.ones((3, 20))
    values[1, :15] = np.nan
    summary = quick(table(values))
    assert summary.mean.value == 1.0
    assert summary.instructions[1].unscored == 0.75
    assert summary.unscored.value == pytest.approx(0.25)
    assert summary.unscored.low < 0.25 < summary.unscored.high


def test_an_instruction_without_a_scored_cell_is_left_out():
    values = drawn().values.copy()
    values[4] = np.nan
    summary, without = quick(table(values)), quick(table(np.delete(values, 4, axis=0)))
    for name in ("mean", "std", "minimum", "maximum", "spread", "flip_rate"):
        first, second = getattr(summary, name), getattr(without, name)
        assert [first.value, first.low, first.high] == pytest.approx([second.value, second.low, second.high]), name


def test_an_instructions_own_interval_is_wilsons_as_measured():
    given_table = drawn()
    for item, row in zip(quick(given_table).instructions, given_table.values, strict=True):
        assert isinstance(item.mean, Estimate)
        assert item.mean.value == row.mean()
        share, z = row.mean(), 1.959964
        middle = (share + z * z / 120) / (1 + z * z / 60)
        assert item.mean.low + item.mean.high == pytest.approx(2 * middle)


def test_forty_instructions_and_a_thousand_examples_take_well_under_a_second():
    given_table = drawn(40, 1000)
    started = time.process_time()
    summarise(given_table)
    assert time.process_time() - started < 1.0
