"""The page of a training: its losses and what was seen while it ran, as curves.

Knows plain values and SVG. Does not know how training is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from isophrase.report.html import render_plots
from isophrase.report.plots import figure
from isophrase.report.svg import element

_HEIGHT, _TOP, _BOTTOM = 220, 14.0, 184.0
_LEFT, _RIGHT = 8.0, 80.0
_ACCURACIES = ("trained", "dev", "observed", "outside", "negated", "wrong_task", "nonsense")
_SMOOTHED = 10
"""Steps over which a loss is averaged for its curve."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curve:
    """One named line: (step, value) pairs, ascending."""

    name: str
    points: Points


def training_page(
    name: str, facts: Sequence[str], steps: Sequence[Mapping[str, object]], sights: Sequence[Mapping[str, object]]
) -> str:
    """The page as one HTML text.

    Args:
        name: What was trained.
        facts: Lines about it.
        steps: `number`, `total` and `parts` of each step, as a record has them.
        sights: `step` and `values` of each look.
    """
    groups = [("losses", "Losses", "nats, the mean of ten steps", _loss_curves(steps))]
    accuracies = [_seen(sights, key) for key in _ACCURACIES]
    groups.append(("accuracy", "Accuracy", "share right, by kind of wording", accuracies))
    spreads = [_seen(sights, key) for key in ("trained_std", "dev_std", "observed_std", "memorisation_gap", "reading")]
    groups.append(("spread", "Spread, memory and reading", "share", spreads))
    groups.append(("perplexity", "Perplexity on plain text", "", [_seen(sights, "perplexity")]))
    plots = [
        (title, curves(id_, title, unit, drawn))
        for id_, title, unit, found in groups
        if (drawn := [curve for curve in found if curve.points])
    ]
    return render_plots(name, facts, plots)


def _loss_curves(steps: Sequence[Mapping[str, object]]) -> list[Curve]:
    found: dict[str, list[tuple[float, float]]] = {}
    for step in steps:
        parts = step["parts"]
        assert isinstance(parts, Mapping)
        for name, value in {"total": step["total"], **parts}.items():
            found.setdefault(name, []).append((float(str(step["number"])), float(str(value))))
    return [Curve(name, _smoothed(points)) for name, points in found.items()]


def _smoothed(points: Points) -> Points:
    values = [value for _, value in points]
    return [
        (step, sum(values[max(0, place + 1 - _SMOOTHED) : place + 1]) / min(place + 1, _SMOOTHED))
        for place, (step, _) in enumerate(points)
    ]


def _seen(sights: Sequence[Mapping[str, object]], key: str) -> Curve:
    points = []
    for sight in sights:
        values = sight["values"]
        assert isinstance(values, Mapping)
        if key in values:
            points.append((float(str(sight["step"])), float(values[key])))
    return Curve(key.replace("_", " "), points)


def curves(id_: str, title: str, unit: str, drawn: Sequence[Curve]) -> Markup:
    """Lines over steps, each named at its right end; the vertical axis begins at 0."""
    last = max(curve.points[-1][0] for curve in drawn) or 1.0
    lowest = min(0.0, *(value for curve in drawn for _, value in curve.points))
    highest = max(value for curve in drawn for _, value in curve.points) or 1.0

    def x(step: float) -> str:
        return f"{_LEFT + (_RIGHT - _LEFT) * step / last:.2f}%"

    def y(value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (value - lowest) / (highest - lowest), 1)

    parts = [
        part
        for level in (lowest, (lowest + highest) / 2, highest)
        for part in (
            element("line", class_="grid", x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=y(level), y2=y(level)),
            element("text", f"{level:.2g}", class_="tick", x=0, y=y(level) + 4),
        )
    ]
    parts += [
        element("text", f"{step:g}", class_="tick", x=x(step), y=_BOTTOM + 22, text_anchor="middle")
        for step in (0.0, last)
    ]
    ends = _apart([y(curve.points[-1][1]) for curve in drawn])
    for curve, end in zip(drawn, ends, strict=True):
        for (first, low), (second, high) in pairwise(curve.points):
            parts.append(element("line", class_="curve", x1=x(first), x2=x(second), y1=y(low), y2=y(high)))
        value = curve.points[-1][1]
        parts.append(element("text", f"{curve.name} {value:.3g}", class_="tick", x=f"{_RIGHT + 1}%", y=end + 4))
    described = ", ".join(f"{curve.name} from {curve.points[0][1]:.3g} to {curve.points[-1][1]:.3g}" for curve in drawn)
    return figure(id_, title, f"{unit}: {described}" if unit else described, _HEIGHT, parts)


def _apart(places: Sequence[float], least: float = 14.0) -> list[float]:
    """Vertical places of labels, moved so that none covers another."""
    found = dict.fromkeys(range(len(places)), 0.0)
    before = -least
    for place in sorted(found, key=lambda index: places[index]):
        before = found[place] = max(places[place], before + least)
    return [found[place] for place in range(len(places))]
