"""What both sides are asked: the same prompts, in units as a run would hand them to the engine.

Knows tasks and instructions. Does not know models or how anything is timed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from isophrase.cache import cache_folder
from isophrase.errors import SourceError
from isophrase.models.base import GenerationLimits
from isophrase.prompts import pick_exemplars, render
from isophrase.sources.bundled import load_bundled_set, load_bundled_task
from isophrase.sources.resolve import load_tasks
from isophrase.types import Instruction, OutputForm, Prompt, PromptFormat, Split, Task

MIX = ("sentiment", "topic", "commonsense", "ordering")
"""Bundled tasks with two to five options of one token or several: two of classification, two of multiple choice."""

MMLU_SUBJECT = "college_biology"
"""Its five-shot prompts have 540 tokens, which is about the average over all subjects."""
_MMLU_FALLBACK = "commonsense"

MMLU_INSTRUCTIONS = tuple(
    Instruction(id=f"mmlu-{number}", template=template, collection="benchmark", output_form=OutputForm.LETTER)
    for number, template in enumerate(
        (
            "{{ input }}\n{{ options }}\nAnswer:",
            "Question: {{ input }}\n{{ options }}\nThe letter of the right answer is",
        )
    )
)


@dataclass(frozen=True)
class Workload:
    """Prompts for a comparison.

    Attributes:
        name: The letter by which the issue and the documentation call it.
        title: What it is.
        units: What one call of `measure` is given, one after the other.
        limits: When generation ends.
        rounds: At most so many rounds, where the peer takes minutes for one.
    """

    name: str
    title: str
    units: tuple[tuple[Prompt, ...], ...]
    limits: GenerationLimits = field(default_factory=GenerationLimits)
    rounds: int = 99

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        return tuple(prompt for unit in self.units for prompt in unit)


def workloads(size: float = 1.0) -> tuple[Workload, ...]:
    """All four, with the number of examples scaled by `size`."""

    def count(examples: int) -> int:
        return max(2, round(examples * size))

    # Not a line break: the peer stops at a leading one, and this project does not, so that their texts would differ.
    stop = GenerationLimits(24, (".",))
    return (
        Workload("a", "zero-shot mix, 4 tasks × 10 instructions", tuple(_bundled(name, 10, count(20)) for name in MIX)),
        _five_shot(count(80)),
        Workload("c", "7 options of several tokens, 10 instructions", (_bundled("intent", 10, count(10)),)),
        Workload("d", "generation, 10 instructions", (_bundled("extraction", 10, count(32)),), stop),
    )


def _bundled(task: str, instructions: int, examples: int) -> tuple[Prompt, ...]:
    wordings = [one for one in load_bundled_set(task).instructions if not one.role.is_control][:instructions]
    return _grid(load_bundled_task(task).task, wordings, examples, shots=0)


def _five_shot(examples: int) -> Workload:
    """Five-shot MMLU where its csv files are at hand, else the bundled task that is most like it."""
    for folder in _mmlu_folders():
        try:
            (loaded,) = load_tasks(f"mmlu/{MMLU_SUBJECT}", folder=folder, cache=cache_folder())
        except SourceError:
            continue
        unit = _grid(loaded.task, MMLU_INSTRUCTIONS, examples, shots=5)
        return Workload("b", f"five-shot MMLU ({MMLU_SUBJECT}), 2 instructions", (unit,), rounds=2)
    task = load_bundled_task(_MMLU_FALLBACK).task
    unit = _grid(task, MMLU_INSTRUCTIONS, examples, shots=5)
    return Workload("b", f"five-shot {_MMLU_FALLBACK} (no MMLU data at hand), 2 instructions", (unit,), rounds=2)


def _mmlu_folders() -> list[Path]:
    shared = os.environ.get("ISOPHRASE_SHARED_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return [Path(shared) / "mmlu"] if shared else [cache_folder() / "mmlu", beside / "mmlu"]


def _grid(task: Task, wordings: Sequence[Instruction], examples: int, *, shots: int) -> tuple[Prompt, ...]:
    shown = pick_exemplars(task, shots, 0)
    asked = task.split(Split.TEST)[:examples]
    return tuple(render(one, example, shown, PromptFormat.PLAIN) for one in wordings for example in asked)
