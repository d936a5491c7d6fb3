"""A run that measured a part of its cells on purpose: what the choice of cells starts from, and what a report shows.

Knows the log of choices in a manifest, and how instructions and examples become features. The estimator is in
`statistics.budget`, the choice in `statistics.choosing`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isophrase.report.numbers import hundredths, with_interval
from isophrase.report.view import Panel
from isophrase.statistics import intervals
from isophrase.statistics.budget import BudgetEstimate, Features, estimate
from isophrase.statistics.choosing import Pick
from isophrase.statistics.features import text_features
from isophrase.types import Example, Instruction

_MOST_CLASSES = 12
_INSTRUCTION_FEATURES = 16
_EXAMPLE_FEATURES = 8


def features_of(instructions: Sequence[Instruction], examples: Sequence[Example]) -> Features:
    """What is known of rows and columns before anything is measured: their texts, and each example's right answer."""
    templates = text_features([item.template for item in instructions], _INSTRUCTION_FEATURES)
    texts = text_features(["\n".join(item.fields.values()) for item in examples], _EXAMPLE_FEATURES)
    return Features(templates, texts, classes_of(examples))


def classes_of(examples: Sequence[Example]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A code for each example's right answer where it is comparable: all have the same options, in whatever order."""
    same = len({frozenset(item.options) for item in examples}) == 1 and bool(examples[0].options)
    if not same or len(examples[0].options) > _MOST_CLASSES:
        return np.zeros(len(examples), dtype=np.int64)
    names = sorted(examples[0].options)
    return np.array([names.index(item.options[item.gold[0]]) for item in examples], dtype=np.int64)


def block_key(model: str, task: str, shots: int, prompt_format: str) -> str:
    """How the log of choices names a table of a run."""
    return f"{model} / {task} / {shots}-shot / {prompt_format}"


def to_choice(block: str, number: int, picks: Sequence[Pick]) -> dict[str, Any]:
    """A round for the log of choices: rows and columns by their places."""
    rectangles = [[list(pick.rows), list(pick.columns)] for pick in picks]
    return {"block": block, "round": number, "cells": sum(map(len, picks)), "picks": rectangles}


def picks_of(choice: Mapping[str, Any]) -> tuple[Pick, ...]:
    """The rectangles of a logged round."""
    return tuple(Pick(tuple(rows), tuple(columns)) for rows, columns in choice["picks"])


def with_budget(panels: Sequence[Panel], choices: Sequence[Mapping[str, Any]], seed: int) -> tuple[Panel, ...]:
    """Panels with the estimates that fill in what a budget left out.

    Args:
        panels: As measured.
        choices: The log; a panel that is not in it stays as it is.
        seed: Of the estimates' draws.
    """
    asked: dict[str, int] = {}
    for choice in choices:
        asked[choice["block"]] = asked.get(choice["block"], 0) + int(choice["cells"])
    return tuple(_estimated(panel, asked, seed) for panel in panels)


def _estimated(panel: Panel, asked: Mapping[str, int], seed: int) -> Panel:
    summary = panel.summary
    cells = asked.get(block_key(summary.model, summary.task, summary.shots, summary.prompt_format))
    if cells is None:
        return panel
    scored = int((~np.isnan(panel.table.values)).sum())
    share = 1.0 - scored / len(panel.measurements) if panel.measurements else math.nan
    known = replace(summary, unscored=intervals.undefined(summary.unscored.level, share))
    if not scored:
        return replace(panel, summary=known)
    found = estimate(panel.table.values, features_of(panel.instructions, panel.examples), seed=seed)
    return replace(panel, summary=known, budget=found)


def unmeasured(panels: Sequence[Panel], choices: Sequence[Mapping[str, Any]], cells: int) -> int:
    """Cells that a run still owes: of a budget, those that were chosen and are not measured yet."""
    measured = sum(len(panel.measurements) + len(panel.content_free) for panel in panels)
    wanted = sum(int(choice["cells"]) for choice in choices) if choices else cells
    return max(wanted - measured, 0)


def budget_note(panel: Panel, found: BudgetEstimate) -> str:
    """What of a panel is measured, and what is estimated."""
    words = ", ".join(f"{hundredths(item.share, 0)} %: {with_interval(item.accuracy)}" for item in found.quantiles)
    level = found.mean.level
    return (
        f"{panel.summary.task} ({panel.summary.model}): measured {found.measured:,} of {found.cells:,} cells "
        f"({100 * found.measured / found.cells:.1f} %); estimated from them, with {hundredths(level, 0)} % intervals, "
        f"for the whole: mean {with_interval(found.mean)}; quantiles over wordings {words}"
    )
