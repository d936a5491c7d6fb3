"""Averages over tasks: of these tasks, and of tasks like these."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from isophrase.statistics.overview import overview
from isophrase.statistics.summary import summarise
from tests.statistics.worlds import TYPICAL, World, table


def tasks(tables):
    named = [replace(item, task=f"task-{index}") for index, item in enumerate(tables)]
    return overview(named, [summarise(item, resamples=200) for item in named])


def drawn(count, *, rows=12, columns=80, seed=0, prefix=None):
    """Tables of tasks whose instructions are different ones, unless they all have the same ids."""
    generator = np.random.default_rng(seed)
    found = []
    for index in range(count):
        item = TYPICAL.draw_for_gap(generator, rows // 3, rows - rows // 3, columns)
        names = tuple(f"{prefix or index}-{row}" for row in range(rows))
        found.append(replace(item, instructions=names))
    return found


def test_each_task_counts_alike():
    tables = drawn(3)
    found = tasks(tables)
    means = [item.values.mean() for item in tables]
    assert found.mean.these.value == found.mean.similar.value == pytest.approx(np.mean(means))
    assert found.mean.tasks == ("task-0", "task-1", "task-2")
    assert (found.model, found.shots, found.prompt_format) == ("model", 0, "plain")


def test_one_task_is_itself_and_says_nothing_of_others():
    tables = drawn(1)
    summary = summarise(tables[0], resamples=200)
    found = tasks(tables)
    for name in ("mean", "std", "minimum", "spread", "flip_rate", "gap"):
        own, these = getattr(summary, name), getattr(found, name).these
        assert [these.value, these.low, these.high] == pytest.approx([own.value, own.low, own.high]), name
        assert math.isnan(getattr(found, name).similar.low)


def test_more_tasks_make_these_tasks_surer():
    few, many = tasks(drawn(2)), tasks(drawn(8))
    for name in ("mean", "std", "spread", "flip_rate", "gap"):
        widths = [getattr(item, name).these.high - getattr(item, name).these.low for item in (few, many)]
        assert widths[1] < 0.8 * widths[0], name


def test_tasks_like_these_get_the_t_interval_of_the_task_values():
    tables = drawn(5)
    found = tasks(tables)
    values = np.array([item.values.mean() for item in tables])
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (found.mean.similar.low, found.mean.similar.high) == pytest.approx(expected)


def test_a_gap_over_tasks_may_reach_below_zero():
    tables = drawn(2)
    found = tasks(tables)
    assert found.gap is not None
    values = [summarise(item, resamples=50).gap.value for item in tables]
    assert min(values) > 0
    assert found.gap.similar.low < 0


def test_tasks_without_a_gap_are_left_out_of_it():
    tables = drawn(3)
    tables[1] = replace(tables[1], observed=None)
    found = tasks(tables)
    assert found.gap is not None
    assert found.gap.tasks == ("task-0", "task-2")
    assert tasks([replace(item, observed=None) for item in tables]).gap is None


def test_a_task_with_one_instruction_counts_for_the_mean_only():
    tables = [*drawn(2), table(np.array([[1.0, 0.0, 1.0, 1.0]]))]
    found = tasks(tables)
    assert found.mean.tasks == ("task-0", "task-1", "task-2")
    assert found.spread.tasks == found.std.tasks == ("task-0", "task-1")


def test_nothing_scored_anywhere_is_undefined():
    found = tasks([table(np.full((2, 3), np.nan))])
    assert math.isnan(found.mean.these.value)
    assert math.isnan(found.mean.these.low)
    assert found.mean.tasks == ()


def test_instructions_shared_by_tasks_do_not_average_out():
    """One effect for each instruction in all tasks: intervals must not shrink as if each task had its own draw."""
    world = World("wide", level=0.5, wording=1.2, example=0.5, cell=0.2)
    generator = np.random.default_rng(5)
    held = {"shared": 0, "taken as different": 0}
    for _ in range(100):
        effects = world.wording * generator.normal(size=10)
        tables = [replace(world._table(generator, effects, 60, 0.0, None), task=f"task-{index}") for index in range(4)]
        summaries = [summarise(item, resamples=2) for item in tables]
        different = [
            replace(item, instructions=tuple(f"{item.task}-{name}" for name in item.instructions)) for item in tables
        ]
        for name, found in (("shared", tables), ("taken as different", different)):
            estimate = overview(found, summaries).mean.these
            held[name] += estimate.low <= world.mean <= estimate.high
    assert held["shared"] >= 88
    assert held["taken as different"] <= 80


def test_intervals_for_these_tasks_hold_the_truth():
    generator = np.random.default_rng(6)
    held = {"mean": 0, "std": 0, "flip_rate": 0}
    truths = {"mean": TYPICAL.mean, "std": TYPICAL.std, "flip_rate": TYPICAL.flip_rate}
    for _ in range(150):
        tables = [replace(TYPICAL.draw(generator, 12, 60)[0], task=str(index)) for index in range(3)]
        tables = [replace(item, instructions=tuple(f"{item.task}-{row}" for row in range(12))) for item in tables]
        found = overview(tables, [summarise(item, resamples=2) for item in tables])
        for name, truth in truths.items():
            estimate = getattr(found, name).these
            held[name] += estimate.low <= truth <= estimate.high
    assert all(0.9 <= count / 150 <= 1.0 for count in held.values()), held
