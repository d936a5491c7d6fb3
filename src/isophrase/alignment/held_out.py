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
from isophrase.duplicates import near_duplicates_between
from isophrase.errors import ConfigError, ManyErrors
from isophrase.plan import Asked, Plan
from isophrase.statistics.observed import template_digest
from isophrase.types import Instruction, ModelSpec, Role, Split, digest


@dataclass(frozen=True, slots=True)
class _Seen:
    """Digests of the wordings and examples that somebody has seen, and the wordings themselves where they are known."""

    by: str
    wordings: frozenset[str]
    examples: frozenset[str]
    known: Sequence[Instruction] = ()


def held_out(
    materials: Sequence[Material],
    draws: Draws,
    base: ModelSpec,
    *,
    seed: int,
    limit: int,
    outside: Sequence[Asked] = (),
) -> Plan:
    """What to measure, task by task; entries of one task are asked together.

    Args:
        materials: What is trained on.
        draws: Which of it training sees.
        base: The model that is trained.
        seed: The training's, by which materials were divided.
        limit: At most so many test inputs of a task.
        outside: What may be asked of tasks that training does not see.

    Returns:
        The plan; its notes say what is left out because training or the base model has seen it.

    Raises:
        ManyErrors: Nothing of a task is held out.
    """
    records = records_of(base)
    observed = frozenset(item for record in records for item in record.tuned_on or ())
    seen = (
        _by_training(materials, draws),
        _Seen(
            "the base model",
            frozenset(item for record in records for item in record.aligned_on) - observed,
            examples_seen(base),
        ),
    )
    asked, notes, problems = [], [], []
    for one in (*map(_of_group, by_task(materials).values()), *outside):
        name = one.task.name
        found, left_out = _unseen(one, seen)
        notes += left_out
        notes += _observed(name, found, observed)
        if not found.examples or not any(item.role is Role.PARAPHRASE for item in found.instructions):
            by_base = any("the base model has" in line for line in left_out)
            problems.append(_nothing(one, left_out, _remedy(records if by_base else (), seed)))
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


def _by_training(materials: Sequence[Material], draws: Draws) -> _Seen:
    trained = [item for found in wordings_seen(materials, draws).values() for item in found]
    examples = frozenset(one for item in materials for example in item.train for one in content_digests(example))
    return _Seen("this training", digests(trained), examples, trained)


def _nothing(asked: Asked, left_out: Sequence[str], remedy: str) -> str:
    """What is wrong with a task of which nothing is held out."""
    had = f"{len(asked.instructions)} wordings and {len(asked.examples)} test inputs to begin with"
    return (
        f"expected test wordings and test inputs of task {asked.task.name!r} that neither training nor the base model "
        f"has seen; got none ({'; '.join(left_out) or had}); {remedy}"
    )


def _of_group(group: Sequence[Material]) -> Asked:
    """References, test wordings and test controls of one task, on its test inputs."""
    task, wordings = group[0].task, merged(group)
    asked = (*wordings.references, *wordings.test, *wordings.test_controls)
    return Asked(task, asked, task.split(Split.TEST))


def _unseen(asked: Asked, seen: Sequence[_Seen]) -> tuple[Asked, list[str]]:
    """What is held out of one task, and a line for whoever has seen some of it."""
    task, inputs = asked.task, asked.examples
    references = tuple(item for item in asked.instructions if item.role is Role.REFERENCE)
    tests = tuple(item for item in asked.instructions if item.role is not Role.REFERENCE)
    notes = []
    for one in seen:
        near = _near(one.known, tests)
        new = tuple(item for item in tests if template_digest(item) not in one.wordings and item.id not in near)
        unknown = tuple(item for item in inputs if content_digest(item) not in one.examples)
        if len(new) < len(tests) or len(unknown) < len(inputs):
            copies = " or near copies" if one.known else ""
            wordings_gone, inputs_gone = len(tests) - len(new), len(inputs) - len(unknown)
            notes.append(
                f"{task.name}: {wordings_gone} of {len(tests)} test wordings and controls and {inputs_gone} of "
                f"{len(inputs)} test inputs are left out of verification: {one.by} has seen them{copies}"
            )
        tests, inputs = new, unknown
    return Asked(task, (*references, *tests), inputs), notes


def _near(seen: Sequence[Instruction], tests: Sequence[Instruction]) -> set[str]:
    """Ids of near copies, among controls and among other wordings: a control is often its wording with a word more."""
    found: set[str] = set()
    for control in (False, True):
        left, right = ([one for one in items if one.role.is_control is control] for items in (seen, tests))
        templates = {str(number): one.template for number, one in enumerate(left)}
        found |= {b for _, b, _ in near_duplicates_between(templates, {one.id: one.template for one in right})}
    return found


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
