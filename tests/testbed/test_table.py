"""The table against figures worked out by hand and against simulated repairs whose truth is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import TypeAdapter

from isophrase.api.testbed import rows_table
from isophrase.errors import StoreError
from isophrase.testbed.inputs import TASKS
from isophrase.testbed.measuring import Exposure, TaskResult
from isophrase.testbed.recipe import Source, load_testbed
from isophrase.testbed.rows import RowResult, all_keys, read_row, row_digest
from isophrase.testbed.table import table

REGISTERS = ("a", "b", "c", "d", "e", "f")


def row(method, accuracy, *, seed=0, tuned=0, inputs=60, random=None):
    """A row with these accuracies by exposure; without a random generator they are met exactly."""
    tasks = {}
    for name in TASKS:
        wordings = [(f"o{place}", Exposure.OBSERVED, "dataset") for place in range(4)]
        wordings += [(f"t{place}", Exposure.TRAINED, "polite") for place in range(2)]
        wordings += [(f"{register}{n}", Exposure.UNOBSERVED, register) for register in REGISTERS for n in range(3)]
        wordings += [("n0", Exposure.NEGATED, "control")]
        right = []
        for wording, exposure, register in wordings:
            share = accuracy[exposure](register, wording) if callable(accuracy[exposure]) else accuracy[exposure]
            marks = np.arange(inputs) < round(share * inputs) if random is None else random.random(inputs) < share
            right.append("".join("01"[int(mark)] for mark in marks))
        tasks[f"testbed-{name}"] = TaskResult(
            tuple(one for one, _, _ in wordings), tuple(exposure for _, exposure, _ in wordings),
            tuple(register for _, _, register in wordings), tuple(f"i{n}" for n in range(inputs)), tuple(right),
        )  # fmt: skip
    return RowResult(
        method=method, seed=seed, tuned=tuned, source=Source.OWN, digest="", fingerprint=str(tuned), parameters=1,
        minutes=1.0, measured_minutes=1.0, tasks=tasks,
    )  # fmt: skip


def levels(observed, unobserved, trained=0.9, negated=0.5):
    return {
        Exposure.OBSERVED: observed, Exposure.UNOBSERVED: unobserved, Exposure.TRAINED: trained,
        Exposure.NEGATED: negated,
    }  # fmt: skip


def lines(*rows, **options):
    return {line.method: line for line in table(rows, **{"resamples": 60, **options})}


def test_the_figures_are_those_worked_out_by_hand():
    found = lines(row("none", levels(0.9, 0.75)), row("x", levels(0.9, 0.85, negated=0.55)))["x"].figures
    assert found["observed"].value == pytest.approx(0.9)
    assert found["unobserved"].value == pytest.approx(0.85)
    assert found["gap closed"].value == pytest.approx(10 / 15)
    assert found["gap closed (observed after)"].value == pytest.approx(1 - 5 / 15)
    assert found["worst change"].value == pytest.approx(0.1)
    assert found["observed change"].value == pytest.approx(0)
    assert found["trained - unobserved"].value == pytest.approx(0.05)
    assert found["negation drop kept"].value == pytest.approx(0.35 / 0.4)
    assert found["negation drop change"].value == pytest.approx(-0.05)
    assert found["held-out change"].value == pytest.approx(0.1)


def test_lowering_the_observed_accuracy_closes_no_gap():
    found = lines(row("none", levels(0.9, 0.75)), row("x", levels(0.75, 0.75)))["x"].figures
    assert found["gap closed"].value == pytest.approx(0)
    assert found["gap closed (observed after)"].value == pytest.approx(1)


def test_a_share_of_no_gap_is_withheld():
    found = lines(row("none", levels(0.8, 0.8)), row("x", levels(0.8, 0.85)))["x"].figures
    assert np.isnan(found["gap closed"].value)


def test_the_spread_over_wordings_is_without_the_luck_of_the_inputs():
    random = np.random.default_rng(0)
    found = lines(row("none", levels(0.9, 0.8), random=random))["none"].figures["unobserved std"]
    assert found.low == 0
    assert found.value < 0.5 * (0.8 * 0.2 / 60) ** 0.5 + 0.01
    shares = dict(zip(REGISTERS, (0.6, 0.7, 0.8, 0.8, 0.9, 1.0), strict=True))
    spread = levels(0.9, lambda register, _: shares[register])
    truth = np.std(np.repeat(list(shares.values()), 3), ddof=1)
    found = lines(row("none", spread, random=random, inputs=168))["none"].figures["unobserved std"]
    assert found.value == pytest.approx(truth, abs=0.02)
    assert found.low < truth < found.high


def test_a_repair_that_is_better_in_all_six_runs_has_the_smallest_p():
    rows = [row("none", levels(0.9, 0.75), tuned=tuned) for tuned in (0, 1)]
    for seed in range(6):
        rows.append(row("pt", levels(0.9, 0.8), seed=seed, tuned=seed % 2))
        rows.append(row("x", levels(0.9, 0.85), seed=seed, tuned=seed % 2))
    found = lines(*rows)
    assert found["x"].versus == pytest.approx(1 / 64)
    assert found["x"].runs == 6
    assert found["pt"].versus is None


def test_a_row_of_fewer_wordings_and_inputs_is_compared_on_those_alone():
    random = np.random.default_rng(3)
    accuracies = levels(0.9, lambda register, wording: 0.4 if wording.endswith("2") else 0.8)
    before, rival = row("none", accuracies, random=random), row("pt", accuracies, random=random)
    fewer = replace(before, method="x", tasks={name: fewer_of(task) for name, task in before.tasks.items()})
    found = lines(before, rival, fewer)["x"]
    assert len(fewer.tasks["testbed-number"].wordings) == 18
    for name in ("gap closed", "worst change", "observed change", "negation drop change", "held-out change"):
        assert found.figures[name].value == pytest.approx(0)
    same = replace(rival, tasks={name: fewer_of(task) for name, task in rival.tasks.items()}, method="y")
    assert lines(before, rival, same)["y"].versus == 1  # no difference to itself where both were measured


def fewer_of(task):
    chosen = [place for place, one in enumerate(task.wordings) if not one.endswith("2")]
    return TaskResult(
        tuple(task.wordings[place] for place in chosen), tuple(task.exposures[place] for place in chosen),
        tuple(task.registers[place] for place in chosen), task.inputs[:40],
        tuple(task.right[place][:40] for place in chosen),
    )  # fmt: skip


@pytest.mark.slow
def test_intervals_of_the_gap_closed_cover_the_truth():
    random = np.random.default_rng(1)
    truth = 0.6
    covered = 0
    for number in range(200):
        # Registers differ in how hard they are; the repair takes away the same share of every register's loss.
        losses = dict(zip(REGISTERS, 0.15 + 0.05 * random.standard_normal(6), strict=True))
        before = row("none", levels(0.9, lambda register, _, losses=losses: 0.9 - losses[register]), random=random)
        after = row(
            "x", levels(0.9, lambda register, _, losses=losses: 0.9 - (1 - truth) * losses[register]), random=random
        )
        estimate = lines(before, after, seed=number)["x"].figures["gap closed"]
        covered += estimate.low <= truth <= estimate.high
    assert covered / 200 > 0.88


def test_a_damaged_row_says_what_to_do(tmp_path):
    for content in ("{", "{}"):
        (tmp_path / "row.json").write_text(content)
        with pytest.raises(StoreError, match="delete it"):
            read_row(tmp_path / "row.json")


def test_a_share_of_a_negation_drop_that_may_be_none_is_withheld():
    found = lines(row("none", levels(0.9, 0.7, negated=0.9)), row("x", levels(0.9, 0.8, negated=0.88)))["x"].figures
    assert np.isnan(found["negation drop kept"].value)
    assert found["negation drop change"].value == pytest.approx(0.02, abs=0.01)


def test_a_change_of_a_spread_that_may_be_none_is_withheld_and_a_rare_draw_without_one_is_passed_over():
    def spread(shares):
        of = dict(zip(REGISTERS, shares, strict=True))
        return row("none", levels(0.9, lambda register, _: of[register]))

    steadier = row("x", levels(0.9, 0.9))
    in_one = lines(spread((0.4, 0.9, 0.9, 0.9, 0.9, 0.9)), steadier, resamples=300)["x"].figures["std change"]
    assert np.isnan(in_one.value)
    in_all = lines(spread((0.2, 0.2, 0.55, 0.55, 0.9, 0.9)), steadier, resamples=1000)["x"].figures["std change"]
    assert (in_all.value, in_all.low, in_all.high) == pytest.approx((-1, -1, -1))


def test_the_worst_wording_is_that_of_all_registers_in_every_draw():
    one_bad = {**levels(0.9, 0.8), Exposure.UNOBSERVED: lambda register, wording: 0.3 if wording == "a0" else 0.9}
    found = lines(row("none", levels(0.9, 0.8)), row("x", one_bad), resamples=300)["x"].figures["worst"]
    assert found.value == pytest.approx(0.3)
    assert found.high < 0.55


def test_rows_of_another_recipe_or_tuned_model_are_left_out_and_said_to_be(tmp_path):
    testbed = load_testbed(Source.OWN, tmp_path)
    none, pt = (next(key for key in all_keys(Source.OWN) if key.method == method) for method in ("none", "pt"))
    current = row_digest(testbed, none)
    for name, method, digest, tuned in (
        ("a", "none", current, 0), ("b", "pt", "of another recipe", 0), ("c", "pt", row_digest(testbed, pt), 9)
    ):  # fmt: skip
        kept = replace(row(method, levels(0.9, 0.7), tuned=tuned), digest=digest)
        (tmp_path / f"own-{name}.json").write_bytes(TypeAdapter(RowResult).dump_json(kept))
    said = []
    table_lines = rows_table(tmp_path, shown=SimpleNamespace(note=said.append))
    assert [line.method for line in table_lines] == ["none"]
    assert said == ["2 rows of another recipe, version or tuned model are left out"]
