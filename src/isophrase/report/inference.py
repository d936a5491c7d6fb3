"""The parts of a report that tell what can be concluded: over tasks, of the variance, of more measuring.

Knows conditions and the plots of each part. One object holds all of them for the page; the terminal prints the same
numbers. Estimates nothing itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from isophrase.report.conclusion import conclusion
from isophrase.report.distribution import distributions
from isophrase.report.forest import forest
from isophrase.report.overview import Condition
from isophrase.report.power_curve import power_curve
from isophrase.report.split import split
from isophrase.statistics.components import Components
from isophrase.statistics.contrast import Contrast, contrast


@dataclass(frozen=True)
class Inference:
    """What a page shows of one condition.

    Attributes:
        text: One paragraph in plain words.
        forest: Each task's spread and gap with intervals, and their averages.
        split: What makes single answers differ, task by task.
        distribution: Accuracy over wordings with its quantiles, task by task.
        power: How many wordings it takes to see a gap; None without variance components.
    """

    text: str
    forest: Markup
    split: Markup | None
    distribution: Markup | None
    power: Markup | None


def inference(condition: Condition, anchor: str) -> Inference | None:
    """All parts; None where no task has two wordings."""
    if not condition.compared:
        return None
    pilot = pilot_components(condition)
    return Inference(
        text=conclusion(condition, gap_test(condition)),
        forest=forest(condition, id_=f"{anchor}-forest"),
        split=split(condition, id_=f"{anchor}-split"),
        distribution=distributions(condition, id_=f"{anchor}-quantiles"),
        power=power_curve(pilot, len(condition.compared), id_=f"{anchor}-power") if pilot is not None else None,
    )


def gap_test(condition: Condition) -> Contrast | None:
    """The permutation test of observed against unobserved wordings, over all tasks that have both."""
    return contrast([panel.table for panel in condition.gaps]) if condition.gaps else None


def pilot_components(condition: Condition) -> Components | None:
    """The variance components averaged over tasks: what a plan for further measuring starts from."""
    known = [
        panel.further.components
        for panel in condition.compared
        if panel.further is not None and not math.isnan(panel.further.components.instruction)
    ]
    if not known:
        return None
    first = known[0]
    averages = {name: float(np.mean([getattr(item, name) for item in known])) for name in _PARTS}
    return Components(
        **averages, instructions=first.instructions, examples=first.examples, seeds=first.seeds, left_out=0
    )


_PARTS = ("instruction", "example", "seed", "interaction", "instruction_seed", "example_seed", "residual")
