"""The power curve: how likely a gap is seen, by the number of wordings, from this run as a pilot.

Knows variance components, the power of a design, and SVG.
"""

from __future__ import annotations

from itertools import pairwise

from markupsafe import Markup

from isophrase.report.numbers import hundredths
from isophrase.report.plots import figure
from isophrase.report.svg import element
from isophrase.statistics.components import Components
from isophrase.statistics.power import Design, needed_instructions, power

GAPS = (0.02, 0.05, 0.1)
_COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_HEIGHT = 190
_LEFT, _RIGHT, _BOTTOM = 8.0, 88.0, 160.0


def power_curve(pilot: Components, tasks: int, *, id_: str) -> Markup:
    """Curves for gaps of 2, 5 and 10 points with as many examples as the pilot; wordings on a log axis."""
    parts = [*_frame()]
    said = []
    for gap in GAPS:
        points = [
            (index, power(pilot, gap, Design(count, count, pilot.examples, tasks)))
            for index, count in enumerate(_COUNTS)
        ]
        for (first, low), (second, high) in pairwise(points):
            parts.append(element("line", class_="curve", x1=_x(first), x2=_x(second), y1=_y(low), y2=_y(high)))
        last = points[-1][1]
        parts.append(element("text", f"{hundredths(gap, 0)} points", class_="tick", x="89.5%", y=_y(last) + 4))
        said.append(f"a gap of {hundredths(gap, 0)} points: {needed(pilot, gap, tasks)}")
    return figure(
        id_, "How many wordings it takes", f"With {pilot.examples} examples a task, {'; '.join(said)}.", _HEIGHT, parts
    )


def needed(pilot: Components, gap: float, tasks: int) -> str:
    """`12 wordings of each kind in each task`, or that 2,000 are not enough."""
    number = needed_instructions(pilot, gap, pilot.examples, tasks=tasks)
    if number is None:
        return "not even 2,000 wordings of each kind in each task"
    return f"{number:,} wordings of each kind in each task"


def _frame() -> list[Markup]:
    parts = []
    for level in (0.0, 0.5, 0.8, 1.0):
        class_ = "level chance" if level == 0.8 else "grid"
        parts.append(element("line", class_=class_, x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=_y(level), y2=_y(level)))
        parts.append(element("text", f"{level:.0%}", class_="tick", x=0, y=_y(level) + 4))
    for index, count in enumerate(_COUNTS):
        if index % 2 == 0:
            parts.append(element("text", str(count), class_="tick", x=_x(index), y=_BOTTOM + 20, text_anchor="middle"))
    return parts


def _x(index: int) -> str:
    return f"{_LEFT + (_RIGHT - _LEFT) * index / (len(_COUNTS) - 1):.2f}%"


def _y(share: float) -> float:
    return round(_BOTTOM - (_BOTTOM - 12.0) * share, 2)
