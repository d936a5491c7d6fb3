"""Re-phrasings from a writer: planned, cached, counted.

Knows the cache (one small file a reply, so that a stopped command goes on where it was) and what becomes an
instruction. The
gate weighs what comes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from isophrase.errors import TemplateError
from isophrase.files import write_atomically
from isophrase.models.writing import Reply, Writer, WritingRequest
from isophrase.paraphrase.plan import Wanted, clean
from isophrase.prompts import template_variables
from isophrase.types import Instruction, Role, digest, plain

COLLECTION = "generated"
_AT_ONCE = 16
_LETTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in any currency."""

    read: float = 0.0
    written: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked and what it took.

    Attributes:
        requests: Number of requests.
        cached: How many of them the cache answered.
        failed: How many got no answer.
        prompt_tokens: Tokens read, without cached ones.
        completion_tokens: Tokens written, without cached ones.
        cost: By the given prices.
    """

    requests: int
    cached: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


def estimate(plan: Sequence[Wanted], prices: Prices) -> Usage:
    """What a plan would take, guessed from its letters (four a token); as many are written as are re-phrased."""
    read = sum(len(item.content) for wanted in plan for item in wanted.request.messages) // _LETTERS_PER_TOKEN
    written = sum(len(wanted.reference.template) for wanted in plan) * 3 // 2 // _LETTERS_PER_TOKEN
    return Usage(len(plan), 0, 0, read, written, _cost(read, written, prices))


def generate(
    plan: Sequence[Wanted],
    writer: Writer,
    cache: Path,
    prices: Prices | None = None,
    notify: Callable[[int, int], None] | None = None,
) -> tuple[list[Instruction], Usage, list[str]]:
    """Ask a writer for everything in a plan.

    Args:
        plan: What is wanted.
        writer: Who writes.
        cache: The folder of earlier replies.
        prices: For the cost.
        notify: Told (done, total).

    Returns:
        The re-phrasings, what they took, and what became of requests that gave none.
    """
    replies: list[Reply] = []
    fresh: list[Reply] = []
    for start in range(0, len(plan), _AT_ONCE):
        part = plan[start : start + _AT_ONCE]
        known = [_cached(cache, writer, item.request) for item in part]
        missing = [item.request for item, reply in zip(part, known, strict=True) if reply is None]
        written = writer.write(missing) if missing else []
        for request, reply in zip(missing, written, strict=True):
            if reply.failed is None:
                _keep(cache, writer, request, reply)
        fresh += written
        new = iter(written)
        replies += [reply if reply is not None else next(new) for reply in known]
        if notify is not None:
            notify(len(replies), len(plan))
    read, wrote = sum(item.prompt_tokens for item in fresh), sum(item.completion_tokens for item in fresh)
    failed = sum(item.failed is not None for item in fresh)
    cost = _cost(read, wrote, prices or Prices())
    usage = Usage(len(plan), len(plan) - len(fresh), failed, read, wrote, cost)
    members, notes = _instructions(plan, replies, writer.name)
    return members, usage, notes


def _instructions(plan: Sequence[Wanted], replies: Sequence[Reply], author: str) -> tuple[list[Instruction], list[str]]:
    members: list[Instruction] = []
    notes: list[str] = []
    for number, (item, reply) in enumerate(zip(plan, replies, strict=True), start=1):
        name = f"{item.language}-{item.register}-{number}"
        text = clean(reply.text)
        problem = reply.failed or ("an empty reply" if not text else _unreadable(text))
        if problem:
            notes.append(f"{name}: {problem}")
            continue
        members.append(
            Instruction(
                name, text, COLLECTION, item.reference.output_form, item.language, item.register, author,
                item.reference.id, Role.PARAPHRASE, item.reference.option_layout, item.reference.answer_template,
            )
        )  # fmt: skip
    return members, notes


def _unreadable(text: str) -> str | None:
    try:
        template_variables(text)
    except TemplateError as error:
        return f"no template ({error.got})"
    return None


def _cost(read: int, written: int, prices: Prices) -> float:
    return (read * prices.read + written * prices.written) / 1_000_000


def _file(cache: Path, writer: Writer, request: WritingRequest) -> Path:
    return cache / "paraphrases" / f"{digest([writer.name, plain(request)])[:40]}.json"


def _cached(cache: Path, writer: Writer, request: WritingRequest) -> Reply | None:
    try:
        return Reply(**json.loads(_file(cache, writer, request).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # not there, or not whole: it is asked again
        return None


def _keep(cache: Path, writer: Writer, request: WritingRequest, reply: Reply) -> None:
    file = _file(cache, writer, request)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(plain(reply), ensure_ascii=False).encode())
