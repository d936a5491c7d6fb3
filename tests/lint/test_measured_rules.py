"""Each rule after measuring, on made-up outcomes."""

import numpy as np

from isophrase.lint.findings import Measured, Severity
from isophrase.lint.rules import lint_measured
from isophrase.statistics.tables import OutcomeTable
from isophrase.types import Instruction, OutputForm


def measured(values, choices=None, collections=None, chance=0.5):
    values = np.array(values, dtype=float)
    rows, columns = values.shape
    names = tuple(f"w{row}" for row in range(rows))
    choices = np.where(np.isnan(values), -1, np.where(values > 0, 1, 0) if choices is None else choices)
    table = OutcomeTable(
        "m", "t", 0, "plain", names, tuple(f"e{i}" for i in range(columns)), values, choices, None, chance
    )
    kinds = collections or ["human"] * rows
    return Measured(table, tuple(
        Instruction(name, "{{ input }}", kind, OutputForm.LABEL) for name, kind in zip(names, kinds, strict=True)
    ))  # fmt: skip


def found(item):
    return [(finding.rule, finding.severity) for finding in lint_measured([item])]


def random(rate, rows=6, columns=60, seed=0):
    return (np.random.default_rng(seed).random((rows, columns)) < rate).astype(float)


def test_ordinary_results_have_no_finding():
    assert found(measured(random(0.75))) == []


def test_below_chance_everywhere_is_noise():
    assert ("noisy-gold", Severity.ERROR) in found(measured(random(0.15)))


def test_slightly_below_chance_is_a_warning_only():
    values = np.tile([1.0, 0.0], (4, 12))
    values[:, 0] = 0
    assert ("noisy-gold", Severity.WARNING) in found(measured(values))


def test_one_collection_that_is_always_right():
    values = random(0.6)
    values[:2] = 1
    item = measured(values, collections=["flan", "flan", "human", "human", "human", "human"])
    assert ("one-perfect-collection", Severity.ERROR) in found(item)


def test_a_wording_with_one_answer_only():
    values = random(0.75)
    choices = (values > 0).astype(int)
    choices[0] = 1
    assert ("constant-answer", Severity.WARNING) in found(measured(values, choices))


def test_unscored_cells():
    values = random(0.75)
    values[0] = np.nan
    values[1, :6] = np.nan
    rules = found(measured(values))
    assert ("unscored", Severity.ERROR) in rules
    assert ("unscored", Severity.WARNING) in rules


def test_cells_that_were_not_asked_are_not_unscored():
    values = random(0.75)
    values[0] = np.nan
    item = measured(values)
    assert found(Measured(item.table, item.instructions, (0.0,) * 6)) == []


def test_an_example_that_all_wordings_get_wrong_in_the_same_way():
    values = random(0.9, columns=40)
    values[:, 3] = 0
    assert ("suspect-gold", Severity.WARNING) in found(measured(values))
