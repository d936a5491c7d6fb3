"""From a table of a run to the hidden states of its prompts.

Knows which prompts a table asks and in which batches they are computed. Does not know how a model computes them, nor
what they are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from isophrase.errors import TemplateError
from isophrase.grid import Block, Grid, Unit
from isophrase.models.base import Message
from isophrase.prompts import pick_exemplars, render
from isophrase.representations.files import About, Captured
from isophrase.types import Prompt

if TYPE_CHECKING:
    from isophrase.engine.states import States, Where

_PROMPTS_A_CALL = 1024
"""Prompts handed to the model at once: enough to share their beginnings, few enough to bound memory."""


class Inside(Protocol):
    """A model that shows its hidden states."""

    def render_chat(self, messages: Sequence[Message]) -> str:
        """The conversation in the model's own chat template."""
        ...

    def states(self, prompts: Sequence[Prompt], where: Where) -> States:
        """The hidden state of each prompt."""
        ...


@dataclass(frozen=True)
class _Part:
    """What a unit of work gave."""

    unit: Unit
    states: States


def capture(
    block: Block, about: About, model: Inside, where: Where, advance: Callable[[int], None] = lambda _: None
) -> Captured:
    """The hidden states of every prompt of a table, without its answers.

    Args:
        block: The table's prompts; its rows and columns are those of `about`.
        about: What is captured.
        model: The model.
        where: Layer and position.
        advance: Told how many more prompts are done.
    """
    parts = []
    for unit in Grid((block,)).units(_PROMPTS_A_CALL):
        parts.append(_Part(unit, _measure(unit, model, where)))
        advance(len(unit))
    return _joined(about, parts)


def _measure(unit: Unit, model: Inside, where: Where) -> States:
    from isophrase.engine.states import States

    exemplars = pick_exemplars(unit.block.task, unit.block.shots, unit.block.exemplar_seed)

    def chat(turns: Iterable[tuple[str, str]]) -> str:
        return model.render_chat([Message(role, content) for role, content in turns])

    prompts: list[Prompt] = []
    places: list[int] = []
    missing: dict[int, str] = {}
    for place, (instruction, example) in enumerate(unit.pairs()):
        try:
            prompts.append(render(instruction, example, exemplars, unit.block.prompt_format, chat))
            places.append(place)
        except TemplateError as error:
            missing[place] = str(error)
    found = model.states(prompts, where)
    values = np.full((len(unit), found.values.shape[1]), np.nan, dtype=np.float32)
    values[places] = found.values
    return States(values, missing | {places[index]: reason for index, reason in found.missing.items()})


def _joined(about: About, parts: Sequence[_Part]) -> Captured:
    row_of = {name: row for row, name in enumerate(about.instructions)}
    column_of = {name: column for column, name in enumerate(about.examples)}
    width = parts[0].states.values.shape[1]
    states = np.full((len(row_of), len(column_of), width), np.nan, dtype=np.float32)
    missing = []
    for part in parts:
        cells = [(row_of[one.id], column_of[other.id]) for one, other in part.unit.pairs()]
        rows, columns = np.array(cells, dtype=np.int64).T
        states[rows, columns] = part.states.values
        missing += [(*cells[index], reason) for index, reason in part.states.missing.items()]
    return Captured(about, states, tuple(missing))
