"""`distance`: how far apart the model's inner states of the wordings lie, and whether that goes with accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isophrase.commands.output import Json, console, table

if TYPE_CHECKING:
    from isophrase.report.view import RunView


def distance(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    layer: Annotated[
        int, typer.Option(help="As in transformers' hidden_states: 0 embeddings, -1 the last, -2 the penultimate.")
    ] = -2,
    position: Annotated[str, typer.Option(help="last (prompt token, or first decoder step) or mean.")] = "last",
    examples: Annotated[int, typer.Option(help="At most so many examples of each task.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the projection.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure representation distances of a run, and their correlation with the loss in accuracy.

    Example: isophrase distance runs/demo --layer -2
    """
    from isophrase.api import distances, runs
    from isophrase.progress import display

    shown_on = console(stderr=True)
    try:
        with display(shown_on) as shown:
            view = distances.measure_distances(
                folder, layer=layer, position=position, examples=examples, seed=seed, shown=shown
            )
    except KeyboardInterrupt:
        shown_on.print("stopped; the same command goes on from here")
        raise typer.Exit(130) from None
    if as_json:
        from isophrase.report.machine import distances_json_text

        typer.echo(distances_json_text(view))
    else:
        _show(view)
    shown_on.print(f"report: {runs.write_report(folder, view)}", soft_wrap=True)


def _show(view: RunView) -> None:
    from isophrase.report import distances

    for item in distances.found(view):
        typer.echo(f"{item.condition.label}: {distances.verdict(item)}.")
        typer.echo(distances.what_is_measured(item))
        for what, said, nothing in distances.associations(item):
            value = f"{distances.with_brackets(said.value)}, {distances.p_value(said.p)}"
            typer.echo(f"  {what}: {value} (no relation: {nothing})")
        table(distances.HEADER, distances.task_rows(item))
        typer.echo("")
