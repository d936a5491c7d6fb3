"""What the page's template is given of a comparison: a sentence, plots, changes, and each wording before and after.

Knows comparisons, the panels that they were made from, and the plots. Does not know HTML tags other than the SVG that
it passes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from isophrase.report import plots
from isophrase.report.comparison import READING, ComparisonView, ConditionComparison, p_value
from isophrase.report.marks import Mark, MarkCode
from isophrase.report.numbers import count, hundredths, interval
from isophrase.report.text import Piece, wording
from isophrase.report.view import Panel, RunView
from isophrase.statistics.paired import Change, TaskComparison
from isophrase.statistics.reading import DropChange

_LINE = 140
NAMES = {"mean": "Mean", "std": "Standard deviation", "minimum": "Worst", "spread": "Spread", "flip_rate": "Flip rate"}


@dataclass(frozen=True)
class ChangeLine:
    """One statistic of one task: before, after, the difference and its brackets, and what the tests say."""

    name: str
    before: str
    after: str
    difference: str
    brackets: str
    tests: str


@dataclass(frozen=True)
class WordingChange:
    """One wording before and after."""

    row: int
    id: str
    pieces: tuple[Piece, ...]
    before: float
    after: float
    mended: int
    broken: int

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class TaskChange:
    """One task before and after. `before` and `after` are indexes of panels."""

    anchor: str
    task: str
    before: int
    after: int
    lines: tuple[ChangeLine, ...]
    reading: str
    wordings: tuple[WordingChange, ...]
    mended: int
    broken: int


@dataclass(frozen=True)
class ComparePage:
    """One comparison of two models, ready for the template."""

    anchor: str
    before: str
    after: str
    claim: str
    lede: str
    plot: Markup
    legend: tuple[tuple[Markup, str], ...]
    tasks: tuple[TaskChange, ...]
    level: float


def compare_pages(view: RunView, comparisons: Sequence[ComparisonView], code: MarkCode) -> tuple[ComparePage, ...]:
    """Every comparison of the page, in order.

    Args:
        view: Holds the panels of both sides of each comparison, under the names that the comparison has.
        comparisons: What was compared.
        code: The visual code of the page.
    """
    index = {
        (panel.summary.model, panel.summary.task, panel.summary.shots, panel.summary.prompt_format): place
        for place, panel in enumerate(view.panels)
    }
    found = [condition for item in comparisons for condition in item.conditions]
    return tuple(_page(f"x{number}", condition, view, index, code) for number, condition in enumerate(found))


def _page(
    anchor: str, condition: ConditionComparison, view: RunView, index: Mapping[tuple[str, str, int, str], int],
    code: MarkCode,
) -> ComparePage:  # fmt: skip
    found = condition.comparison
    tasks, rows = [], []
    for number, task in enumerate(found.tasks):
        where = (task.task, task.shots, task.prompt_format)
        before, after = index[found.before, *where], index[found.after, *where]
        drop = next((item for item in condition.reading if item.task == task.task), None)
        tasks.append(_task(f"{anchor}-t{number}", task, drop, view, before, after))
        panel = view.panels[before]
        rows.append(plots.Row(task.task, f"#{anchor}-t{number}", panel, code.of(panel)))
    marks = (Mark("circle", "unobserved", "before"), Mark("circle", "observed", "after"))
    sides = [(row, *_mean(task)) for row, task in zip(rows, found.tasks, strict=True)]
    limits = plots.domain([view.panels[place] for task in tasks for place in (task.before, task.after)])
    plot = plots.dumbbells(sides, limits, marks, id_=f"{anchor}-means", title="Mean before and after")
    claim, lede = _sentences(condition)
    return ComparePage(
        anchor=anchor,
        before=found.before,
        after=found.after,
        claim=claim,
        lede=lede,
        plot=plot,
        legend=tuple((plots.key(mark), mark.kind) for mark in marks),
        tasks=tuple(tasks),
        level=found.tasks[0].changes[0].difference.level,
    )


def _mean(task: TaskComparison) -> tuple[float, float, str]:
    change = task.changes[0]
    return change.before, change.after, signed(change.difference.value, 0) + " " + interval(change.difference, 0)


def signed(share: float, digits: int = 1) -> str:
    """A difference in points with its sign."""
    text = hundredths(share, digits)
    return text if math.isnan(share) or text.startswith("−") or not float(text) else f"+{text}"


def _sentences(condition: ConditionComparison) -> tuple[str, str]:
    found = condition.comparison
    over = {item.name: item.difference.these for item in found.overall}
    mean, spread = over["mean"], over["spread"]
    ends = [_average(found.tasks, "spread", side) for side in ("before", "after")]
    verb = "rises" if mean.value > 0 else "falls"
    claim = f"The mean {verb} by {hundredths(abs(mean.value), 0)} points"
    claim += f"; the spread goes from {hundredths(ends[0], 0)} to {hundredths(ends[1], 0)} points."
    over_tasks = f"averaged over {count(len(found.tasks), 'task')}, on the cells that both have"
    parts = [
        f"{name} {signed(item.value)} {interval(item)}".rstrip() for name, item in (("mean", mean), ("spread", spread))
    ]
    return claim, f"In points: {'; '.join(parts)}; {over_tasks}."


def _average(tasks: Sequence[TaskComparison], name: str, side: str) -> float:
    values = [getattr(change, side) for task in tasks for change in task.changes if change.name == name]
    return float(np.mean(values)) if values else math.nan


def _task(
    anchor: str, task: TaskComparison, drop: DropChange | None, view: RunView, before: int, after: int
) -> TaskChange:
    wordings = tuple(_wordings(view.panels[before], view.panels[after]))
    lines = [_line(change) for change in task.changes] + ([] if drop is None else [_drop_line(drop)])
    return TaskChange(
        anchor, task.task, before, after, tuple(lines), READING if drop else "", wordings,
        sum(item.mended for item in wordings), sum(item.broken for item in wordings),
    )  # fmt: skip


def _line(change: Change) -> ChangeLine:
    tests = ", ".join(f"{p_value(test.p_value)} ({test.unit.value})" for test in change.tests)
    return ChangeLine(
        NAMES[change.name], hundredths(change.before), hundredths(change.after), signed(change.difference.value),
        interval(change.difference), tests or "–",
    )  # fmt: skip


def _drop_line(drop: DropChange) -> ChangeLine:
    ends = hundredths(drop.before.value), hundredths(drop.after.value)
    return ChangeLine("Negation drop", *ends, signed(drop.change.value), interval(drop.change), "–")


def _wordings(before: Panel, after: Panel) -> Iterator[WordingChange]:
    """The wordings of both sides on the cells that both have, the largest changes first."""
    rows = {name: row for row, name in enumerate(after.table.instructions)}
    columns = {name: column for column, name in enumerate(after.table.examples)}
    common = [(column, columns[name]) for column, name in enumerate(before.table.examples) if name in columns]
    if not common:
        return
    own, other = (list(part) for part in zip(*common, strict=True))
    found = []
    for row, instruction in enumerate(before.instructions):
        if instruction.id not in rows:
            continue
        one, two = before.table.values[row, own], after.table.values[rows[instruction.id], other]
        both = ~np.isnan(one) & ~np.isnan(two)
        if not both.any():
            continue
        one, two = one[both], two[both]
        found.append(
            WordingChange(
                row, instruction.id, wording(instruction.template, _LINE), float(one.mean()), float(two.mean()),
                int(((one < 1) & (two >= 1)).sum()), int(((one >= 1) & (two < 1)).sum()),
            )
        )  # fmt: skip
    yield from sorted(found, key=lambda item: -abs(item.difference))
