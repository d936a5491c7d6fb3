"""What the distances of a run say, in sentences and in rows of text.

Knows conditions and what was found of their distances. Knows no medium.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from isophrase.report.numbers import UNDEFINED
from isophrase.report.overview import Condition, conditions
from isophrase.report.view import Geometry, Panel, RunView
from isophrase.representations.distances import NEAREST
from isophrase.statistics.association import Association
from isophrase.statistics.distance import DistanceFindings
from isophrase.statistics.tables import Estimate


@dataclass(frozen=True)
class Found:
    """A condition with its distances.

    Attributes:
        condition: All tasks of one model × shots × format.
        findings: What the distances say together.
        panels: Those with distances.
    """

    condition: Condition
    findings: DistanceFindings
    panels: tuple[Panel, ...]

    @property
    def geometry(self) -> Geometry:
        """That of the first panel: layer, position and what is measured to are the same in all."""
        assert self.panels[0].geometry is not None
        return self.panels[0].geometry

    @property
    def to(self) -> str:
        """`the nearest observed wording` or `the reference wording`."""
        return f"the {self.geometry.to}"


def found(view: RunView) -> tuple[Found, ...]:
    """The conditions that have distances."""
    parts = []
    for condition in conditions(view):
        panels = tuple(panel for panel in condition.panels if panel.geometry is not None)
        summary = condition.panels[0].summary
        findings = view.distances.get((summary.model, summary.shots, summary.prompt_format))
        if panels and findings is not None:
            parts.append(Found(condition, findings, panels))
    return tuple(parts)


def layer_name(geometry: Geometry) -> str:
    """`the penultimate layer at the last prompt token`."""
    names = {-2: "the penultimate layer", -1: "the last layer", 0: "the embeddings"}
    where = {
        "last": "at the last prompt token, or the decoder's first step",
        "mean": "averaged over the prompt's tokens",
    }
    name = names.get(geometry.layer, f"layer {geometry.layer}")
    return f"{name}, {where[geometry.position]}"


def decimal(value: float, digits: int = 2) -> str:
    """A number that is no share: `−0.31`; an en dash where it is undefined."""
    return UNDEFINED if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def with_brackets(estimate: Estimate) -> str:
    """`−0.31 [−0.52, −0.04]`."""
    if math.isnan(estimate.low):
        return decimal(estimate.value)
    return f"{decimal(estimate.value)} [{decimal(estimate.low)}, {decimal(estimate.high)}]"


def p_value(p: float) -> str:
    """`p = 0.03`, `p < 0.001`."""
    if math.isnan(p):
        return "no p-value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def verdict(found: Found) -> str:
    """One sentence: does distance go with the loss in accuracy?"""
    said = found.findings.cosine
    if math.isnan(said.value.value):
        return "Too few wordings have both a distance and a score to say whether distance goes with accuracy"
    if said.value.low > 0:
        return f"Wordings farther from {found.to} lose more accuracy"
    if said.value.high < 0:
        return f"Wordings farther from {found.to} lose less accuracy"
    return f"Distance from {found.to} does not tell which wordings lose accuracy"


def associations(found: Found) -> tuple[tuple[str, Association, str], ...]:
    """(what, association, what no relation would be) of all that is tested."""
    said = found.findings
    return (
        ("correlation with the loss, cosine distance", said.cosine, "0"),
        ("correlation with the loss, Euclidean distance", said.l2, "0"),
        ("P(a new error is farther), between wordings of one example", said.across_wordings, "0.5"),
        ("P(a new error is farther), between examples of one wording", said.across_examples, "0.5"),
    )


HEADER = (
    *("task", "wordings", "examples", "cosine", "l2", "to centroid", "cka"),
    *("dispersion (cosine)", "dispersion (l2)", "rho (cosine)", "rho (l2)"),
)


def task_rows(found: Found) -> list[tuple[str, ...]]:
    """One row a task: means over wordings, dispersion, and the correlations with the loss."""
    rows: list[tuple[str, ...]] = []
    for index, panel in enumerate(found.panels):
        own = panel.geometry
        assert own is not None
        numbers = (average(own.cosine), average(own.l2), average(own.centroid), average(own.cka))
        rows.append(
            (
                panel.summary.task, str(len(own.l2)), str(own.examples), decimal(numbers[0], 4), decimal(numbers[1]),
                decimal(numbers[2]), decimal(numbers[3]), decimal(own.spread_cosine, 4), decimal(own.spread_l2),
                with_brackets(found.findings.cosine.tasks[index]), with_brackets(found.findings.l2.tasks[index]),
            )
        )  # fmt: skip
    return rows


def average(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The mean of what is defined."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def what_is_measured(found: Found) -> str:
    """What the numbers are, and what they are not."""
    line = f"States of {layer_name(found.geometry)}; distances to {found.to} on the same example."
    if found.geometry.to != NEAREST:
        line += (
            f" Nothing is known of what {found.condition.model} was tuned on, so the distance to the nearest observed "
            "wording is undefined."
        )
    return line
