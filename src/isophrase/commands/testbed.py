"""`testbed`: the wording testbed, on which repairs are compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isophrase.commands.output import console, table

if TYPE_CHECKING:
    from isophrase.testbed.recipe import Source
    from isophrase.testbed.table import Line

testbed_app = typer.Typer(no_args_is_help=True)

SourceName = Annotated[str, typer.Option("--source", help="`own` (this project's reviews) or `bigbench` (multiemo).")]
Results = Annotated[Path, typer.Option("--results", help="The folder of kept rows.")]
RESULTS = Path("docs/results/testbed")


@testbed_app.callback()
def testbed() -> None:
    """Six tasks over the same reviews: only the wording of the instruction says what to do.

    Example: isophrase testbed build --seed 0
    """


@testbed_app.command()
def build(
    results: Results = RESULTS,
    source: SourceName = "own",
    seed: Annotated[int, typer.Option(help="Of the instruction tuning.")] = 0,
) -> None:
    """Instruction-tune the embedded model on the observed wordings, unless its adapter is kept among the results.

    Example: isophrase testbed build --source bigbench
    """
    from isophrase.api import testbed as api
    from isophrase.progress import display

    with display(console(stderr=True)) as shown:
        folder = api.build_testbed(results, _source(source), seed, shown)
    typer.echo(folder)


@testbed_app.command()
def run(
    results: Results = RESULTS,
    source: SourceName = "own",
    method: Annotated[list[str] | None, typer.Option(help="Only rows of this method; may be repeated.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only rows of this seed; may be repeated.")] = None,
    development: Annotated[
        bool, typer.Option("--development", help="The rows from which `default` is chosen, on development data.")
    ] = False,
) -> None:
    """Fill rows of the table. Rows that are kept are not computed again; run it again after any crash.

    Example: isophrase testbed run --method pt --method default --seed 2
    """
    from isophrase.api import testbed as api
    from isophrase.progress import display
    from isophrase.testbed.rows import all_keys, development_keys

    chosen = _source(source)
    rows = development_keys(chosen) if development else all_keys(chosen)
    keys = [key for key in rows if (not method or key.method in method) and (not seed or key.seed in seed)]
    if not keys or {*(method or ())} - {key.method for key in keys}:
        known = {key.method: [one.seed for one in rows if one.method == key.method] for key in rows}
        said = "; ".join(f"{name} {', '.join(map(str, seeds))}" for name, seeds in known.items())
        raise typer.BadParameter(
            f"expected a row of the table; got none for some method and seed asked for; there are: {said}"
        )
    with display(console(stderr=True)) as shown:
        api.fill_rows(results, chosen, keys, shown)


@testbed_app.command("table")
def show_table(results: Results = RESULTS, source: SourceName = "own") -> None:
    """Print the table over kept rows, with 95 % intervals.

    Example: isophrase testbed table
    """
    from isophrase.api import testbed as api
    from isophrase.progress import display
    from isophrase.testbed.table import FIGURES

    with display(console(stderr=True)) as shown:
        lines = api.rows_table(results, _source(source), shown=shown)
    header = ("method", "runs", *FIGURES, "parameters", "minutes", "p against pt")
    table(header, [_row(line) for line in lines])


def _row(line: Line) -> tuple[str, ...]:
    from isophrase.testbed.table import FIGURES, figure_text

    figures = [figure_text(line, name) for name in FIGURES]
    versus = "" if line.versus is None else f"{line.versus:.3f}"
    return (line.method, str(line.runs), *figures, f"{line.parameters:,}", f"{line.minutes:.1f}", versus)


def _source(name: str) -> Source:
    from isophrase.testbed.recipe import Source

    try:
        return Source(name)
    except ValueError:
        raise typer.BadParameter(f"expected own or bigbench; got {name!r}; choose one of them") from None
