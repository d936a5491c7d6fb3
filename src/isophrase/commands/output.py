"""What the commands share: options, consoles and tables.

Knows typer and rich. Does not know what any command does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from isophrase.report.view import RunView

Out = Annotated[Path | None, typer.Option("--out", "-o", help="The run folder. Default: runs/NAME.")]
Json = Annotated[bool, typer.Option("--json", help="Print the estimates as JSON instead of tables.")]


def console(*, stderr: bool = False) -> Console:
    """Where to print; progress and what is not a result goes to stderr."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows as a table on a terminal, as tab-separated lines elsewhere."""
    from rich.table import Table
    from rich.text import Text

    shown = console()
    if not shown.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    drawn = Table(*header, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(value) for value in row))
    shown.print(drawn)


def show_estimates(view: RunView, as_json: bool) -> None:
    """Print the estimates of a run."""
    if as_json:
        from isophrase.report.machine import to_json_text

        typer.echo(to_json_text(view))
        return
    from isophrase.report.terminal import print_terminal

    print_terminal(view, console())
