"""`tune` and `align`: train a model on wordings, and prove what it gained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isophrase.commands.output import Out, console

if TYPE_CHECKING:
    from isophrase.api.alignment import Aligned

JobPath = Annotated[Path, typer.Argument(help="The job's file (YAML).")]


def tune(job: JobPath, out: Out = None) -> None:
    """Instruction-tune a model on tasks and wordings. Run it again after any crash: it goes on where it stopped.

    Example: isophrase tune recipes/tune.yaml --out runs/tuned
    """
    from isophrase.api import alignment
    from isophrase.progress import display

    with display(console(stderr=True)) as shown:
        found = alignment.tune(job, out, shown)
    _say(found)


def align(
    job: JobPath,
    out: Out = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Measure before and after on held-out wordings, and compare.")
    ] = False,
) -> None:
    """Train an adapter that makes a model answer alike however an instruction is worded.

    Example: isophrase align recipes/align.yaml --out runs/aligned --verify
    """
    if verify:
        train_and_verify(job, out)
        return
    from isophrase.api import alignment
    from isophrase.progress import display

    with display(console(stderr=True)) as shown:
        found = alignment.align(job, out, shown)
    _say(found)


def train_and_verify(job: Path, out: Path | None, *, on_stdout: bool = True) -> None:
    """Align, measure before and after on what training never saw, and say what changed, on stdout or on stderr."""
    from isophrase.api import alignment
    from isophrase.api.comparing import Side, compare_views, of_tasks, side_view
    from isophrase.api.viewing import write_comparison
    from isophrase.progress import display
    from isophrase.report.comparison import print_comparison
    from isophrase.statistics.paired import Settings
    from isophrase.statistics.swapping import Alternative

    with display(console(stderr=True)) as shown:
        found = alignment.align(job, out, shown, to_verify=True)
        before, after = alignment.verify(job, out, shown)
    _say(found, on_stdout=on_stdout)
    sides = side_view(Side(before), "first"), side_view(Side(after), "second")
    # One-sided: that alignment helps where it trains was said beforehand; of other tasks nothing was.
    for title, name, tasks, alternative in (
        ("Held-out wordings of the tasks trained on", "compared", found.tasks, Alternative.BETTER),
        ("Tasks outside training", "compared-outside", found.outside, Alternative.TWO_SIDED),
    ):
        if not tasks:
            continue
        settings = Settings(alternative=alternative)
        first, second = (of_tasks(side, tasks) for side in sides)
        view = compare_views(first, second, settings=settings, leave_out_trained=True)
        typer.echo(f"\n{title}", err=not on_stdout)
        print_comparison(view, console(stderr=not on_stdout))
        page = before.parent / f"{name}.html"
        write_comparison(page, first, second, settings=settings, leave_out_trained=True)
        console(stderr=True).print(f"page: {page}", soft_wrap=True)


def _say(found: Aligned, *, on_stdout: bool = True) -> None:
    record = found.record
    trained = f"{found.folder}: {record.parameters:,} numbers trained in {record.seconds / 60:.1f} minutes"
    typer.echo(trained, err=not on_stdout)
    for note in record.notes:
        typer.echo(f"note: {note}", err=True)
