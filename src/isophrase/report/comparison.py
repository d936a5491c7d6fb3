"""A comparison in a terminal and as JSON.

Knows comparisons and rich. A change for the better is not coloured: the interval and the p-values say what there is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isophrase.report.numbers import count, hundredths, interval, with_interval
from isophrase.report.printing import new_table, print_line, print_table
from isophrase.report.text import shorten
from isophrase.statistics.closing import GapClosed
from isophrase.statistics.export import to_json
from isophrase.statistics.paired import Change, Comparison, OverallChange, Test
from isophrase.statistics.reading import DropChange
from isophrase.statistics.swapping import Alternative, Unit

FORMAT = 1
READING = (
    "Negation drop: accuracy under references less accuracy under negated wordings, by the labels of the references. A "
    "model that answers without reading the instruction has none. Intervals speak of examples like these."
)
_NAMES = {"mean": "Mean", "std": "Std", "minimum": "Worst", "spread": "Spread", "flip_rate": "Flip rate"}


@dataclass(frozen=True)
class ConditionComparison:
    """All tasks of one shot count and prompt format; `reading` has those that were measured under negated wordings."""

    shots: int
    prompt_format: str
    comparison: Comparison
    reading: tuple[DropChange, ...] = ()


@dataclass(frozen=True)
class ComparisonView:
    """Two runs compared, ready to be shown.

    Attributes:
        before: The first run's name.
        after: The second run's name.
        conditions: One for each shots × format.
        notes: What did not match.
    """

    before: str
    after: str
    conditions: tuple[ConditionComparison, ...]
    notes: tuple[str, ...]


def comparison_json(view: ComparisonView) -> str:
    """`format`, `before`, `after`, `notes` and `conditions`, as indented JSON; shares of 1, null where undefined."""
    return json.dumps(comparison_values(view), indent=2, allow_nan=False)


def comparison_values(view: ComparisonView) -> dict[str, Any]:
    """The same as plain values."""
    conditions = [
        {
            "shots": item.shots,
            "prompt_format": item.prompt_format,
            **to_json(item.comparison),
            "reading": [to_json(change) for change in item.reading],
        }
        for item in view.conditions
    ]
    return {
        "format": FORMAT,
        "before": view.before,
        "after": view.after,
        "notes": list(view.notes),
        "conditions": conditions,
    }


def print_comparison(view: ComparisonView, console: Console) -> None:
    """Print tables: over tasks first, then task by task."""
    for note in view.notes:
        print_line(console, f"note: {note}", style="yellow")
    for condition in view.conditions:
        found = condition.comparison
        print_line(
            console,
            f"{found.before} ({view.before}) → {found.after} ({view.after}), {condition.shots}-shot, "
            f"{condition.prompt_format} prompts: {count(len(found.tasks), 'task')}",
            style="bold",
        )
        if len(found.tasks) > 1:
            print_table(console, _overall(found))
            console.print()
        print_table(console, _tasks(found))
        if condition.reading:
            console.print()
            print_table(console, _reading(condition.reading))
            print_line(console, READING, style="dim")
        for text in _remarks(found):
            print_line(console, text, style="dim")


def _overall(found: Comparison) -> Table:
    drawn = new_table()
    for name in ("Average over tasks", "Difference: these tasks", "Tasks like these", "p: wordings", "p: examples"):
        drawn.add_column(name, justify="left" if name.startswith("Average") else "right", no_wrap=True)
    for change in found.overall:
        drawn.add_row(
            _NAMES[change.name],
            with_interval(change.difference.these),
            interval(change.difference.similar),
            *_p_values(change),
        )
    return drawn


def _tasks(found: Comparison) -> Table:
    drawn = new_table()
    several = len(found.tasks) > 1
    heads = ["Task", "", "Before", "After", "Difference", "p: wordings", "p: examples"]
    for name in heads + ["Holm: wordings", "Holm: examples"] * several:
        drawn.add_column(name, justify="left" if name in ("Task", "") else "right", no_wrap=True)
    for task in found.tasks:
        for place, change in enumerate(task.changes):
            drawn.add_row(
                Text(shorten(task.task, 40) if not place else ""),
                _NAMES[change.name],
                hundredths(change.before),
                hundredths(change.after),
                with_interval(change.difference),
                *_p_values(change),
                *(_p_values(change, adjusted=True) if several else ()),
            )
    return drawn


def _reading(changes: Sequence[DropChange]) -> Table:
    drawn = new_table()
    for name in ("Negation drop", "Before", "After", "Difference", "Kept, %"):
        drawn.add_column(name, justify="left" if name == "Negation drop" else "right", no_wrap=True)
    for change in changes:
        drawn.add_row(
            Text(shorten(change.task or "average over tasks", 40)),
            with_interval(change.before),
            with_interval(change.after),
            with_interval(change.change),
            "–" if math.isnan(change.kept.value) else with_interval(change.kept, 0),
        )
    return drawn


def _p_values(change: Change | OverallChange, *, adjusted: bool = False) -> Iterator[str]:
    by_unit: dict[Unit, Test] = {test.unit: test for test in change.tests}
    for unit in Unit:
        test = by_unit.get(unit)
        yield "–" if test is None else p_value(test.holm if adjusted else test.p_value)


def p_value(value: float) -> str:
    """`0.031`, `<0.001`."""
    if math.isnan(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _remarks(found: Comparison) -> Iterator[str]:
    level = found.tasks[0].changes[0].difference.level
    sides = "two-sided" if found.alternative is Alternative.TWO_SIDED else "one-sided, for the better"
    brackets = f"{hundredths(level, 0)} % intervals in brackets"
    yield f"In points; {brackets}. Tests: {sides}, paired, labels swapped within units."
    yield (
        "p: wordings speaks of wordings like these on these examples; p: examples of examples like these under these "
        "wordings. The intervals of mean, std and flip rate speak of both; those of worst and spread of examples."
    )
    if found.gap_closed is not None:
        yield gap_sentence(found.gap_closed)


def gap_sentence(found: GapClosed) -> str:
    """What is said of the gap between observed and unobserved wordings."""
    gap = f"Gap before (observed − unobserved): {with_interval(found.gap)} points"
    gain = f"unobserved wordings gained {with_interval(found.gain)}"
    if found.withheld:
        return f"{gap}; {gain}. Gap closed: withheld, since {found.withheld}."
    return (
        f"{gap}; {gain}. Gap closed: {with_interval(found.closed, 0)} % of it "
        f"({hundredths(found.closed_of_after, 0)} % against the observed wordings after)."
    )
