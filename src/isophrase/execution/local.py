"""Fill a run on this machine: unit by unit, each claimed, measured and written whole.

Knows the order of the work and what to do when another process has a unit. Does not know how a model computes or how
a part is written. Another way to execute (a cluster) calls `measure_unit` from its own workers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from isophrase.errors import TemplateError
from isophrase.grid import Unit
from isophrase.models.base import GenerationLimits, Message, Model
from isophrase.prompts import pick_exemplars, render
from isophrase.store import Store
from isophrase.types import Measurement, Prompt, Score

_POLL_SECONDS = 0.5


class Progress(Protocol):
    """Whoever wants to know how far the run is."""

    def advance(self, cells: int, *, measured: bool) -> None:
        """So many more cells are done; `measured` is False for those that were there already."""
        ...


def fill(units: Iterable[Unit], model: Model, store: Store, limits: GenerationLimits, progress: Progress) -> None:
    """Measure every unit that is not done, and wait for those that another process is measuring.

    A unit whose process dies becomes free and is measured here.
    """
    done = store.parts()
    held_elsewhere = []
    for unit in units:
        if unit.id in done:
            progress.advance(len(unit), measured=False)
        elif not _try(unit, model, store, limits, progress):
            held_elsewhere.append(unit)
    while held_elsewhere:
        time.sleep(_POLL_SECONDS)
        held_elsewhere = [unit for unit in held_elsewhere if not _try(unit, model, store, limits, progress)]


def _try(unit: Unit, model: Model, store: Store, limits: GenerationLimits, progress: Progress) -> bool:
    """Whether the unit is done now."""
    with store.claim(unit.id) as ours:
        if ours:
            store.write(unit.id, measure_unit(unit, model, limits))
    done = store.is_done(unit.id)
    if done:
        progress.advance(len(unit), measured=ours)
    return done


def measure_unit(unit: Unit, model: Model, limits: GenerationLimits) -> list[Score]:
    """Render the cells of a unit and measure them in one call; a cell that can't be rendered keeps its reason."""
    block = unit.block
    exemplars = pick_exemplars(block.task, block.shots, block.exemplar_seed)

    def chat(turns: Iterable[tuple[str, str]]) -> str:
        return model.render_chat([Message(role, content) for role, content in turns])

    rendered: list[Prompt | Measurement] = []
    for instruction, example in unit.pairs():
        try:
            rendered.append(render(instruction, example, exemplars, block.prompt_format, chat))
        except TemplateError as error:
            rendered.append(Measurement(unscored=str(error)))
    measured = iter(model.measure([item for item in rendered if isinstance(item, Prompt)], limits))
    return [
        Score(block.cell(instruction, example), next(measured) if isinstance(item, Prompt) else item)
        for (instruction, example), item in zip(unit.pairs(), rendered, strict=True)
    ]
