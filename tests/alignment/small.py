"""A small task with wordings, and small models to train on it."""

from __future__ import annotations

from typing import Any

from isophrase.alignment.method import Draws, Kind, Method, Parameters, Schedule, Start
from isophrase.alignment.sampling import Material
from isophrase.alignment.training import Training
from isophrase.alignment.wordings import Wordings
from isophrase.models.huggingface import load
from isophrase.types import (
    Example,
    Instruction,
    Metric,
    ModelSpec,
    OutputForm,
    PromptFormat,
    Role,
    Split,
    Task,
    TaskKind,
)
from tests.engine.reference import folder

OPTIONS = ("positive", "negative")


def example(number: int, split: Split = Split.TRAIN) -> Example:
    mood = number % 2
    text = f"The {('film', 'food', 'game', 'place')[number % 4]} was {('a delight', 'cold')[mood]}, {number}."
    return Example(f"{split.value}-{number}", {"text": text}, OPTIONS, (mood,), split=split)


def wording(name: str, template: str, role: Role = Role.PARAPHRASE) -> Instruction:
    reference = None if role is Role.REFERENCE else "reference"
    return Instruction(name, template, "test", OutputForm.LABEL, role=role, reference=reference)


REFERENCE = wording("reference", "Say whether its sentiment is positive or negative. {{ text }}", Role.REFERENCE)
TRAIN = (
    wording("train-1", "{{ text }} Which of the labels?"),
    wording("train-2", "Read the sentence: {{ text }} Answer with one label."),
    wording("train-3", "Question: is this one good? {{ text }}"),
)
DEV = (wording("dev-1", "Topic and sentiment of {{ text }} please"),)
TEST = (wording("test-1", "In Paris they say: {{ text }} What now?"),)
CONTROLS = (wording("not", "Answer with the wrong label. {{ text }}", Role.NEGATED),)


def material(count: int = 8) -> Material:
    train = tuple(example(number) for number in range(count))
    dev = tuple(example(number + 100, Split.DEV) for number in range(4))
    test = tuple(example(number + 200, Split.TEST) for number in range(4))
    task = Task("mood", "1", TaskKind.CLASSIFICATION, Metric.ACCURACY, train + dev + test)
    return Material(task, Wordings((REFERENCE,), TRAIN, DEV, TEST, CONTROLS, (), CONTROLS), train, dev)


def tiny(family: str = "llama") -> Any:
    spec = ModelSpec(family, str(folder(family)), dtype="float32", device="cpu", prompt_format=PromptFormat.PLAIN)
    return load(spec)


def parameters(kind: Kind, **changes: Any) -> Parameters:
    return Parameters(**{"kind": kind, "length": 4, "rank": 2, "text": "Read the sentence carefully.", **changes})


def method(kind: Kind = Kind.PREFIX, **changes: Any) -> Method:
    start = changes.pop("start", Start.TEXT)
    given = {
        "parameters": parameters(kind, start=start),
        "draws": Draws(wordings=2, inputs=2, references=1, controls=1),
        "schedule": Schedule(steps=4, rate=1e-2),
        "anchor": 0.5,
    }
    return Method(**{**given, **changes})


def training(chosen: Method, **changes: Any) -> Training:
    return Training(**{"method": chosen, "materials": (material(),), "every": 2, **changes})
