"""Rules after measuring: results that say more of the data than of the model.

Knows tables of outcomes and the instructions of their rows. Each rule is one function; the table is in `rules.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isophrase.lint.findings import Finding, Measured, Severity
from isophrase.sources.problems import listed
from isophrase.statistics.metrics import instruction_means
from isophrase.statistics.summary import share
from isophrase.statistics.variance import crossed

_LEVEL = 0.95
_FEW_EXAMPLES, _FEW_WORDINGS = 20, 3
_PERFECT, _CLEARLY_LESS = 0.999, 0.9
_UNSCORED = 0.05
_WELL = 0.7
_UNITED = 0.95


def noisy_gold(measured: Measured) -> Iterator[Finding]:
    """Every wording scores below chance: the right answers behave like noise, or are mapped wrongly."""
    table = measured.table
    means = instruction_means(table.values)
    means = means[~np.isnan(means)]
    if np.isnan(table.chance) or len(means) < _FEW_WORDINGS or table.values.shape[1] < _FEW_EXAMPLES:
        return
    if not (means < table.chance).all():
        return
    average = share(crossed(table.values), _LEVEL)
    severity = Severity.ERROR if average.high < table.chance else Severity.WARNING
    yield Finding(
        "noisy-gold", severity, measured.place,
        f"accuracy is below chance ({100 * table.chance:.0f} %) under every wording; on average "
        f"{100 * average.value:.0f} % [{100 * average.low:.0f}, {100 * average.high:.0f}]",
        "check the right answers and how labels become options",
    )  # fmt: skip


def one_perfect_collection(measured: Measured) -> Iterator[Finding]:
    """The wordings of one collection score 100 %, all others clearly less: they may give the answer away."""
    means = instruction_means(measured.table.values)
    by_collection: dict[str, list[float]] = {}
    for item, mean in zip(measured.instructions, means.tolist(), strict=True):
        if not np.isnan(mean):
            by_collection.setdefault(item.collection, []).append(mean)
    perfect = [name for name, values in by_collection.items() if min(values) >= _PERFECT]
    others = [value for name, values in by_collection.items() if name not in perfect for value in values]
    if len(perfect) == 1 and others and max(others) < _CLEARLY_LESS:
        yield Finding(
            "one-perfect-collection", Severity.ERROR, measured.place,
            f"100 % under every wording of {perfect[0]!r} and at most {100 * max(others):.0f} % under any other",
            f"see whether the templates of {perfect[0]!r} show the answer",
        )  # fmt: skip


def constant_answer(measured: Measured) -> Iterator[Finding]:
    """Under one wording the model gives the same answer to every example, though it does not under others."""
    choices = measured.table.choices
    if choices.shape[1] < _FEW_EXAMPLES:
        return
    answers = [row[row >= 0].tolist() for row in choices]
    if not any(len(set(row)) > 1 for row in answers):
        return
    for item, row in zip(measured.instructions, answers, strict=True):
        if len(row) >= _FEW_EXAMPLES and len(set(row)) == 1:
            yield Finding(
                "constant-answer", Severity.WARNING, f"{measured.place}: {item.id}",
                "every example gets the same answer", "see whether the wording asks for what is scored",
            )  # fmt: skip


def unscored(measured: Measured) -> Iterator[Finding]:
    """More than one cell in twenty of a wording has no score."""
    missing = measured.unscored or tuple(np.isnan(measured.table.values).mean(axis=1).tolist())
    for item, part in zip(measured.instructions, missing, strict=True):
        if part > _UNSCORED:
            severity = Severity.ERROR if part == 1 else Severity.WARNING
            yield Finding(
                "unscored", severity, f"{measured.place}: {item.id}", f"{100 * part:.0f} % of its cells have no score",
                "see the reasons in the report",
            )  # fmt: skip


def suspect_gold(measured: Measured) -> Iterator[Finding]:
    """Nearly all wordings agree on an answer that counts as wrong, in a task that is otherwise done well."""
    table = measured.table
    rows, _ = table.values.shape
    if rows < 2 * _FEW_WORDINGS or np.isnan(table.values).all() or np.nanmean(table.values) < _WELL:
        return
    suspects = []
    for column, name in enumerate(table.examples):
        answers = table.choices[:, column]
        answers = answers[answers >= 0]
        if len(answers) < rows / 2 or np.nanmax(table.values[:, column]) > 0:
            continue
        if np.bincount(answers).max() / len(answers) >= _UNITED:
            suspects.append(name)
    if suspects:
        yield Finding(
            "suspect-gold", Severity.WARNING, measured.place,
            f"the examples {listed(map(repr, suspects))} get one and the same wrong answer under nearly every wording",
            "check their right answers",
        )  # fmt: skip
