"""`models`, `tasks` and `instructions`: what there is, and getting it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import console, table

models_app = typer.Typer(invoke_without_command=True)
tasks_app = typer.Typer(invoke_without_command=True)
instructions_app = typer.Typer(invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context) -> None:
    """List the models that the catalog knows.

    Example: isophrase models
    """
    if context.invoked_subcommand is None:
        from isophrase import listing

        table(listing.MODEL_COLUMNS, listing.models())


@models_app.command("get")
def get_model(name: Annotated[str, typer.Argument(help="A name from `isophrase models`.")]) -> None:
    """Get a model of the catalog into the cache, checked.

    Example: isophrase models get smollm2-135m-instruct
    """
    from isophrase.api import runs
    from isophrase.progress import display

    with display(console(stderr=True)) as shown:
        folder = runs.get_model(name, shown)
    typer.echo(folder)


@tasks_app.callback()
def tasks(context: typer.Context) -> None:
    """List the bundled tasks, and the benchmarks that are in the cache.

    Example: isophrase tasks
    """
    if context.invoked_subcommand is None:
        from isophrase import listing

        table(listing.TASK_COLUMNS, listing.tasks())


@tasks_app.command("show")
def show_task(
    name: Annotated[str, typer.Argument(help="A task's name or file.")],
    count: Annotated[int, typer.Option("--examples", "-n", min=1, help="How many examples.")] = 3,
) -> None:
    """Show a task's description and some of its examples.

    Example: isophrase tasks show bigbench/strategyqa -n 2
    """
    from isophrase import listing

    for line in listing.describe_task(name, count):
        typer.echo(line)


@tasks_app.command("fetch")
def fetch_tasks(benchmark: Annotated[str, typer.Argument(help="`bigbench`.")]) -> None:
    """Fetch a benchmark's tasks from the package registry into the cache, verified.

    Example: isophrase tasks fetch bigbench
    """
    from isophrase.api import runs
    from isophrase.progress import display

    with display(console(stderr=True)) as shown:
        folder = runs.fetch(benchmark, shown)
    typer.echo(folder)


@instructions_app.callback()
def instructions(context: typer.Context) -> None:
    """List the bundled instruction sets and the catalogue.

    Example: isophrase instructions
    """
    if context.invoked_subcommand is None:
        from isophrase import listing

        table(listing.SET_COLUMNS, listing.instruction_sets())


@instructions_app.command("show")
def show_instructions(
    name: Annotated[str, typer.Argument(help="A set's name or file, or a collection: p3, flan, niv2, alpaca.")],
    kind: Annotated[
        str | None, typer.Option("--for", help="Only templates that apply to a kind of task, e.g. multiple-choice.")
    ] = None,
    place: Annotated[Path | None, typer.Option("--from", help="File or folder with a collection's templates.")] = None,
) -> None:
    """Show the wordings of an instruction set, or of somebody else's collection as you have it.

    Example: isophrase instructions show flan --from templates.py --for multiple-choice
    """
    from isophrase import listing

    if listing.is_collection_name(name):
        found = listing.describe_collection(name, place, kind)
    else:
        found = listing.describe_instruction_set(name)
    for line in found:
        typer.echo(line)
