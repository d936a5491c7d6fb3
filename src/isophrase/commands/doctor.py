"""`doctor`: whether this machine can run Isophrase."""

from __future__ import annotations

from typing import Annotated

import typer

from isophrase.commands.output import table


def doctor(
    network: Annotated[
        bool, typer.Option("--network", help="Also see whether the registry and the hub answer.")
    ] = False,
) -> None:
    """Say what this machine has and whether it can run Isophrase.

    Example: isophrase doctor
    """
    from isophrase.doctor import examine

    findings = examine(network=network)
    table(("", "what", "found", "remedy"), [("ok" if f.ok else "!", f.name, f.value, f.remedy) for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
