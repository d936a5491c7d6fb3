"""The forest plot: each task's estimate with its interval, and the averages over these tasks and tasks like them.

Knows conditions and SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from isophrase.report.numbers import hundredths, interval, with_interval
from isophrase.report.overview import Condition
from isophrase.report.plots import AXIS, figure
from isophrase.report.svg import Scale, element
from isophrase.report.text import shorten
from isophrase.statistics.overview import OverTasks
from isophrase.statistics.tables import Estimate

_STEP = 26
_HEAD = 30


def forest(condition: Condition, *, id_: str) -> Markup:
    """Standard deviation over wordings of every task, then the gap where it is defined; averages below each."""
    overview = condition.overview
    blocks: list[tuple[str, Sequence[tuple[str, Estimate]], OverTasks]] = [
        (
            "Standard deviation over wordings, in points",
            [(panel.summary.task, panel.summary.std) for panel in condition.panels],
            overview.std,
        )
    ]
    if overview.gap is not None:
        gaps = [(panel.summary.task, panel.summary.gap) for panel in condition.panels if panel.summary.gap is not None]
        blocks.append(("Gap between observed and unobserved wordings, in points", gaps, overview.gap))
    parts, top, said = [], 0, []
    for title, rows, average in blocks:
        drawn, height = _block(title, rows, average, top)
        parts += drawn
        top += height
        said.append(f"{title}: average over tasks {with_interval(average.these)}")
    return figure(id_, "Estimates over tasks", f"{'; '.join(said)}.", top, parts)


def _block(title: str, rows: Sequence[tuple[str, Estimate]], average: OverTasks, top: int) -> tuple[list[Markup], int]:
    lines: list[tuple[str, Estimate, str]] = [(name, item, "task") for name, item in rows]
    if len(rows) > 1:
        lines += [
            ("average of these tasks", average.these, "average"),
            ("tasks like these", average.similar, "average"),
        ]
    scale = _scale([item for _, item, _ in lines])
    height = _HEAD + _STEP * len(lines) + AXIS
    parts = [element("text", title, class_="row-name", x=0, y=top + 18), *_axis(scale, top, height)]
    for place, (name, item, kind) in enumerate(lines):
        parts += _line(name, item, kind, scale, top + _HEAD + _STEP * place + _STEP // 2)
    return parts, height


def _line(name: str, item: Estimate, kind: str, scale: Scale, middle: int) -> list[Markup]:
    weight = "bold" if kind == "average" else None
    label = element("text", shorten(name, 34), class_="tick", x=0, y=middle + 4, font_weight=weight)
    parts = [element("svg", label, x=0, y=0, width="30%", height=middle + 20)]
    if not math.isnan(item.low):
        parts.append(
            element("line", class_="whisker", x1=scale.x(item.low), x2=scale.x(item.high), y1=middle, y2=middle)
        )
    if not math.isnan(item.value):
        shape = "diamond" if kind == "average" else "circle"
        parts.append(element("use", href=f"#m-{shape}", x=scale.x(item.value), y=middle, class_="mark rephrased"))
    text = f"{hundredths(item.value)} {interval(item)}"
    parts.append(element("text", text, class_="tick", x="100%", y=middle + 4, text_anchor="end"))
    return parts


def _scale(estimates: Sequence[Estimate]) -> Scale:
    ends = [end for item in estimates for end in (item.value, item.low, item.high) if not math.isnan(end)]
    low, high = min([0.0, *ends]), max([0.05, *ends])
    return Scale(math.floor(low * 20) / 20, math.ceil(high * 20) / 20, 32.0, 78.0)


def _axis(scale: Scale, top: int, height: int) -> list[Markup]:
    bottom, parts = top + height - AXIS + 4, []
    for tick in scale.ticks():
        class_ = "level chance" if tick == 0 else "grid"
        x = scale.x(tick)
        parts.append(element("line", class_=class_, x1=x, x2=x, y1=top + _HEAD - 4, y2=bottom))
        parts.append(element("text", hundredths(tick, 0), class_="tick", x=x, y=bottom + 17, text_anchor="middle"))
    return parts
