"""What verification asks: references, test wordings and test controls on test inputs, less what was seen.

A test wording that the base model met in its instruction tuning stays: it is observed (exposure.py), and said to be.
Knows materials and the base model's records, so all this is known before a training. Does not know scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from isophrase.alignment.exposure import examples_seen, records_of
from isophrase.alignment.method import Draws
from isophrase.alignment.mixtures import by_task, merged, wordings_seen
from isophrase.alignment.record import Record, content_digest, content_digests
from isophrase.alignment.sampling import Material
from isophrase.alignment.wordings import digests
from isophrase.errors import ConfigError, ManyErrors
from isophrase.plan import Asked, Plan
from isophrase.statistics.observed import template_digest
from isophrase.types import ModelSpec, Role, Split, digest


@dataclass(frozen=True, slots=True)
class _Seen:
    """Digests of the wordings and examples that somebody has seen."""

    by: str
    wordings: frozenset[str]
    examples: frozenset[str]


def held_out(materials: Sequence[Material], draws: Draws, base: ModelSpec, *, seed: int, limit: int) -> Plan:
    """What to measure, task by task; entries of one task are asked together.

    Args:
        materials: What is trained on.
        draws: Which of it training sees.
        base: The model that is trained.
        seed: The training's, by which materials were divided.
        limit: At most so many test inputs of a task.

    Returns:
        The plan; its notes say what is left out because training or the base model has seen it.

    Raises:
        ManyErrors: Nothing of a task is held out.
    """
    records = records_of(base)
    observed = frozenset(item for record in records for item in record.tuned_on or ())
    seen = (
        _Seen(
            "this training",
            frozenset(item for found in wordings_seen(materials, draws).values() for item in digests(found)),
            frozenset(one for item in materials for example in item.train for one in content_digests(example)),
        ),
        _Seen(
            "the base model",
            frozenset(item for record in records for item in record.aligned_on) - observed,
            examples_seen(base),
        ),
    )
    asked, notes, problems = [], [], []
    for name, group in by_task(materials).items():
        found, left_out = _unseen(group, seen)
        notes += left_out
        notes += _observed(name, found, observed)
        if not found.examples or not {one.id for one in found.instructions} & {one.id for one in merged(group).test}:
            by_base = any("the base model has" in line for line in left_out)
            remedy = _remedy(records if by_base else (), seed)
            problems.append(
                f"expected test wordings and test inputs of task {name!r} that neither training nor the base model has "
                f"seen; got none ({'; '.join(left_out)}); {remedy}"
            )
        examples = found.examples[:limit]
        asked.append(replace(found, examples=examples, task=replace(found.task, examples=examples)))
    if problems:
        raise ManyErrors("verification", problems, exit_code=ConfigError.exit_code)
    return Plan(
        tuple(asked),
        tuple(notes),
        {
            "tasks": {item.task.name: digest(item.task) for item in asked},
            "instructions": {item.task.name: digest(list(item.instructions)) for item in asked},
        },
    )


def _unseen(group: Sequence[Material], seen: Sequence[_Seen]) -> tuple[Asked, list[str]]:
    """What is held out of one task, and a line for whoever has seen some of it."""
    task, wordings = group[0].task, merged(group)
    tests = (*wordings.test, *wordings.test_controls)
    inputs = task.split(Split.TEST)
    notes = []
    for one in seen:
        new = tuple(item for item in tests if template_digest(item) not in one.wordings)
        unknown = tuple(item for item in inputs if content_digest(item) not in one.examples)
        if len(new) < len(tests) or len(unknown) < len(inputs):
            wordings_gone, inputs_gone = len(tests) - len(new), len(inputs) - len(unknown)
            notes.append(
                f"{task.name}: {wordings_gone} of {len(tests)} test wordings and controls and {inputs_gone} of "
                f"{len(inputs)} test inputs are left out of verification: {one.by} has seen them"
            )
        tests, inputs = new, unknown
    return Asked(task, (*wordings.references, *tests), inputs), notes


def _observed(name: str, asked: Asked, observed: frozenset[str]) -> list[str]:
    tests = [item for item in asked.instructions if item.role is not Role.REFERENCE]
    known = [item for item in tests if template_digest(item) in observed]
    if not known:
        return []
    return [f"{name}: {len(known)} of {len(tests)} test wordings and controls are observed, in the base model's tuning"]


def _remedy(records: Sequence[Record], seed: int) -> str:
    seeds = {record.seed for record in records} - {seed}
    other = "give the task other instructions or more examples, or train without verification"
    if len(seeds) != 1:
        return other
    return f"say `seed: {seeds.pop()}`, with which the base model was trained and the task divided alike, or {other}"
