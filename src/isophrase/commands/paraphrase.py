"""`paraphrase`: let a model re-phrase instructions, and gate what it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import console


def paraphrase(
    name: Annotated[str, typer.Argument(help="The set whose references are re-phrased (name or file).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .yaml file of the new set.")],
    model: Annotated[
        str, typer.Option("--model", help="Who writes: a catalog name, hub id, folder, or a server's name.")
    ] = ("smollm2-135m-instruct"),
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="An OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1.")
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="For each reference and language.")] = 12,
    languages: Annotated[str, typer.Option("--languages", help="Tags with commas.")] = "en",
    temperatures: Annotated[str, typer.Option("--temperatures", help="Taken in turn, with commas.")] = "0.7,1.0,1.2",
    labels: Annotated[str, typer.Option("--labels", help="Label words that must stay, with commas.")] = "",
    judge: Annotated[
        str | None, typer.Option("--judge", help="A local model that weighs every re-phrasing too.")
    ] = None,
    audit: Annotated[Path | None, typer.Option("--audit", help="The audit file. Default: beside --out.")] = None,
    price_in: Annotated[float, typer.Option("--price-in", help="Price of a million tokens read.")] = 0.0,
    price_out: Annotated[float, typer.Option("--price-out", help="Price of a million tokens written.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Of the first request.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked and what it would cost.")] = False,
) -> None:
    """Re-phrase a set's references with any model, and gate what it writes.

    What passes becomes a set; everything, with verdicts and reasons, stands in the audit file.

    Example: isophrase paraphrase sentiment --model smollm2-135m-instruct --out mine.yaml --dry-run
    """
    from isophrase.api import paraphrase as road
    from isophrase.errors import ConfigError
    from isophrase.paraphrase.generate import Prices
    from isophrase.paraphrase.plan import WritingPlan
    from isophrase.progress import display

    try:
        heats = tuple(float(item) for item in temperatures.split(","))
    except ValueError:
        raise ConfigError(
            "--temperatures 0.7,1.0", got=repr(temperatures), remedy="write numbers with commas"
        ) from None
    words = tuple(item.strip() for item in labels.split(",") if item.strip())
    plan = WritingPlan(count, tuple(item.strip() for item in languages.split(",")), heats, seed, words)
    prices = Prices(price_in, price_out)
    requests, usage = road.planned(name, plan, prices)
    if dry_run:
        typer.echo(
            f"{usage.requests} requests, about {usage.prompt_tokens:,} tokens to read and "
            f"{usage.completion_tokens:,} to write, cost {usage.cost:.2f}; the first one:\n"
        )
        typer.echo(requests[0].request.messages[0].content)
        return
    shown_on = console(stderr=True)
    with display(shown_on) as shown:
        writer = road.writer_of(model, base_url, shown)
        judged_by = road.judge_of(judge, shown) if judge else None
        written = road.rephrase(name, writer, out, plan=plan, prices=prices, judge=judged_by, audit=audit, shown=shown)
    for note in written.notes:
        shown_on.print(f"no wording: {note}", soft_wrap=True, markup=False)
    used = written.usage
    typer.echo(
        f"{len(written.kept)} of {len(written.judged)} re-phrasings pass; {used.requests} requests, "
        f"{used.cached} cached, {used.failed} failed, {used.prompt_tokens:,} tokens read, "
        f"{used.completion_tokens:,} written, cost {used.cost:.2f}"
    )
    typer.echo(f"set: {out}")
