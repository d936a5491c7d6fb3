"""What a model has already seen, by its own record: nothing that it was trained on passes for held out.

Knows records and what an experiment asks. Does not know scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from isophrase.alignment.record import Record, content_digest, read_record
from isophrase.errors import ConfigError
from isophrase.experiment import Seen
from isophrase.plan import Asked, Plan
from isophrase.statistics.observed import template_digest
from isophrase.types import Instruction, ModelSpec, Role, Split


def records_of(spec: ModelSpec) -> list[Record]:
    """The records of a model's own folder and of its adapter, where there are any."""
    places = [Path(text).expanduser() for text in (spec.source, spec.adapter) if text]
    return [record for place in places if place.is_dir() and (record := read_record(place)) is not None]


def with_exposure(spec: ModelSpec) -> ModelSpec:
    """The spec with `aligned_on` from its records, and with `trained_on` where the user says nothing."""
    records = records_of(spec)
    aligned = frozenset(item for record in records for item in record.aligned_on)
    known = [record.tuned_on for record in records if record.tuned_on is not None]
    tuned = spec.trained_on
    if tuned is None and known:
        tuned = frozenset(item for found in known for item in found)
    return replace(spec, trained_on=tuned, aligned_on=aligned or None)


def examples_seen(spec: ModelSpec) -> frozenset[str]:
    """The digests of the examples in a model's records."""
    return frozenset(item for record in records_of(spec) for item in record.examples)


def without_seen(plan: Plan, models: Sequence[ModelSpec], seen: Seen) -> Plan:
    """The plan, if nothing in it was seen in alignment; or without what was.

    A wording seen in instruction tuning stays: it is what `observed` means. Alignment's wordings and examples are
    neither observed nor held out.

    Args:
        plan: What is asked.
        models: Who is asked.
        seen: Whether to refuse, or to leave out.

    Raises:
        ConfigError: Something was seen and is to be refused, or nothing is left.
    """
    records = [record for spec in models for record in records_of(spec)]
    wordings = frozenset(item for record in records for item in record.aligned_on)
    observed = frozenset(item for record in records for item in record.tuned_on or ())
    examples = frozenset(item for record in records for item in record.examples)
    return replace(plan, asked=tuple(_cleaned(item, wordings - observed, examples, seen) for item in plan.asked))


def _cleaned(asked: Asked, wordings: frozenset[str], examples: frozenset[str], seen: Seen) -> Asked:
    reused = [item for item in asked.instructions if not _is_reference(item) and template_digest(item) in wordings]
    known = [item for item in asked.examples if item.split is Split.TEST and content_digest(item) in examples]
    if not reused and not known:
        return asked
    if seen is Seen.REFUSE:
        raise ConfigError(
            f"task {asked.task.name!r} to ask what alignment has not seen",
            got=f"{len(reused)} wordings and {len(known)} examples that it has"
            + (f" (first: {reused[0].id})" if reused else ""),
            remedy="say `seen: leave_out`, or choose other wordings or another split",
        )
    instructions = tuple(item for item in asked.instructions if item not in reused)
    kept = tuple(item for item in asked.examples if item not in known)
    if not instructions or not kept:
        raise ConfigError(
            f"something in task {asked.task.name!r} that alignment has not seen", got="nothing",
            remedy="choose other wordings or another split",
        )  # fmt: skip
    others = tuple(item for item in asked.task.examples if item not in asked.examples)
    return Asked(replace(asked.task, examples=kept + others), instructions, kept)


def _is_reference(item: Instruction) -> bool:
    return item.role is Role.REFERENCE
