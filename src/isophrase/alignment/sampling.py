"""What each step of training sees: a pure function of the material, the method, the seed and the step's number.

Knows wordings and examples. Does not know tokens or models. Since nothing is carried from step to step, a run that was
interrupted sees what it would have seen, and everything that a run will need can be listed beforehand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from isophrase.alignment.augmentation import augment
from isophrase.alignment.method import Draws
from isophrase.alignment.registers import Register, wrap
from isophrase.alignment.wordings import Wordings
from isophrase.types import Example, Instruction, Role, Task


@dataclass(frozen=True, slots=True)
class Material:
    """One task to train on.

    Attributes:
        task: The task; its examples are those of the splits that training may use.
        wordings: Its wordings by purpose.
        train: The inputs.
        dev: Inputs for watching the training.
        weight: Relative probability of being drawn.
        since: The first pass that may draw it; 0 for one of the materials at least.
    """

    task: Task
    wordings: Wordings
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    weight: float = 1.0
    since: int = 0


class Purpose(StrEnum):
    """Why something is drawn."""

    WORDING = "wording"
    REFERENCE = "reference"
    CONTROL = "control"
    NEGATED = "negated"
    """A control, or a training wording turned round, that asks for another option than the right one."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One input under one wording.

    Attributes:
        material: Index of the task.
        example: The input.
        wording: What the model in training reads.
        reference: What the teacher reads.
        purpose: Why it is drawn.
        group: Name of the wording without register: what group DRO weighs.
    """

    material: int
    example: Example
    wording: Instruction
    reference: Instruction
    purpose: Purpose
    group: str


def draw(
    materials: Sequence[Material], draws: Draws, registers: Sequence[Register], seed: int, step: int
) -> list[Draw]:
    """The draws of one pass.

    Args:
        materials: The tasks.
        draws: How many of what.
        registers: To put around training wordings and controls, or to turn training wordings round.
        seed: The run's.
        step: Number of the pass.
    """
    random = np.random.default_rng([seed, step])
    weights = np.array([item.weight if step >= item.since else 0.0 for item in materials])
    found: list[Draw] = []
    for purpose, count in (
        (Purpose.WORDING, draws.wordings),
        (Purpose.REFERENCE, draws.references),
        (Purpose.CONTROL, draws.controls),
    ):
        for chosen in _tasks(random, weights, count):
            found += _inputs(random, materials, chosen, purpose, draws, registers)
    for chosen in _tasks(random, weights, draws.inversions):
        found += _inverted(random, materials, chosen, draws, registers)
    return found


def answered(drawn: Sequence[Draw]) -> list[Draw]:
    """The draws; those that ask for another option than the right one with an option that they ask for as gold."""
    return [
        replace(item, example=replace(item.example, gold=(wrong_option(item.example),)))
        if item.purpose is Purpose.NEGATED
        else item
        for item in drawn
    ]


def wrong_option(example: Example) -> int:
    """Index of an option that is not right: the other one, or among several the one that the input's id decides."""
    others = [place for place in range(len(example.options)) if place not in example.gold]
    return others[hashlib.sha256(example.id.encode()).digest()[0] % len(others)]


def drawable(registers: Sequence[Register], draws: Draws) -> list[Register]:
    """Those of some registers that may be drawn."""
    return [one for one in registers if (draws.inversions if one.inverts else draws.registers)]


def _tasks(random: np.random.Generator, weights: np.ndarray[tuple[int], np.dtype[np.float64]], count: int) -> list[int]:
    """Tasks by weight, systematically, so that every step sees them in their shares: count indexes."""
    edges = np.cumsum(weights) / weights.sum()
    points = (np.arange(count) + random.random()) / max(count, 1)
    return [min(int(place), len(weights) - 1) for place in np.searchsorted(edges, points, side="right")]


def _inputs(
    random: np.random.Generator,
    materials: Sequence[Material],
    chosen: int,
    purpose: Purpose,
    draws: Draws,
    registers: Sequence[Register],
) -> list[Draw]:
    material = materials[chosen]
    wordings = material.wordings
    pool = {
        Purpose.WORDING: wordings.train,
        Purpose.REFERENCE: wordings.references,
        Purpose.CONTROL: wordings.train_controls,
    }[purpose]
    if not pool:
        return []
    wording = group = pool[random.integers(len(pool))]
    if wording.role is Role.NEGATED and _turnable(material):
        purpose = Purpose.NEGATED
    # A reference or a control is compared with the frozen model under itself, as it is in its set.
    reference = _reference(wordings, group) if purpose is Purpose.WORDING else group
    if purpose is not Purpose.REFERENCE:
        options = material.train[0].options
        fitting = [one for one in registers if not one.inverts and (options or not one.labels)]
        # Half of one control and half of another may ask for anything.
        allowed = draws if purpose is Purpose.WORDING else replace(draws, splices=0.0)
        wording = augment(wording, random, allowed, others=pool, registers=fitting)
    return [
        Draw(chosen, example, wording, reference, purpose, f"{material.task.name}\0{group.id}")
        for example in _examples(random, material, draws)
    ]


def _inverted(
    random: np.random.Generator, materials: Sequence[Material], chosen: int, draws: Draws, registers: Sequence[Register]
) -> list[Draw]:
    """A training wording turned round, beside its reference turned round alike: a control that needs no author."""
    material, inverting = materials[chosen], [one for one in registers if one.inverts]
    if not inverting or not _turnable(material):
        return []
    wordings = material.wordings
    wording = wordings.train[random.integers(len(wordings.train))]
    register = inverting[random.integers(len(inverting))]
    reference = wrap(_reference(wordings, wording), register)
    name = f"{material.task.name}\0{wording.id}"
    return [
        Draw(chosen, example, wrap(wording, register), reference, Purpose.NEGATED, name)
        for example in _examples(random, material, draws)
    ]


def _turnable(material: Material) -> bool:
    """Whether there is something else to say than the right answer: free text has no opposite."""
    return all(len(one.options) > len(one.gold) for one in material.train)


def _examples(random: np.random.Generator, material: Material, draws: Draws) -> list[Example]:
    places = random.choice(len(material.train), min(draws.inputs, len(material.train)), replace=False)
    return [material.train[place] for place in places]


def _reference(wordings: Wordings, wording: Instruction) -> Instruction:
    """The reference that a wording re-phrases, else the set's first."""
    return next((item for item in wordings.references if item.id == wording.reference), wordings.references[0])
