"""`demo`, `run` and `report`: measure a grid and show what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import Json, Out, console, show_estimates
from isophrase.types import Rule


def demo(out: Out = None, as_json: Json = False) -> None:
    """The whole loop on the embedded model: measure, align, verify on held-out wordings, report.

    Example: isophrase demo --out runs/demo
    """
    from isophrase.api import alignment, runs
    from isophrase.commands.alignment import train_and_verify

    place = out or Path("runs") / "demo"
    _run(runs.DEMO, place / "measured", as_json)
    train_and_verify(alignment.DEMO, place / "aligned", on_stdout=not as_json)


def run(
    experiment: Annotated[Path, typer.Argument(help="The experiment file (YAML).")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Fill the grid of an experiment. Run it again after any crash: it goes on where it stopped.

    Example: isophrase run recipes/bbl-small.yaml --out runs/bbl-small
    """
    _run(experiment, out, as_json)


def _run(path: Path, out: Path | None, as_json: bool) -> None:
    from isophrase.api import runs
    from isophrase.progress import display

    shown_on = console(stderr=True)
    experiment = runs.load_experiment(path)
    try:
        with display(shown_on) as shown:
            folder = runs.evaluate(experiment, out, shown)
    except KeyboardInterrupt:
        shown_on.print("stopped; the same command goes on from here")
        raise typer.Exit(130) from None
    view = runs.read(folder)
    show_estimates(view, as_json)
    shown_on.print(f"report: {runs.write_report(folder, view)}", soft_wrap=True)


def report(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,
    rule: Annotated[
        Rule | None, typer.Option(help="How options are compared. Default: as the experiment says.")
    ] = None,
    level: Annotated[float | None, typer.Option(help="Confidence level of the intervals, e.g. 0.9.")] = None,
    audit: Annotated[
        Path | None,
        typer.Option("--audit", help="Also show the estimates without wordings that this audit file doubts."),
    ] = None,
) -> None:
    """Print the estimates of a run and write its report.html.

    Example: isophrase report runs/demo --json
    """
    from isophrase.api import runs

    view = runs.read(folder, rule=rule, level=level)
    show_estimates(view, as_json)
    shown_on = console(stderr=True)
    shown_on.print(f"report: {runs.write_report(folder, view)}", soft_wrap=True)
    if audit is not None:
        doubted = runs.doubted(audit)
        view = runs.read(folder, rule=rule, level=level, leave_out=doubted)
        shown_on.print(f"without the {len(doubted)} wordings that {audit} doubts or fails:", soft_wrap=True)
        show_estimates(view, as_json)
        shown_on.print(f"report: {runs.write_report(folder, view, 'report-audited.html')}", soft_wrap=True)
