"""The grid: every cell in exactly one unit, the same units every time."""

from __future__ import annotations

import itertools
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from isophrase.grid import Block, Grid
from isophrase.types import Example, Instruction, Metric, OutputForm, PromptFormat, Task, TaskKind


def block(rows: int, columns: int, *, model: str = "m", shots: int = 0) -> Block:
    examples = tuple(Example(f"e{index}", {"input": "x"}, ("a", "b"), (0,)) for index in range(columns))
    task = Task("t", "1", TaskKind.CLASSIFICATION, Metric.ACCURACY, examples)
    instructions = tuple(Instruction(f"i{index}", "{{ input }}", "human", OutputForm.LABEL) for index in range(rows))
    return Block(model, "float32", PromptFormat.PLAIN, task, instructions, examples, shots)


sizes = st.integers(1, 40)


@given(st.lists(st.tuples(sizes, sizes), min_size=1, max_size=3), st.integers(1, 300))
def test_units_cover_every_cell_exactly_once(shapes, cells):
    grid = Grid(tuple(block(*shape, shots=index) for index, shape in enumerate(shapes)))
    units = list(grid.units(cells))
    covered = [unit.block.cell(*pair) for unit in units for pair in unit.pairs()]
    assert sorted(covered) == sorted(grid.cells())
    assert len(covered) == len(grid) == sum(len(unit) for unit in units)


@given(sizes, sizes, st.integers(1, 300))
def test_no_unit_is_larger_than_asked_and_ids_are_unique(rows, columns, cells):
    units = list(Grid((block(rows, columns),)).units(cells))
    assert all(0 < len(unit) <= cells for unit in units)
    assert len({unit.id for unit in units}) == len(units)


@given(sizes, sizes, st.integers(1, 300))
def test_the_same_grid_is_cut_the_same_way_each_time(rows, columns, cells):
    first, second = (list(Grid((block(rows, columns),)).units(cells)) for _ in range(2))
    assert [unit.id for unit in first] == [unit.id for unit in second]


def test_ids_tell_models_and_shots_apart():
    units = [next(iter(Grid((item,)).units())) for item in (block(2, 2), block(2, 2, model="n"), block(2, 2, shots=1))]
    assert len({unit.id for unit in units}) == 3


def test_ten_million_cells_are_planned_lazily():
    grid = Grid((block(1000, 10_000),))
    tracemalloc.start()
    first = list(itertools.islice(grid.units(), 100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(grid) == 10_000_000
    assert len(first) == 100
    assert peak < 2_000_000
