"""The report in a terminal: a sentence for each model, a line for each task, then its best and worst wordings.

Knows rich. As wide as the terminal allows, and plain and complete when the output is piped. Text of any origin is shown
as text: no markup and no control sequence in it is obeyed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from isophrase.report.more import print_more
from isophrase.report.numbers import hundredths, interval, with_interval
from isophrase.report.overview import Condition, conditions, sentence, why_no_gap
from isophrase.report.printing import new_table, print_line, print_table, width
from isophrase.report.text import shorten, wording_line
from isophrase.report.view import Panel, RunView
from isophrase.statistics.tables import Estimate

_UNITS = "Levels and rates in percent, differences in points"
_PIPED_WORDING = 160
_NAME = 40
_LEAST_ROOM = 16


@dataclass(frozen=True, slots=True)
class _Layout:
    """How much a table of tasks shows: decimals, intervals beside or below their values, and the columns left out."""

    digits: int
    stacked: bool
    without: tuple[str, ...] = ()


_LAYOUTS = (
    _Layout(1, stacked=False),
    _Layout(1, stacked=True),
    _Layout(0, stacked=False),
    _Layout(0, stacked=True),
    _Layout(0, stacked=True, without=("Chance",)),
    _Layout(0, stacked=True, without=("Chance", "Std")),
    _Layout(0, stacked=True, without=("Chance", "Std", "Flip rate", "Unscored")),
)


def print_terminal(view: RunView, console: Console) -> None:
    """Print the whole report.

    Args:
        view: The run.
        console: Where to; its width is respected if it is a terminal, and ignored (no line is cut) if it is not.
    """
    found = conditions(view)
    if not found:
        print_line(console, f"{view.name}: nothing has been measured yet")
    for condition in found:
        print_line(console, sentence(condition), style="bold")
    for note in view.notes:
        print_line(console, f"note: {note}", style="yellow")
    for condition in found:
        console.print()
        if len(found) > 1:
            print_line(console, condition.label, style="bold")
        _print_tasks(condition, console)
        if not condition.gaps:
            print_line(console, why_no_gap(condition), style="dim")
        console.print()
        _print_wordings(condition, console)
        print_more(condition, console)


def _print_tasks(condition: Condition, console: Console) -> None:
    layout = _LAYOUTS[0]
    if console.is_terminal:
        fitting = (item for item in _LAYOUTS if width(console, _tasks(condition, item)) <= console.width)
        layout = next(fitting, _LAYOUTS[-1])
    print_table(console, _tasks(condition, layout))
    level = next((panel.summary.mean.level for panel in condition.panels), math.nan)
    remark = f"{_UNITS}; {hundredths(level, 0)} % intervals in brackets."
    remark += " Std, worst–best and spread: without the luck of the examples drawn."
    if layout.without:
        remark += f" A wider terminal also shows: {', '.join(layout.without)}."
    print_line(console, remark, style="dim")


def _tasks(condition: Condition, layout: _Layout) -> Table:
    columns = list(_columns(condition, layout))
    table = new_table()
    table.add_column("Task", overflow="fold")
    for name, _ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for panel in condition.panels:
        title = Text(shorten(panel.summary.task, _NAME))
        if len({item.metric for item in condition.panels}) > 1:
            title.append(f" ({panel.score_name})", style="dim")
        table.add_row(title, *(cell(panel) for _, cell in columns))
    return table


def _columns(condition: Condition, layout: _Layout) -> Iterator[tuple[str, Callable[[Panel], RenderableType]]]:
    """(heading, cell) of every column that is shown; a column that would hold nothing is left out."""
    digits = layout.digits
    all_columns: list[tuple[str, bool, Callable[[Panel], RenderableType]]] = [
        ("Mean", True, lambda panel: _estimate(panel.summary.mean, layout)),
        ("Std", True, lambda panel: _estimate(panel.summary.std, layout)),
        ("Worst–best", True, lambda panel: _range(panel, digits)),
        ("Spread", True, lambda panel: _estimate(panel.summary.spread, layout)),
        ("Gap", bool(condition.gaps), lambda panel: _estimate(panel.summary.gap, layout)),
        ("Flip rate", True, lambda panel: _estimate(panel.summary.flip_rate, layout)),
        (
            "Unscored",
            any(panel.summary.unscored.value > 0 for panel in condition.panels),
            lambda panel: Text(hundredths(panel.summary.unscored.value, digits)),
        ),
        ("Chance", True, lambda panel: Text(hundredths(panel.summary.chance, digits))),
    ]
    return ((name, cell) for name, is_filled, cell in all_columns if is_filled and name not in layout.without)


def _range(panel: Panel, digits: int) -> Text:
    ends = (panel.summary.minimum.value, panel.summary.maximum.value)
    return Text("–".join(hundredths(end, digits) for end in ends))


def _estimate(estimate: Estimate | None, layout: _Layout) -> Text:
    if estimate is None:
        return Text("–")
    text, brackets = Text(hundredths(estimate.value, layout.digits)), interval(estimate, layout.digits)
    if brackets:
        text.append(("\n" if layout.stacked else " ") + brackets, style="dim")
    return text


def _print_wordings(condition: Condition, console: Console) -> None:
    if not console.is_terminal:
        print_table(console, _wordings(condition, _PIPED_WORDING, has_interval=True))
        return
    for has_interval in (True, False):
        room = console.width - width(console, _wordings(condition, 0, has_interval=has_interval)) - 3
        if room >= _LEAST_ROOM:
            break
    print_table(console, _wordings(condition, room if room >= _LEAST_ROOM else 0, has_interval=has_interval))


def _wordings(condition: Condition, room: int, *, has_interval: bool) -> Table:
    table = new_table()
    table.add_column("Task", overflow="fold")
    table.add_column("Wording")
    table.add_column("Measured", justify="right", no_wrap=True)
    table.add_column("Instruction", overflow="fold")
    if room:
        table.add_column("", no_wrap=True, overflow="ellipsis")
    for panel in condition.panels:
        for what, score, instruction, line in _ends(panel):
            shown = with_interval(score) if has_interval else hundredths(score.value)
            cells = [shorten(panel.summary.task, _NAME), what, shown, shorten(instruction, _NAME)]
            table.add_row(*map(Text, [*cells, shorten(line, room)] if room else cells))
    return table


def _ends(panel: Panel) -> Iterator[tuple[str, Estimate, str, str]]:
    """(what it is, score, instruction, wording) of the best and the worst instruction, and of the controls."""
    scored = [row for row in panel.ranking if not math.isnan(panel.summary.instructions[row].mean.value)]
    named = (
        zip(("best", "worst"), (scored[0], scored[-1]), strict=True)
        if len(scored) > 1
        else zip(("only",), scored, strict=False)
    )
    for what, row in named:
        instruction = panel.instructions[row]
        line = wording_line(instruction.template, _PIPED_WORDING)
        yield what, panel.summary.instructions[row].mean, instruction.id, line
    for control in panel.controls:
        yield "control", control.mean, control.instruction, "(in no estimate)"
