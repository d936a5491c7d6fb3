"""Rows that several processes fill: none is computed twice at a time."""

from dataclasses import replace
from pathlib import Path

import pytest

from isophrase.alignment.registers import Register
from isophrase.errors import StoreError
from isophrase.testbed import measuring, recipe, rows
from isophrase.testbed.inputs import ALIGNED
from isophrase.testbed.measuring import CONFIRMATION, DEVELOPMENT, MAIN, OTHER
from isophrase.testbed.rows import RowKey, run_row
from isophrase.testbed.tuned import tuned_identity


def test_a_row_that_another_is_at_is_passed_over(tmp_path, monkeypatch):
    testbed = recipe.Testbed(recipe.Source.OWN, ())
    key, other = (RowKey(method="none", seed=seed, tuned=0) for seed in (0, 1))
    asked = []

    def compute(testbed, wanted, *_):
        asked.append(wanted)
        if wanted is key:  # a second process asks while this one is at the row
            assert run_row(testbed, key, tmp_path, tmp_path, print, wait=False) is None
            assert run_row(testbed, other, tmp_path, tmp_path, print, wait=False) == "row"
        return "row"

    monkeypatch.setattr(rows, "_run_row", compute)
    assert run_row(testbed, key, tmp_path, tmp_path, print, wait=False) == "row"
    assert run_row(testbed, key, tmp_path, tmp_path, print, wait=False) == "row"
    assert asked == [key, other] * 2


def test_rows_that_cannot_be_written_are_refused_before_any_training(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "confirmation").write_text("no folder")
    monkeypatch.setattr(rows, "tuned_adapter", lambda *_: tmp_path)
    monkeypatch.setattr(rows, "fingerprint_adapter", lambda *_: "")
    monkeypatch.setattr(rows, "_row_digest", lambda *_: "")
    key = RowKey(method="pt", seed=2, tuned=0, quota=CONFIRMATION)
    with pytest.raises(StoreError, match=r"a folder that can be written to.*--results"):
        run_row(recipe.Testbed(recipe.Source.OWN, ()), key, tmp_path, tmp_path / "results", print)


def test_rows_measured_on_other_data_share_their_weights_and_no_row_outlives_its_wordings():
    testbed = recipe.load_testbed(recipe.Source.OWN, Path())
    main, development = (RowKey(method="default", seed=0, tuned=0, quota=quota) for quota in (MAIN, DEVELOPMENT))
    confirmation = replace(main, quota=CONFIRMATION)
    assert rows._training_identity(testbed, main) == rows._training_identity(testbed, confirmation)
    assert len({rows.row_digest(testbed, key) for key in (main, development, confirmation)}) == 3
    reworded = tuple(replace(one, wordings=_reworded(one.wordings)) for one in testbed.materials)
    other = replace(testbed, materials=reworded)
    assert rows._training_identity(other, main) == rows._training_identity(testbed, main)
    assert rows.row_digest(other, main) != rows.row_digest(testbed, main)
    fewer = replace(testbed, materials=testbed.materials[1:])
    assert rows.row_digest(fewer, main) != rows.row_digest(testbed, main)


def test_development_leaves_registers_out_of_training_in_turn_and_measures_on_them():
    testbed = recipe.load_testbed(recipe.Source.OWN, Path())
    left = []
    for seed in range(DEVELOPMENT.folds):
        key = RowKey(method="default", seed=seed, tuned=0, quota=DEVELOPMENT)
        found = rows._of_key(testbed, key)
        assert tuned_identity(found, 0) == tuned_identity(testbed, 0)
        for whole, part in zip(testbed.materials, found.materials, strict=True):
            if whole not in testbed.of(ALIGNED):
                assert part == whole
                continue
            names = {one.register for one in part.wordings.train}
            out = {one.register for one in whole.wordings.train} - names
            assert set(part.wordings.train) | set(part.wordings.dev) == {*whole.wordings.train, *whole.wordings.dev}
            chosen, inputs = measuring.chosen_of(part, DEVELOPMENT)
            unobserved = {one.register for one, kind in chosen if kind is measuring.Exposure.UNOBSERVED}
            assert unobserved == out | {one.register for one in whole.wordings.dev}
            assert not unobserved & names
            assert all(one in whole.dev for one in inputs)
            left += [(whole.task.name, one.id) for one in whole.wordings.train if one.register in out]
    assert len(left) == len(set(left)) == sum(len(item.wordings.train) for item in testbed.of(ALIGNED))


