"""`view`: a folder of runs in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import console


def view(
    folder: Annotated[Path, typer.Argument(help="A folder of run folders, or one run folder.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 0,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve reports to this machine: a list of runs, each one's report, and any two compared. Ctrl-C ends it.

    Example: isophrase view runs --open
    """
    from isophrase.api.viewing import Pages, checked_folder
    from isophrase.serving import Served

    served = Served(Pages(checked_folder(folder)), port)
    typer.echo(served.address)
    console(stderr=True).print("whoever on this machine knows the address can read the runs; Ctrl-C ends it")
    if show:
        import webbrowser

        webbrowser.open(served.address)
    try:
        served.wait()
    except KeyboardInterrupt:
        served.close()
