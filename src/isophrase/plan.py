"""From an experiment to what will be asked: tasks, each with its examples and the instructions that fit it.

Knows the loaders and the choice of examples and instructions; checks every template against its task, so that whatever
is wrong is said before a model is loaded. Does not know models or scores.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from isophrase.errors import ConfigError, IsophraseError, ManyErrors, SourceError
from isophrase.experiment import Experiment, TaskRequest
from isophrase.grid import Block, Grid
from isophrase.prompts import check_fit, pick_exemplars
from isophrase.sources.resolve import Loaded, load_tasks, sets_asked
from isophrase.types import (
    Example,
    Instruction,
    InstructionSet,
    ModelSpec,
    PromptFormat,
    Role,
    Split,
    Task,
    TaskKind,
    digest,
)

CONTENT_FREE = "content-free"
_Item = TypeVar("_Item", Instruction, Example)


@dataclass(frozen=True, slots=True)
class Asked:
    """One task with what is asked of it.

    Attributes:
        task: The task, cut down to the asked examples and the exemplars.
        instructions: The wordings; their ids are `set/id`.
        examples: The asked examples.
        content_free: Examples that say nothing, for contextual calibration; in no estimate.
    """

    task: Task
    instructions: tuple[Instruction, ...]
    examples: tuple[Example, ...]
    content_free: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an experiment asks.

    Attributes:
        asked: Task by task.
        notes: What a reader should know (examples left out by a loader).
        digests: The content digest of every task and instruction set, by name.
    """

    asked: tuple[Asked, ...]
    notes: tuple[str, ...]
    digests: Mapping[str, Any]


def make_plan(experiment: Experiment, cache: Path) -> Plan:
    """Load, choose and check everything that an experiment asks.

    Raises:
        ManyErrors: What is wrong, task by task, all at once.
    """
    asked: list[Asked] = []
    notes: list[str] = []
    problems: list[str] = []
    sets: dict[str, InstructionSet] = {}  # by task and name: every BIG-bench task has a set called native
    for index, request in enumerate(experiment.tasks):
        try:
            for loaded in load_tasks(request.reference, folder=request.folder, base=experiment.base, cache=cache):
                chosen = _sets(request, loaded, experiment)
                sets |= {f"{loaded.task.name}: {item.name}": item for item in chosen}
                asked.append(_ask(request, loaded.task, chosen, experiment))
                notes += [f"{loaded.task.name}: {note}" for note in loaded.notes]
        except ManyErrors as error:
            problems += [f"tasks[{index}]: {problem}" for problem in error.problems]
        except IsophraseError as error:
            problems.append(f"tasks[{index}]: {error}")
    problems += _twice(item.task.name for item in asked)
    if problems:
        raise ManyErrors(f"experiment {experiment.name!r}", problems, exit_code=ConfigError.exit_code)
    digests = {
        "tasks": {item.task.name: digest(item.task) for item in asked},
        "instructions": {name: digest(item) for name, item in sorted(sets.items())},
    }
    return Plan(tuple(asked), tuple(notes), digests)


def _sets(request: TaskRequest, loaded: Loaded, experiment: Experiment) -> list[InstructionSet]:
    found = sets_asked(loaded, request.instructions, base=experiment.base)
    if not found:
        remedy = "say `instructions: NAME-OR-FILE`"
        if loaded.task.kind is not TaskKind.GENERATION:
            remedy += "; `multiple-choice` fits any task with `input` and options"
        raise ConfigError(f"an instruction set for task {loaded.task.name!r}", got="none written for it", remedy=remedy)
    return found


def _ask(request: TaskRequest, task: Task, sets: Sequence[InstructionSet], experiment: Experiment) -> Asked:
    labelled = [item for item in task.split(request.split) if item.labelled]  # the loader has said which are not
    examples = _sample(labelled, request.limit, f"{experiment.seed}\0{task.name}")
    if not examples:
        raise SourceError(
            f"at least one {request.split.value} example with a label in task {task.name!r}",
            got="none",
            remedy="choose another `split`",
        )
    for shots in experiment.shots:
        pick_exemplars(task, shots, experiment.seed)
    instructions = [instruction for item in sets for instruction in _choose(item, request, experiment)]
    for instruction in instructions:
        check_fit(instruction, replace(task, examples=examples))
    # Train examples stay only where exemplars are taken from them.
    wanted = {Split.EXEMPLAR, Split.TRAIN} if any(experiment.shots) else {Split.EXEMPLAR}
    kept = tuple(item for item in task.examples if item.split in wanted and item.split is not request.split)
    empty = content_free(task, examples) if experiment.content_free else ()
    return Asked(replace(task, examples=examples + kept), tuple(instructions), examples, empty)


def content_free(task: Task, examples: Sequence[Example]) -> tuple[Example, ...]:
    """An example for each text that says nothing (Zhao et al., ICML 2021: `N/A`, `[MASK]` and the empty string).

    Only for classification: elsewhere options belong to an example.
    """
    if task.kind is not TaskKind.CLASSIFICATION:
        return ()
    return tuple(
        Example(f"{CONTENT_FREE}/{number}", dict.fromkeys(examples[0].fields, text), examples[0].options, (0,))
        for number, text in enumerate(("N/A", "[MASK]", ""), 1)
    )


def _choose(source: InstructionSet, request: TaskRequest, experiment: Experiment) -> Iterator[Instruction]:
    """The set's instructions, at most `max_instructions` (references first), and its controls if wanted."""
    plain = [item for item in source.instructions if not item.role.is_control]
    references = tuple(item for item in plain if item.role is Role.REFERENCE)
    others = tuple(item for item in plain if item.role is not Role.REFERENCE)
    if request.max_instructions is not None:
        references = references[: request.max_instructions]
        others = _sample(others, request.max_instructions - len(references), f"{experiment.seed}\0{source.name}")
    controls = tuple(item for item in source.instructions if item.role.is_control) if experiment.controls else ()
    for item in references + others + controls:
        reference = f"{source.name}/{item.reference}" if item.reference else None
        yield replace(item, id=f"{source.name}/{item.id}", reference=reference)


def _sample(items: Sequence[_Item], count: int | None, salt: str) -> tuple[_Item, ...]:
    """At most `count` items, seeded, in their order; a larger count contains the smaller one's choice."""
    if count is None or len(items) <= count:
        return tuple(items)
    ranked = sorted(items, key=lambda item: hashlib.sha256(f"{salt}\0{item.id}".encode()).digest())
    kept = {item.id for item in ranked[:count]}
    return tuple(item for item in items if item.id in kept)


def _twice(names: Iterable[str]) -> list[str]:
    return [
        f"task {name!r} is asked twice; put all its instruction sets into one entry"
        for name, count in Counter(names).items()
        if count > 1
    ]


def make_grid(plan: Plan, experiment: Experiment, models: Sequence[ModelSpec]) -> Grid:
    """Cross the plan with models, formats and shot counts.

    Args:
        plan: What is asked.
        experiment: Formats, shots and seed.
        models: The models, resolved: `dtype` as it really runs, `prompt_format` never None.
    """
    return Grid(
        tuple(
            Block(
                model=model.name,
                dtype=model.dtype,
                prompt_format=prompt_format,
                task=item.task,
                instructions=item.instructions,
                examples=item.examples + item.content_free,
                shots=shots,
                exemplar_seed=experiment.seed,
            )
            for model in models
            for item in plan.asked
            for prompt_format in experiment.formats or (model.prompt_format or PromptFormat.PLAIN,)
            for shots in experiment.shots
        )
    )
