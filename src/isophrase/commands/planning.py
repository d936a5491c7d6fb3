"""`power`: how much to measure, from a pilot run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import Json, table


def power(
    folder: Annotated[Path, typer.Argument(help="A run folder: the pilot.")],
    gap: Annotated[float, typer.Option(min=0.001, max=1, help="The gap to see, a share of 1.")] = 0.05,
    wanted: Annotated[float, typer.Option("--power", min=0.06, max=0.999, help="With which probability.")] = 0.8,
    tasks: Annotated[int, typer.Option(min=1, help="Tasks that will be measured.")] = 1,
    as_json: Json = False,
) -> None:
    """Say how many wordings and examples it takes to see a gap between two kinds of wordings.

    Example: isophrase power runs/demo --gap 0.05
    """
    import json

    from isophrase.api.planning import plan_for_gap

    found = plan_for_gap(folder, gap, wanted=wanted, tasks=tasks)
    if as_json:
        values = [
            {
                "condition": plan.condition,
                "variances": plan.pilot.parts,
                "designs": [dict(zip(("examples", "wordings", "cells"), row, strict=True)) for row in plan.rows],
                "power": None if plan.best is None else plan.power,
            }
            for plan in found
        ]
        typer.echo(json.dumps(values, indent=2))
        return
    rows: list[tuple[str, ...]] = [
        (plan.condition, f"{examples:,}", _or_more(number), _or_more(cells))
        for plan in found
        for examples, number, cells in plan.rows
    ]
    table(("", "examples a task", "wordings of each kind a task", "cells"), rows)


def _or_more(number: int | None) -> str:
    return "2,000 are not enough" if number is None else f"{number:,}"
