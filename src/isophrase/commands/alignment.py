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


def train_and_verify(job: Path, out: Path | None) -> None:
    """Align, measure before and after on what training never saw, and say what changed."""
    from isophrase.api import alignment
    from isophrase.api.comparing import Side, compare_runs
    from isophrase.api.viewing import write_comparison
    from isophrase.progress import display
    from isophrase.report.comparison import print_comparison
    from isophrase.statistics.paired import Settings
    from isophrase.statistics.swapping import Alternative

    with display(console(stderr=True)) as shown:
        found = alignment.align(job, out, shown, to_verify=True)
        before, after = alignment.verify(job, out, shown)
    _say(found)
    # Before and after, one-sided: that alignment helps was said beforehand.
    settings = Settings(alternative=Alternative.BETTER)
    print_comparison(compare_runs(before, after, settings=settings, leave_out_trained=True), console())
    page = before.parent / "compared.html"
    write_comparison(page, Side(before), Side(after), settings=settings, leave_out_trained=True)
    console(stderr=True).print(f"page: {page}", soft_wrap=True)


def _say(found: Aligned) -> None:
    record = found.record
    typer.echo(f"{found.folder}: {record.parameters:,} numbers trained in {record.seconds / 60:.1f} minutes")
    for note in record.notes:
        typer.echo(f"note: {note}", err=True)
