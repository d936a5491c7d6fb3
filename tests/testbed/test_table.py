"""The table against figures worked out by hand and against simulated repairs whose truth is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import TypeAdapter

from isophrase.api.testbed import kept_rows
from isophrase.errors import StoreError
from isophrase.testbed.inputs import TASKS
from isophrase.testbed.measuring import Exposure, TaskResult, within
from isophrase.testbed.recipe import Source, load_testbed
from isophrase.testbed.rows import OTHER_SEEDS, RowResult, read_row, row_digest, row_path, sections
from isophrase.testbed.table import beside, figure_text, table, versus_text, without_turned

REGISTERS = ("a", "b", "c", "d", "e", "f")


def row(method, accuracy, *, seed=0, tuned=0, inputs=60, negated=1, random=None):
    """A row with these accuracies by exposure; without a random generator they are met exactly."""
    tasks = {}
    for name in TASKS:
        wordings = [(f"o{place}", Exposure.OBSERVED, "dataset") for place in range(4)]
        wordings += [(f"t{place}", Exposure.TRAINED, "polite") for place in range(2)]
        wordings += [(f"{register}{n}", Exposure.UNOBSERVED, register) for register in REGISTERS for n in range(3)]
        wordings += [(f"n{place}", Exposure.NEGATED, "control") for place in range(negated)]
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
    assert found["gap closed (observed after)"].value == pytest.approx(10 / 15)
    assert found["worst change"].value == pytest.approx(0.1)
    assert found["observed change"].value == pytest.approx(0)
    assert found["trained - unobserved"].value == pytest.approx(0.05)
    assert found["negation drop kept"].value == pytest.approx(0.35 / 0.4)
    assert found["negation drop change"].value == pytest.approx(-0.05)
    assert found["held-out unobserved change"].value == pytest.approx(0.1)
    assert found["held-out observed change"].value == pytest.approx(0)
    assert found["held-out negation drop kept"].value == pytest.approx(0.35 / 0.4)


def test_lowering_the_observed_accuracy_closes_no_gap():
    found = lines(row("none", levels(0.9, 0.75)), row("x", levels(0.75, 0.75)))["x"].figures
    assert found["gap closed"].value == pytest.approx(0)
    assert np.isnan(found["gap closed (observed after)"].value)


def test_the_gap_to_observed_wordings_after_is_closed_more_where_they_lost():
    found = lines(row("none", levels(0.9, 0.75)), row("x", levels(0.85, 0.8)))["x"].figures
    assert found["gap closed"].value == pytest.approx(5 / 15)
    assert found["gap closed (observed after)"].value == pytest.approx(5 / 10)


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
    for name in ("gap closed", "worst change", "observed change", "negation drop change", "held-out unobserved change"):
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


def test_levels_stay_between_none_and_all_however_few_the_runs():
    rows = [row("none", levels(0.97, 0.6 + 0.2 * tuned), tuned=tuned) for tuned in (0, 1)]
    found = lines(*rows)["none"].figures["unobserved"]
    assert found.low < 0.2 < found.value < found.high == 1.0  # two tuned models say hardly anything of others


def test_one_trained_wording_says_nothing_of_others():
    one = row("x", levels(0.9, 0.8))
    tasks = {
        name: within(task, replace(task, wordings=tuple(word for word in task.wordings if word != "t1")))
        for name, task in one.tasks.items()
    }
    found = lines(row("none", levels(0.9, 0.7)), replace(one, tasks=tasks))["x"].figures
    assert np.isnan(found["trained - unobserved"].value)
    assert not np.isnan(found["gap closed"].value)


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


def keep(folder, testbed, key, fingerprint="tuned", digest=None):
    path = row_path(folder, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = replace(
        row(key.method, levels(0.9, 0.7), seed=key.seed, tuned=key.tuned), fingerprint=fingerprint,
        digest=digest or row_digest(testbed, key),
    )  # fmt: skip
    path.write_bytes(TypeAdapter(RowResult).dump_json(kept))


def test_rows_that_are_missing_stale_or_without_their_tuned_model_are_left_out_and_said_to_be(tmp_path):
    testbed, main = load_testbed(Source.OWN, tmp_path), sections(Source.OWN)["main"]
    none, pt, stale, alone = (
        next(key for key in main if key.method == method and key.seed == seed)
        for method, seed in (("none", 0), ("pt", 2), ("pt", 4), ("pt", 3))
    )
    keep(tmp_path, testbed, none)
    keep(tmp_path, testbed, pt)
    keep(tmp_path, testbed, stale, digest="of another recipe")
    keep(tmp_path, testbed, alone, fingerprint="of another tuned model")
    said = []
    found = kept_rows(tmp_path, shown=SimpleNamespace(note=said.append))
    assert [(one.method, one.seed) for one in found] == [("none", 0), ("pt", 2)]
    missing, other, unpaired = said
    assert missing.startswith("left out, as they are not computed yet: none of seed 1; ")
    assert missing.endswith("; pt of seed 5, 6, 7")
    assert other == "left out, as they are of another recipe or version: pt of seed 4"
    assert unpaired == "left out, as `none` of their tuned model is missing: pt of seed 3"


def test_a_section_without_rows_says_what_to_run(tmp_path):
    with pytest.raises(StoreError, match="run `isophrase testbed run` first"):
        kept_rows(tmp_path, section="confirmation")


def test_other_methods_stand_beside_main_rows_of_the_same_runs_alone(tmp_path):
    testbed, parts = load_testbed(Source.OWN, tmp_path), sections(Source.OWN)
    for key in parts["main"]:
        keep(tmp_path, testbed, key, fingerprint=str(key.tuned))
    key = next(key for key in parts["methods"] if key.method == "ft" and key.seed == OTHER_SEEDS[0])
    keep(tmp_path, testbed, key, fingerprint=str(key.tuned))
    found = kept_rows(tmp_path, section="methods")
    assert {(one.method, one.seed) for one in found} == {
        ("none", key.tuned), *((method, key.seed) for method in ("pt", "pt+kl", "default", "ft"))
    }  # fmt: skip


def test_rows_beside_others_have_their_wordings_and_inputs_only():
    main = [row("none", levels(0.9, 0.7)), row("pt", levels(0.9, 0.8), seed=2), row("pt", levels(0.9, 0.8), seed=3)]
    ft = row("ft", levels(0.9, 0.8), seed=2)
    fewer = replace(ft, tasks={name: fewer_of(task) for name, task in ft.tasks.items()})
    found = beside([fewer], main)
    assert [(one.method, one.seed) for one in found] == [("none", 0), ("pt", 2)]
    assert {len(task.inputs) for one in found for task in one.tasks.values()} == {40}
    assert found[0].tasks["testbed-number"].wordings == fewer.tasks["testbed-number"].wordings


def test_a_p_over_fewer_pairs_than_runs_says_so():
    rows = [row("none", levels(0.9, 0.75))]
    rows += [row("pt", levels(0.9, 0.8), seed=seed) for seed in (0, 1, 2)]
    rows += [row("x", levels(0.9, 0.7 if seed == 3 else 0.85), seed=seed) for seed in range(4)]
    found = lines(*rows)["x"]
    assert (found.runs, found.paired) == (4, 3)
    assert versus_text(found) == "0.125 (of 3 runs)"
    assert found.figures["unobserved - pt"].value == pytest.approx(0.05)  # of the runs that both have
    assert versus_text(lines(*rows)["pt"]) == "–"


def test_the_share_kept_of_a_drop_is_uncertain_where_negated_wordings_differ():
    def kept(before, after):
        found = [levels(0.9, 0.8), levels(0.9, 0.85)]
        for one, shares in zip(found, (before, after), strict=True):
            one[Exposure.NEGATED] = lambda _, wording, shares=shares: shares[int(wording[1])]
        rows = [row(name, one, negated=3) for name, one in zip(("none", "x"), found, strict=True)]
        return lines(*rows, resamples=400)["x"].figures["negation drop kept"]

    alike, differing = kept((0.4, 0.4, 0.4), (0.5, 0.5, 0.5)), kept((0.4, 0.4, 0.4), (0.4, 0.4, 0.7))
    assert alike.value == pytest.approx(differing.value) == pytest.approx(0.8)
    assert 1.5 * (alike.high - alike.low) < differing.high - differing.low


def test_wordings_that_are_turned_round_are_counted_and_can_be_left_out():
    shares = levels(0.9, lambda register, wording: 0.1 if wording == "a0" else 0.7)
    before, after = row("none", shares), row("x", levels(0.9, 0.8))
    found = lines(before, after)
    assert found["none"].figures["below chance"].value == pytest.approx(1 / 18)
    assert found["x"].figures["below chance"].value == 0
    left = without_turned([before, after])
    assert "a0" not in left[0].tasks["testbed-number"].wordings
    assert left[0].tasks["testbed-number"].wordings == left[1].tasks["testbed-number"].wordings
    found = lines(*left)
    assert found["none"].figures["unobserved"].value == pytest.approx(0.7)
    assert found["x"].figures["gap closed"].value == pytest.approx(0.5)


def test_a_figure_says_its_unit_and_its_sign():
    found = lines(row("none", levels(0.9, 0.7)), row("x", levels(0.9, 0.8)), row("ensemble-5", levels(0.9, 0.8)))
    assert figure_text(found["x"], "unobserved").startswith("80.0 [")
    assert figure_text(found["x"], "worst change").startswith("+10.0 [")
    assert figure_text(found["x"], "gap closed").startswith("50.0 % [")
    assert figure_text(found["none"], "gap closed") == figure_text(found["ensemble-5"], "worst") == "–"
