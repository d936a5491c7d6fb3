"""`check`: does a prompt hold up when it is worded otherwise? For people and for CI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from isophrase.commands.output import console
from isophrase.types import PromptFormat

NOT_MET = 6
"""Exit code where a criterion is not met."""


def check(
    table: Annotated[Path, typer.Argument(help="A csv, tsv, jsonl or parquet file with labelled rows.")],
    inputs: Annotated[list[str], typer.Option("--input", help="A column that the model reads; may be repeated.")],
    label: Annotated[str, typer.Option("--label", help="The column with the right answer.")],
    instruction: Annotated[
        str, typer.Option("--instruction", help="Your instruction, or a template with {{ slots }}.")
    ],
    model: Annotated[str, typer.Option("--model", help="A catalog name, a hub id or a folder.")] = (
        "smollm2-135m-instruct"
    ),
    prompt_format: Annotated[PromptFormat | None, typer.Option("--format", help="The prompt's frame.")] = None,
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    options: Annotated[str, typer.Option("--options", help="The labels, with commas. Default: those that occur.")] = "",
    generation: Annotated[bool, typer.Option("--generation", help="The answer is free text.")] = False,
    language: Annotated[str, typer.Option("--language", help="Of your instruction.")] = "en",
    paraphrases: Annotated[
        str | None, typer.Option("--paraphrases", help="A set or file with wordings. Default: our registers.")
    ] = None,
    writer: Annotated[str | None, typer.Option("--writer", help="A model that writes the wordings instead.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="The writer's OpenAI-compatible server.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many the writer is asked for.")] = 12,
    judge: Annotated[str | None, typer.Option("--judge", help="A local model that weighs every wording too.")] = None,
    audit: Annotated[Path | None, typer.Option("--audit", help="An audit file whose overrides count.")] = None,
    keep_doubtful: Annotated[bool, typer.Option("--keep-doubtful", help="Also measure what the gate doubts.")] = False,
    fail_under: Annotated[
        list[str] | None, typer.Option("--fail-under", help="NAME=NUMBER, e.g. worst=0.8; may be repeated.")
    ] = None,
    fail_over: Annotated[
        list[str] | None, typer.Option("--fail-over", help="NAME=NUMBER, e.g. flip=0.1; may be repeated.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=2, help="At most so many rows (seeded choice).")] = None,
    fragments: Annotated[
        int, typer.Option("--fragments", min=0, help="Find the words that do it in so many of the worst wordings.")
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Of every choice.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder. Default: runs/check-NAME.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write the JUnit file here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Word your instruction otherwise, measure every wording on your rows, and say whether it holds up.

    Exits with 6 where a criterion is not met. Names for criteria: mean, worst, best, yours, spread, std, flip,
    unscored.

    Example: isophrase check tickets.csv --input text --label queue --instruction "Route the ticket to a team."
    --fail-under worst=0.8 --fail-over flip=0.1
    """
    from dataclasses import replace

    from isophrase.api import check as road
    from isophrase.api.paraphrase import judge_of, writer_of
    from isophrase.check.criteria import parse_criteria
    from isophrase.check.outputs import lines
    from isophrase.progress import display

    chosen: dict[str, Any] = {"source": model, "dtype": dtype}
    if prompt_format is not None:
        chosen["format"] = prompt_format.value
    request = road.CheckRequest(
        table=table, inputs=tuple(inputs), label=label, instruction=instruction, model=chosen,
        options=tuple(item.strip() for item in options.split(",") if item.strip()), generation=generation,
        language=language, paraphrases=road.read_paraphrases(paraphrases) if paraphrases else (),
        criteria=parse_criteria(fail_under or (), fail_over or ()), limit=limit, fragments=fragments,
        keep_doubtful=keep_doubtful, audit=audit, seed=seed,
    )  # fmt: skip
    shown_on = console(stderr=True)
    with display(shown_on) as shown:
        if writer is not None:
            written = road.written(request, writer_of(writer, base_url, shown), count, shown)
            request = replace(request, paraphrases=written)
        weighing = judge_of(judge, shown) if judge is not None else None
        result, folder = road.check_prompt(request, out, shown, judge=weighing)
    if junit is not None:
        junit.write_bytes((folder / "junit.xml").read_bytes())
    if as_json:
        import json

        typer.echo(json.dumps(result.to_json(), indent=2, ensure_ascii=False))
    else:
        for line in lines(result):
            typer.echo(line)
    shown_on.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    if not result.passed:
        raise typer.Exit(NOT_MET)