def test_another_negated_wording_makes_another_tuned_model():
    testbed = recipe.load_testbed(recipe.Source.OWN, Path())
    first = testbed.opposites[0]
    changed = replace(first.wordings.references[0], template="Now: {{ text }}")
    other = replace(first, wordings=replace(first.wordings, references=(changed, *first.wordings.references[1:])))
    found = [
        tuned_identity(replace(testbed, opposites=opposites), 0)
        for opposites in (
            testbed.opposites, (other, *testbed.opposites[1:]), (replace(first, since=0), *testbed.opposites[1:]), ()
        )
    ]  # fmt: skip
    assert len({str(one) for one in found}) == 4


def test_every_row_is_measured_within_the_rows_that_it_is_compared_with():
    material = recipe.load_testbed(recipe.Source.OWN, Path()).materials[0]
    for held in (False, True):
        chosen = [measuring._wordings(material, quota, held=held) for quota in (MAIN, OTHER)]
        main, other = ({one.id for one, _ in wordings} for wordings in chosen)
        assert other < main
    keys = rows.all_keys(recipe.Source.OWN)
    assert len(set(keys)) == len(keys)
    for method in ("pt", "pt+kl", "default"):
        runs = [key for key in keys if key.method == method]
        assert len(runs) >= 6
        assert len({key.tuned for key in runs}) >= 2
    parts = rows.sections(recipe.Source.OWN)
    assert {name: {key.quota for key in part} for name, part in parts.items()} == {
        "main": {MAIN}, "confirmation": {CONFIRMATION}, "methods": {OTHER}, "ablations": {OTHER}
    }  # fmt: skip


def test_the_confirmation_has_test_wordings_and_inputs_that_nothing_else_has():
    materials = recipe.load_testbed(recipe.Source.OWN, Path()).materials
    for material in materials:
        (wordings, inputs), (theirs, their_inputs) = (
            measuring.chosen_of(material, quota) for quota in (CONFIRMATION, MAIN)
        )
        found, known = (
            {one.id for one, exposure in chosen if exposure is measuring.Exposure.UNOBSERVED}
            for chosen in (wordings, theirs)
        )
        assert len(found) == 6
        assert not found & known
        assert len(inputs) >= 40
        assert not {item.id for item in inputs} & {item.id for item in their_inputs}


def test_no_two_rows_are_kept_in_the_same_place():
    keys = rows.all_keys(recipe.Source.OWN) + rows.development_keys(recipe.Source.OWN)
    keys += rows.all_keys(recipe.Source.BIGBENCH)
    assert len({rows.row_path(Path(), key) for key in keys}) == len(keys)


@pytest.mark.parametrize("source", recipe.Source)
def test_no_training_of_the_table_has_a_seed_that_default_was_chosen_with(source):
    chosen = {key.seed for key in rows.development_keys(source)}
    trained = [key for key in rows.all_keys(source) if key.method != "none"]
    assert chosen
    assert not chosen & {key.seed for key in trained}
    repaired = {key.tuned for key in trained}
    assert repaired == {key.tuned for key in rows.all_keys(source) if key.method == "none"}


def test_only_rows_with_registers_depend_on_them(monkeypatch):
    testbed = recipe.Testbed(recipe.Source.OWN, ())
    before = [rows.row_digest(testbed, RowKey(method=method, seed=0, tuned=0)) for method in ("pt", "default")]
    monkeypatch.setattr(rows, "bundled_registers", lambda: (Register("new", "{{ instruction }}!"),))
    after = [rows.row_digest(testbed, RowKey(method=method, seed=0, tuned=0)) for method in ("pt", "default")]
    assert before[0] == after[0]
    assert before[1] != after[1]


def _reworded(wordings):
    return replace(wordings, test=(replace(wordings.test[0], template="New: {{ text }}"), *wordings.test[1:]))
