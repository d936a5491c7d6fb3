"""The plot of distance against loss, one small plot a task, as inline SVG made here.

Knows panels with geometry, marks and scales. Text inside is escaped; colours and fonts are in the style sheet. The
projections are drawn by the page's script from the data blocks: a thousand points a task would make the page heavy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from isophrase.report.distances import decimal
from isophrase.report.numbers import hundredths
from isophrase.report.plots import MANY, Row
from isophrase.report.svg import element
from isophrase.report.text import wording_line

_TOP, _BOTTOM, _HEIGHT = 14, 36, 224
_LEFT, _RIGHT = 13.0, 98.0


@dataclass(frozen=True)
class Axis:
    """A linear axis with round ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value is, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def axis(values: Sequence[float], *, with_zero: bool) -> Axis:
    """An axis that holds all values with a little room, and has three to six round ticks."""
    known = [value for value in values if not math.isnan(value)] or [0.0]
    low, high = min(known), max(known)
    if with_zero:
        low, high = min(0.0, low), max(0.0, high)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    room = 0.05 * (high - low)
    low, high = low - room if low < 0 else low, high + room
    rough = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough - 1e-12)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(low, high, tuple(index * step for index in range(first, last + 1)))


def axes(rows: Sequence[Row]) -> tuple[Axis, Axis]:
    """The axes of distance and of loss that all tasks share."""
    known = [row.panel.geometry for row in rows if row.panel.geometry is not None]
    distances = [float(value) for item in known for value in item.cosine]
    losses = [float(value) for item in known for value in item.loss]
    return axis(distances, with_zero=True), axis(losses, with_zero=True)


def scatter(row: Row, limits: tuple[Axis, Axis], *, id_: str, said: str) -> Markup:
    """One task: a mark at every wording's distance and loss.

    Args:
        row: The panel, which has a geometry.
        limits: As from `axes`.
        id_: Of the figure.
        said: Its correlation in words.
    """
    geometry = row.panel.geometry
    assert geometry is not None
    across, up = limits
    parts = [*_grid(across, up)]
    known = np.flatnonzero(~np.isnan(geometry.cosine) & ~np.isnan(geometry.loss))
    for index in known.tolist():
        instruction = row.panel.instructions[index]
        numbers = (
            f"distance {decimal(float(geometry.cosine[index]), 4)}, loss {hundredths(float(geometry.loss[index]))}"
        )
        line = "" if len(known) > MANY else f". {wording_line(instruction.template, 90)}"
        title = element("title", f"{instruction.id}: {numbers} points{line}")
        mark = row.marks[index]
        use = element(
            "use", href=f"#m-{mark.shape}", x=_x(across, float(geometry.cosine[index])),
            y=_y(up, float(geometry.loss[index])), class_=f"mark {mark.tone}",
        )  # fmt: skip
        parts.append(element("a", title, use, href=f"{row.href}-i{index}", class_="point", data_row=index))
    heads = (
        element("title", f"{row.label}: distance and loss", id=f"{id_}-t"),
        element("desc", f"{len(known)} wordings. Correlation {said}.", id=f"{id_}-d"),
    )
    names = {"aria_labelledby": f"{id_}-t", "aria_describedby": f"{id_}-d"}
    return element(
        "svg", *heads, *parts, id=id_, class_="plot scatter", role="group", width="100%", height=_HEIGHT, **names
    )


def _x(across: Axis, value: float) -> str:
    return f"{_LEFT + across.share(value) * (_RIGHT - _LEFT):.2f}%"


def _y(up: Axis, value: float) -> float:
    return round(_TOP + (1 - up.share(value)) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _grid(across: Axis, up: Axis) -> list[Markup]:
    parts = []
    for tick in up.ticks:
        y = _y(up, tick)
        kind = "grid zero" if abs(tick) < 1e-9 else "grid"
        parts.append(element("line", class_=kind, x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=y, y2=y))
        parts.append(
            element("text", hundredths(tick, 0), class_="tick", x=f"{_LEFT - 1.5}%", y=y + 4, text_anchor="end")
        )
    bottom = _HEIGHT - _BOTTOM
    for tick in across.ticks:
        x = _x(across, tick)
        parts.append(element("line", class_="grid", x1=x, x2=x, y1=bottom, y2=bottom + 4))
        end = across.share(tick) > 0.97
        parts.append(
            element("text", f"{tick:g}", class_="tick", x=x, y=bottom + 18, text_anchor="end" if end else "middle")
        )
    return parts
