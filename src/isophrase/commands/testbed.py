"""`testbed`: the wording testbed, on which repairs are compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isophrase.commands.output import console, table

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    seed: Annotated[int, typer.Option(min=0, help="Of the instruction tuning.")] = 0,
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
    missing = {*(method or ())} - {key.method for key in keys} or {*(seed or ())} - {key.seed for key in keys}
    if not keys or missing:
        known = {key.method: {one.seed: None for one in rows if one.method == key.method} for key in rows}
        said = "; ".join(f"{name} {', '.join(map(str, seeds))}" for name, seeds in known.items())
        raise typer.BadParameter(
            f"expected a row of the table; got none for some method and seed asked for; there are: {said}"
        )
    with display(console(stderr=True)) as shown:
        api.fill_rows(results, chosen, keys, shown)


@testbed_app.command("table")
def show_table(
    results: Results = RESULTS,
    source: SourceName = "own",
    section: Annotated[str, typer.Option(help="main, confirmation, methods, ablations or development.")] = "main",
    method: Annotated[list[str] | None, typer.Option(help="Only this method; may be repeated.")] = None,
    tuned: Annotated[int | None, typer.Option(help="Only rows of the tuned model with this seed.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only this aligned task; may be repeated.")] = None,
    without_turned: Annotated[
        bool, typer.Option("--without-turned", help="Without wordings that the unrepaired model answers below chance.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
) -> None:
    """Print a section of the table over kept rows, with 95 % intervals; a column for each method.

    Example: isophrase testbed table --section methods
    """
    from isophrase.api import testbed as api
    from isophrase.progress import display
    from isophrase.testbed.inputs import ALIGNED
    from isophrase.testbed.table import table as make_table
    from isophrase.testbed.table import without_turned as turned_left_out

    _known("--section", [section], api.sections_of(_source(source)))
    tasks = _known("--task", task or list(ALIGNED), ALIGNED)
    with display(console(stderr=True)) as shown:
        rows = api.kept_rows(results, _source(source), section, shown)
    chosen = _known("--method", method or [row.method for row in rows], [row.method for row in rows])
    if tuned is not None:
        _known("--tuned", [str(tuned)], [str(row.tuned) for row in rows])
        rows = [row for row in rows if row.tuned == tuned]
    lines = make_table(turned_left_out(rows) if without_turned else rows, tasks)
    cells = _cells([line for line in lines if line.method in chosen])
    if markdown:
        marked = [cells[0], ("---", *("---:" for _ in cells[0][1:])), *cells[1:]]
        typer.echo("\n".join(f"| {' | '.join(row)} |" for row in marked))
    else:
        table((section, *("" for _ in cells[0][1:])), cells)


def _cells(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """The table, one row for each figure."""
    from isophrase.testbed.figures import FIGURES
    from isophrase.testbed.table import figure_text, versus_text

    return [
        ("", *("no repair" if line.method == "none" else line.method for line in lines)),
        ("runs", *(str(line.runs) for line in lines)),
        *(
            (name.replace(" - ", " − "), *(figure_text(line, name).replace("-", "−") for line in lines))
            for name in FIGURES
        ),
        ("parameters", *(f"{line.parameters:,}" for line in lines)),
        ("minutes", *(f"{line.minutes:.1f}" for line in lines)),
        ("p against pt", *(versus_text(line) for line in lines)),
    ]


def _known(option: str, got: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    if unknown := [name for name in got if name not in known]:
        said = ", ".join(dict.fromkeys(known))
        raise typer.BadParameter(f"{option}: expected one of {said}; got {', '.join(unknown)}")
    return got


def _source(name: str) -> Source:
    from isophrase.testbed.recipe import Source

    try:
        return Source(name)
    except ValueError:
        raise typer.BadParameter(f"expected own or bigbench; got {name!r}; choose one of them") from None
