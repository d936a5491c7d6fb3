"""`lint`: what would make results mislead, before and after measuring."""

from __future__ import annotations

from typing import Annotated

import typer

from isophrase.commands.output import table

FOUND = 6
"""Exit code where something was found."""


def lint(
    name: Annotated[str, typer.Argument(help="A set, task or experiment (name or file), or a run folder.")],
    task: Annotated[str | None, typer.Option("--task", help="The task that a set is asked about.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find what would make results mislead: wordings that ask for what is not scored, copies, noisy labels.

    Exits with 6 where an error was found.

    Example: isophrase lint my-wordings.yaml --task tickets.yaml
    """
    from isophrase.api.lint import lint_findings
    from isophrase.types import plain

    findings = lint_findings(name, task=task)
    if as_json:
        import json

        typer.echo(json.dumps([plain(item) for item in findings], indent=2, ensure_ascii=False))
    elif findings:
        header = ("", "rule", "place", "found", "remedy")
        table(header, [(f.severity.value, f.rule, f.place, f.message, f.remedy) for f in findings])
    else:
        typer.echo("nothing found")
    if any(strict or finding.severity.value == "error" for finding in findings):
        raise typer.Exit(FOUND)
