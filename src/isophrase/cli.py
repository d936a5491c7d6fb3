"""The command line: parse, call the API, print.

Knows typer and exit codes. Every command imports what it needs when it is called, so that `--help` is quick.

Exit codes: 0 done; 1 another error; 2 a wrong argument or experiment file; 3 a task or instruction set that cannot be
read; 4 a model that cannot be had or used; 5 a run folder that cannot be used; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isophrase import __version__
from isophrase.errors import IsophraseError
from isophrase.types import Rule

if TYPE_CHECKING:
    from rich.console import Console

    from isophrase.report.view import RunView

EXIT_CODES = "Exit codes: 0 done, 1 other error, 2 arguments, 3 data, 4 model, 5 run folder, 130 stopped."

app = typer.Typer(
    name="isophrase",
    help="How much do a language model's answers depend on the wording of the instruction?",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode=None,
)
models_app = typer.Typer(invoke_without_command=True)
tasks_app = typer.Typer(invoke_without_command=True)
instructions_app = typer.Typer(invoke_without_command=True)
app.add_typer(models_app, name="models")
app.add_typer(tasks_app, name="tasks")
app.add_typer(instructions_app, name="instructions")

Out = Annotated[Path | None, typer.Option("--out", "-o", help="The run folder. Default: runs/NAME.")]
Json = Annotated[bool, typer.Option("--json", help="Print the estimates as JSON instead of tables.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"isophrase {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(out: Out = None, as_json: Json = False) -> None:
    """Measure the embedded model on bundled tasks and write a report.

    Example: isophrase demo --out runs/demo
    """
    from isophrase import api

    _run(api.DEMO, out, as_json)


@app.command()
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
    from isophrase import api
    from isophrase.progress import display

    console = _console(stderr=True)
    experiment = api.load_experiment(path)
    try:
        with display(console) as shown:
            folder = api.evaluate(experiment, out, shown)
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here")
        raise typer.Exit(130) from None
    view = api.read(folder)
    _show(view, as_json)
    console.print(f"report: {api.write_report(folder, view)}", soft_wrap=True)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,
    rule: Annotated[
        Rule | None, typer.Option(help="How options are compared. Default: as the experiment says.")
    ] = None,
    level: Annotated[float | None, typer.Option(help="Confidence level of the intervals, e.g. 0.9.")] = None,
) -> None:
    """Print the estimates of a run and write its report.html.

    Example: isophrase report runs/demo --json
    """
    from isophrase import api

    view = api.read(folder, rule=rule, level=level)
    _show(view, as_json)
    _console(stderr=True).print(f"report: {api.write_report(folder, view)}", soft_wrap=True)


def _show(view: RunView, as_json: bool) -> None:
    if as_json:
        from isophrase.report.machine import to_json_text

        typer.echo(to_json_text(view))
        return
    from isophrase.report.terminal import print_terminal

    print_terminal(view, _console())


@models_app.callback()
def models(context: typer.Context) -> None:
    """List the models that the catalog knows.

    Example: isophrase models
    """
    if context.invoked_subcommand is None:
        from isophrase import listing

        _table(listing.MODEL_COLUMNS, listing.models())


@models_app.command("get")
def get_model(name: Annotated[str, typer.Argument(help="A name from `isophrase models`.")]) -> None:
    """Get a model of the catalog into the cache, checked.

    Example: isophrase models get smollm2-135m-instruct
    """
    from isophrase import api
    from isophrase.progress import display

    with display(_console(stderr=True)) as shown:
        folder = api.get_model(name, shown)
    typer.echo(folder)


@tasks_app.callback()
def tasks(context: typer.Context) -> None:
    """List the bundled tasks, and the benchmarks that are in the cache.

    Example: isophrase tasks
    """
    if context.invoked_subcommand is None:
        from isophrase import listing

        _table(listing.TASK_COLUMNS, listing.tasks())


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
    from isophrase import api
    from isophrase.progress import display

    with display(_console(stderr=True)) as shown:
        folder = api.fetch(benchmark, shown)
    typer.echo(folder)


@instructions_app.callback()
def instructions(context: typer.Context) -> None:
    """List the bundled instruction sets.

    Example: isophrase instructions
    """
    if context.invoked_subcommand is None:
        from isophrase import listing

        _table(listing.SET_COLUMNS, listing.instruction_sets())


@instructions_app.command("show")
def show_instructions(name: Annotated[str, typer.Argument(help="A set's name or file.")]) -> None:
    """Show the wordings of an instruction set.

    Example: isophrase instructions show sentiment
    """
    from isophrase import listing

    for line in listing.describe_instruction_set(name):
        typer.echo(line)


@app.command()
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
    _table(("", "what", "found", "remedy"), [("ok" if f.ok else "!", f.name, f.value, f.remedy) for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(*header, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(value) for value in row))
    console.print(table)


def main() -> None:
    """The entry point: an error of ours is one message and an exit code, never a traceback."""
    try:
        app()
    except IsophraseError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
