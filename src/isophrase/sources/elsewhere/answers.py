"""Answers that another tool measured, in our nouns: one wording's answers to the examples of one task.

Knows what every such log has to give, and how several of them become one table. Does not know any log's format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isophrase.errors import SourceError
from isophrase.sources.problems import listed
from isophrase.types import Example, Instruction, Measurement, Metric, OutputForm, Role, Task, TaskKind


@dataclass(frozen=True)
class Answers:
    """The answers under one wording.

    Attributes:
        where: The file.
        model: Model name; empty where the log does not say.
        task: Task name, as the log says.
        wording: A name for the wording.
        prompt: What the log shows of it: an instruction, or the first example's whole prompt.
        shots: Exemplars in each prompt.
        examples: In the log's order.
        measurements: Example id -> what the model gave.
        scored: Example id -> the value that the other tool gave, in [0, 1], where it gave one.
    """

    where: str
    model: str
    task: str
    wording: str
    prompt: str
    shots: int
    examples: tuple[Example, ...]
    measurements: Mapping[str, Measurement]
    scored: Mapping[str, float]


@dataclass(frozen=True)
class Joined:
    """Several wordings of one task by one model.

    Attributes:
        model: Model name.
        shots: Exemplars in each prompt.
        task: The task, with all examples that any wording was asked.
        instructions: One a file; a template is the prompt that the log shows, as text.
        measurements: (instruction id, example id) -> what the model gave.
        notes: What a reader should know.
    """

    model: str
    shots: int
    task: Task
    instructions: tuple[Instruction, ...]
    measurements: Mapping[tuple[str, str], Measurement]
    notes: tuple[str, ...]


def join(found: Sequence[Answers], task: str | None = None, model: str | None = None) -> tuple[Joined, ...]:
    """Put wordings of one task and model together.

    Args:
        found: One a file.
        task: Their common task, where the logs name each wording as a task of its own.
        model: Their model, where the logs do not say.

    Raises:
        SourceError: The same example has other options or right answers in another file.
    """
    groups: dict[tuple[str, str, int], list[Answers]] = {}
    for item in found:
        groups.setdefault((model or item.model or "unknown", task or item.task, item.shots), []).append(item)
    return tuple(_join(name, title, shots, members) for (name, title, shots), members in groups.items())


def _join(model: str, title: str, shots: int, members: Sequence[Answers]) -> Joined:
    examples: dict[str, Example] = {}
    for item in members:
        for example in item.examples:
            known = examples.setdefault(example.id, example)
            same = (known.options, known.gold, known.references) == (example.options, example.gold, example.references)
            if not same:
                raise SourceError(
                    "files whose examples of equal id have equal options and right answers",
                    got=f"example {example.id!r} in {members[0].where} and in {item.where}",
                    remedy="import files of one task only, or give each task its own --task",
                )
    names = _unique([item.wording for item in members])
    instructions = tuple(
        Instruction(
            id=name,
            template="{% raw %}" + item.prompt + "{% endraw %}",
            collection="imported",
            output_form=OutputForm.LABEL if item.examples[0].options else OutputForm.TEXT,
            role=Role.PARAPHRASE,
        )
        for name, item in zip(names, members, strict=True)
    )
    cells = {
        (name, example): measurement
        for name, item in zip(names, members, strict=True)
        for example, measurement in item.measurements.items()
    }
    whole = tuple(examples.values())
    kind, metric = _kind(whole)
    task = Task(title, "imported", kind, metric, whole, f"Imported from {listed([item.where for item in members], 3)}.")
    return Joined(model, shots, task, instructions, cells, tuple(_notes(members, len(whole))))


def _kind(examples: Sequence[Example]) -> tuple[TaskKind, Metric]:
    if not examples[0].options:
        return TaskKind.GENERATION, Metric.EXACT_MATCH
    same = len({example.options for example in examples}) == 1
    return (TaskKind.CLASSIFICATION if same else TaskKind.MULTIPLE_CHOICE), Metric.ACCURACY


def _notes(members: Sequence[Answers], examples: int) -> list[str]:
    short = [item.wording for item in members if len(item.measurements) < examples]
    notes = (
        [f"{listed(short, 3)}: not asked about all {examples} examples; the rest count as unscored"] if short else []
    )
    if any(item.examples[0].options for item in members):
        notes.append("imported option scores have no token counts: the rule per_token means the sum")
    return notes


def _unique(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found
