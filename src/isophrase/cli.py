"""The command line: the table of commands, and what an error looks like.

Knows typer and exit codes. What a command does is in `commands/`, one file a group; each imports what it needs when it
is called, so that `--help` is quick.

Exit codes: 0 done; 1 another error; 2 a wrong argument or experiment file; 3 a task or instruction set that cannot be
read; 4 a model that cannot be had or used; 5 a run folder that cannot be used; 6 a check that is not passed, or a
finding of lint; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from isophrase import __version__
from isophrase.commands import (
    alignment,
    catalogues,
    check,
    comparing,
    distances,
    doctor,
    importing,
    lint,
    paraphrase,
    planning,
    runs,
    testbed,
    viewing,
)
from isophrase.errors import IsophraseError
from isophrase.models.allocation import reuse_freed_memory

EXIT_CODES = "Exit codes: 0 done, 1 other error, 2 arguments, 3 data, 4 model, 5 run folder, 6 not passed, 130 stopped."

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

# One command a line, so that two changes never meet.
COMMANDS = (
    runs.demo,
    runs.run,
    runs.report,
    distances.distance,
    viewing.view,
    comparing.compare,
    importing.import_,
    planning.power,
    alignment.tune,
    alignment.align,
    doctor.doctor,
    lint.lint,
    check.check,
    paraphrase.paraphrase,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)

app.add_typer(testbed.testbed_app, name="testbed")
app.add_typer(catalogues.models_app, name="models")
app.add_typer(catalogues.tasks_app, name="tasks")
app.add_typer(catalogues.instructions_app, name="instructions")


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


def main() -> None:
    """The entry point: an error of ours is one message and an exit code, never a traceback."""
    reuse_freed_memory()
    try:
        app()
    except IsophraseError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
