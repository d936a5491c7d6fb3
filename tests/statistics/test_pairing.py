"""Only cells that both tables have are compared, and what is left out is counted."""

from dataclasses import replace

import numpy as np

from isophrase.statistics.pairing import pair
from tests.statistics.worlds import table


def test_rows_and_columns_are_matched_by_id_whatever_their_order():
    values = np.arange(12.0).reshape(3, 4) / 12
    first = table(values)
    second = replace(table(values[::-1, ::-1]), instructions=first.instructions[::-1], examples=first.examples[::-1])
    found = pair(first, second)
    np.testing.assert_array_equal(found.before.values, found.after.values)
    assert found.cells == 12
    assert found.instructions_left_out == found.examples_left_out == ()


def test_a_cell_that_one_side_misses_is_left_out_on_both():
    first, second = np.ones((2, 3)), np.zeros((2, 3))
    first[0, 0] = second[1, 2] = np.nan
    found = pair(table(first), table(second))
    assert (found.cells, found.unscored) == (4, 2)
    for side in (found.before, found.after):
        assert np.isnan(side.values[[0, 1], [0, 2]]).all()
        assert (side.choices[[0, 1], [0, 2]] == -1).all()


def test_what_only_one_side_has_is_named():
    first, second = table(np.ones((3, 2))), table(np.ones((2, 4)))
    found = pair(first, second, without=["i0"])
    assert found.before.instructions == ("i1",)
    assert found.instructions_left_out == ("i0", "i2")
    assert found.examples_left_out == ("e2", "e3")
