"""Rows that several processes fill: none is computed twice at a time."""

from dataclasses import replace
from pathlib import Path

from isophrase.alignment.registers import Register
from isophrase.testbed import recipe, rows
from isophrase.testbed.measuring import DEVELOPMENT, MAIN
from isophrase.testbed.rows import RowKey, run_row


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


def test_rows_measured_on_other_data_share_their_weights_and_no_row_outlives_its_wordings():
    testbed = recipe.load_testbed(recipe.Source.OWN, Path())
    main, development = (RowKey(method="default", seed=0, tuned=0, quota=quota) for quota in (MAIN, DEVELOPMENT))
    assert rows._training_identity(testbed, main) == rows._training_identity(testbed, development)
    assert rows.row_digest(testbed, main) != rows.row_digest(testbed, development)
    other = recipe.Testbed(
        testbed.source, tuple(replace(one, wordings=_reworded(one.wordings)) for one in testbed.materials)
    )
    assert rows._training_identity(other, main) == rows._training_identity(testbed, main)
    assert rows.row_digest(other, main) != rows.row_digest(testbed, main)
    fewer = recipe.Testbed(testbed.source, testbed.materials[1:])
    assert rows.row_digest(fewer, main) != rows.row_digest(testbed, main)


def test_only_rows_with_registers_depend_on_them(monkeypatch):
    testbed = recipe.Testbed(recipe.Source.OWN, ())
    before = [rows.row_digest(testbed, RowKey(method=method, seed=0, tuned=0)) for method in ("pt", "default")]
    monkeypatch.setattr(rows, "bundled_registers", lambda: (Register("new", "{{ instruction }}!"),))
    after = [rows.row_digest(testbed, RowKey(method=method, seed=0, tuned=0)) for method in ("pt", "default")]
    assert before[0] == after[0]
    assert before[1] != after[1]


def _reworded(wordings):
    return replace(wordings, test=(replace(wordings.test[0], template="New: {{ text }}"), *wordings.test[1:]))
