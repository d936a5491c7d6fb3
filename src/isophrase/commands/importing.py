"""`import`: results that were measured elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import Json, Out, console, show_estimates


def import_(
    files: Annotated[list[Path], typer.Argument(help="A table of means, or logs with single answers.")],
    out: Out = None,
    as_json: Json = False,
    task: Annotated[str | None, typer.Option(help="The task that several logs are wordings of.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name, where the logs do not say.")] = None,
) -> None:
    """Make a run of results measured elsewhere: csv tables, lm-eval samples, HELM folders, Inspect logs.

    Example: isophrase import results.csv --out runs/paper
    """
    from isophrase.api import runs
    from isophrase.api.importing import import_results

    folder = import_results(files, out or Path("runs") / files[0].stem, task=task, model=model)
    view = runs.read(folder)
    show_estimates(view, as_json)
    console(stderr=True).print(f"report: {runs.write_report(folder, view)}", soft_wrap=True)


import_.__name__ = "import"
