"""Rows that several processes fill: none is computed twice at a time."""

from isophrase.testbed import recipe, rows
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
