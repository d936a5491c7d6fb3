"""The adaptive mode of a run: choose cells, measure them, look, choose again, until budget or precision is reached.

Knows the order of the steps. Each round is logged in the manifest before it is measured, so a run that was killed goes
on with the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isophrase.budgeted import block_key, features_of, picks_of, to_choice
from isophrase.execution.local import Progress, fill
from isophrase.grid import Block, unit_of
from isophrase.models.base import GenerationLimits, Model
from isophrase.scoring.outcomes import outcomes
from isophrase.statistics.budget import Features, estimate
from isophrase.statistics.choosing import Pick, Wish, choose
from isophrase.store import PanelKey, Store
from isophrase.types import Measurement, Rule


@dataclass(frozen=True, slots=True)
class Spending:
    """What a budget is spent with.

    Attributes:
        store: The run.
        model: Measures.
        limits: Of generated text.
        rule: How options are compared.
        progress: Told of every unit.
    """

    store: Store
    model: Model
    limits: GenerationLimits
    rule: Rule
    progress: Progress


def spend(block: Block, wish: Wish, by: Spending) -> int:
    """Measure a part of a block.

    Args:
        block: All cells.
        wish: How many of them, or how precisely.
        by: With what.

    Returns:
        How many cells were asked in all.
    """
    key = block_key(block.model, block.task.name, block.shots, block.prompt_format.value)
    features = features_of(block.instructions, block.examples)
    logged = [choice for choice in by.store.choices() if choice["block"] == key]
    for choice in logged:
        _measure(block, picks_of(choice), by)
    number = len(logged)
    while True:
        values, asked = _state(block, by)
        if _is_precise(values, features, wish):
            return int(asked.sum())
        picks = choose(values, asked, features, wish)
        if not picks:
            return int(asked.sum())
        choice = by.store.add_choice(to_choice(key, number, picks))
        _measure(block, picks_of(choice), by)
        number += 1


def _measure(block: Block, picks: tuple[Pick, ...], by: Spending) -> None:
    units = [unit_of(block, pick.rows, pick.columns) for pick in picks]
    fill(units, by.model, by.store, by.limits, by.progress)


def _is_precise(values: NDArray[np.float64], features: Features, wish: Wish) -> bool:
    if wish.precision is None or np.isnan(values).all():
        return False
    return estimate(values, features, level=wish.level, seed=wish.seed).widest <= wish.precision


def _state(block: Block, by: Spending) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What was measured so far: values with NaN, and which cells were asked."""
    shape = (len(block.instructions), len(block.examples))
    values, asked = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    key = PanelKey(
        block.model, block.task.name, block.shots, block.prompt_format.value, block.exemplar_seed, block.dtype
    )
    row = {item.id: index for index, item in enumerate(block.instructions)}
    column = {item.id: index for index, item in enumerate(block.examples)}
    scores = by.store.scores(key)
    measured: Mapping[tuple[int, int], Measurement] = {
        (row[score.cell.instruction], column[score.cell.example]): score.measurement for score in scores
    }
    examples = [block.examples[place] for _, place in measured]
    found = outcomes(list(measured.values()), examples, block.task.metric, by.rule)
    for place, outcome in zip(measured, found, strict=True):
        asked[place] = True
        values[place] = np.nan if outcome.value is None else outcome.value
    return values, asked
