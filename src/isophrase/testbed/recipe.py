"""The testbed's recipe: tasks with their wordings, and how the model that is to be repaired is made.

Knows what belongs together. Does not know how anything is trained or measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from isophrase.alignment.method import Draws, Kind, Method, Parameters, Schedule
from isophrase.alignment.sampling import Material
from isophrase.alignment.wordings import Wordings, by_collection
from isophrase.sources.fetch import fetch_bigbench
from isophrase.sources.instructions import read_instruction_set
from isophrase.testbed.inputs import ALIGNED, TASKS, Review, make_opposite, make_task, multiemo_reviews, own_reviews
from isophrase.types import InstructionSet, Split

BASE = "smollm2-135m-instruct"
VERSION = "3"
"""Changes whenever results of the recipe would."""


class Source(StrEnum):
    """Where the reviews are from."""

    OWN = "own"
    BIGBENCH = "bigbench"


TUNING = Method(
    parameters=Parameters(kind=Kind.LORA, rank=4),
    supervised=0.0,
    supervised_reference=1.0,
    consistency=0.0,
    draws=Draws(wordings=0, references=8, inputs=2),
    schedule=Schedule(steps=510, rate=2e-3),
)
"""Instruction tuning on the observed wordings of all six tasks, later on negated ones too."""
_NEGATED, _SINCE = 0.7, 300
"""How often a negated wording is drawn for each plain one, and from which pass on: a model that never met one reads
none, and mixed in from the start they keep the rest from being learnt."""


@dataclass(frozen=True, eq=False)
class Testbed:
    """All six tasks. Two of them are never equal, so that what is derived of one can be kept for it.

    Attributes:
        source: Where the reviews are from.
        materials: Task by task, in the order of `TASKS`.
        opposites: The same tasks under negated wordings with the labels that these ask for; only the tuning sees them.
    """

    source: Source
    materials: tuple[Material, ...]
    opposites: tuple[Material, ...] = ()

    def of(self, names: Sequence[str]) -> tuple[Material, ...]:
        """Some of the tasks."""
        return tuple(item for item in self.materials if item.task.name.removeprefix("testbed-") in names)


def load_testbed(source: Source, cache: Path) -> Testbed:
    """The testbed with its reviews; BIG-bench is fetched where it is asked for and missing.

    Raises:
        IsophraseError: The reviews can't be had.
    """
    if source is Source.BIGBENCH:
        fetch_bigbench(cache, lambda *_: None)
        reviews, origin = multiemo_reviews(cache), "BIG-bench multiemo (Apache-2.0)"
    else:
        reviews, origin = own_reviews(), "Written by the Isophrase project (Apache-2.0)."
    materials = tuple(_material(name, reviews, origin) for name in TASKS)
    return Testbed(source, materials, tuple(map(_opposite, materials)))


@cache
def folded(testbed: Testbed, fold: int, folds: int) -> Testbed:
    """The testbed with every so many-th register of the training wordings left out of training, for development.

    Args:
        testbed: The testbed.
        fold: Which of the folds is left out: registers number `fold`, `fold + folds`, ... in their order.
        folds: How many there are.
    """
    aligned = testbed.of(ALIGNED)
    materials = tuple(_folded(item, fold, folds) if item in aligned else item for item in testbed.materials)
    return replace(testbed, materials=materials)


def _folded(material: Material, fold: int, folds: int) -> Material:
    wordings = material.wordings
    out = list(dict.fromkeys(one.register for one in wordings.train))[fold::folds]
    kept = tuple(one for one in wordings.train if one.register not in out)
    left = tuple(one for one in wordings.train if one.register in out)
    return replace(material, wordings=replace(wordings, train=kept, dev=wordings.dev + left))


def _material(name: str, reviews: Sequence[Review], origin: str) -> Material:
    task = make_task(name, reviews, origin)
    return Material(task, by_collection(_wordings("wordings", name)), task.split(Split.TRAIN), task.split(Split.DEV))


def _opposite(material: Material) -> Material:
    name = material.task.name.removeprefix("testbed-")
    task = make_opposite(material.task)
    wordings = Wordings(_wordings("opposites", name).instructions, (), (), ())
    return Material(task, wordings, task.split(Split.TRAIN), task.split(Split.DEV), _NEGATED, _SINCE)


def _wordings(kind: str, name: str) -> InstructionSet:
    return read_instruction_set(files("isophrase.data") / "testbed" / kind / f"{name}.yaml")
