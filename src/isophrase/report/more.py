"""What a terminal shows below its tables: quantiles, the variance split, other papers' numbers, and the conclusion.

Knows conditions and rich.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isophrase.report.conclusion import conclusion
from isophrase.report.inference import gap_test
from isophrase.report.numbers import UNDEFINED, hundredths
from isophrase.report.overview import Condition
from isophrase.report.printing import new_table, print_line, print_table
from isophrase.report.text import shorten
from isophrase.report.view import Panel
from isophrase.statistics.further import Further
from isophrase.statistics.measures import NAMES, QUANTILES, over_tasks
from isophrase.statistics.tables import Estimate

_HEADS = {
    "fleiss_kappa": "Fleiss κ",
    "pss": "PSS",
    "posix": "POSIX",
    "saturation": "Sat",
    "combined_performance": "CPS",
    "performance_drop_rate": "PDR",
    "sensitivity": "Sensitivity",
    "consistency": "Consistency",
}
_PARTS = {"instruction": "Wording", "example": "Example", "interaction": "Both"}


def print_more(condition: Condition, console: Console) -> None:
    """Print what there is of it; nothing where no task has two wordings."""
    found = [(panel, panel.further) for panel in condition.compared if panel.further is not None]
    if not found:
        return
    console.print()
    print_table(console, _quantiles(found))
    print_line(
        console,
        "Quantiles over wordings in percent, without the luck of the examples; shares of the variance of one answer.",
        style="dim",
    )
    console.print()
    print_table(console, _measures([(panel.summary.task, more) for panel, more in found]))
    print_line(
        console, "As other papers define them, on the cells as measured; PSS to consistency from 0 to 1.", style="dim"
    )
    console.print()
    print_line(console, conclusion(condition, gap_test(condition)))


def _quantiles(found: Sequence[tuple[Panel, Further]]) -> Table:
    drawn = new_table()
    drawn.add_column("Task", overflow="fold")
    for name in (*(f"{hundredths(share, 0)} %" for share in QUANTILES), *_PARTS.values()):
        drawn.add_column(name, justify="right", no_wrap=True)
    for panel, more in found:
        values = [hundredths(item.accuracy.value) for item in more.measures.quantiles]
        total = more.components.total
        shares = [hundredths(getattr(more.components, part) / total, 0) if total > 0 else UNDEFINED for part in _PARTS]
        drawn.add_row(Text(shorten(panel.summary.task, 40)), *values, *shares)
    return drawn


def _measures(found: Sequence[tuple[str, Further]]) -> Table:
    averages = over_tasks([more.measures for _, more in found])
    shown = [name for name in NAMES if averages[name].value == averages[name].value]
    drawn = new_table()
    drawn.add_column("Task", overflow="fold")
    for name in shown:
        drawn.add_column(_HEADS[name], justify="right", no_wrap=True)
    for task, more in found:
        drawn.add_row(Text(shorten(task, 40)), *(_plain(getattr(more.measures, name)) for name in shown))
    if len(found) > 1:
        drawn.add_row(Text("average"), *(_plain(averages[name]) for name in shown), style="bold")
    return drawn


def _plain(estimate: Estimate) -> str:
    return f"{estimate.value:.2f}" if estimate.value == estimate.value else UNDEFINED
