"""Lines and tables in a terminal: as wide as it allows there, plain and complete when the output is piped.

Knows rich. Text of any origin is shown as text.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isophrase.report.text import visible


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print one line of text, cut nowhere when piped."""
    console.print(Text(" ".join(visible(text).split()), style=style), soft_wrap=not console.is_terminal)


def new_table() -> Table:
    """An empty table in our style."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", highlight=False)


def width(console: Console, table: Table) -> int:
    """How many characters a table needs."""
    return console.measure(table, options=console.options.update(max_width=10_000)).maximum


def print_table(console: Console, table: Table) -> None:
    """Print a table, as wide as it needs when piped."""
    if console.is_terminal:
        console.print(table)
        return
    wide = Console(width=width(console, table) + 1, color_system=None, force_terminal=False, legacy_windows=False)
    with wide.capture() as captured:
        wide.print(table)
    lines = [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]
    console.print(Text("\n".join(lines)), soft_wrap=True)
