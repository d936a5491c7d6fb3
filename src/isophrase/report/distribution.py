"""The distribution of accuracy over wordings, task by task: quantiles with their intervals over the measured marks.

Knows conditions, quantiles and SVG.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from isophrase.report.numbers import hundredths, with_interval
from isophrase.report.overview import Condition
from isophrase.report.plots import AXIS, domain, figure, grid
from isophrase.report.svg import Scale, element
from isophrase.report.text import shorten
from isophrase.statistics.measures import Quantile

_STEP = 58


def distributions(condition: Condition, *, id_: str) -> Markup | None:
    """One band a task: a box from the 25 % to the 75 % quantile, whiskers to 5 % and 95 %, a tick at the median."""
    rows = [(panel, panel.further.measures.quantiles) for panel in condition.compared if panel.further is not None]
    if not rows:
        return None
    scale = Scale(*domain([panel for panel, _ in rows]), 1.5, 98.5)
    height = _STEP * len(rows) + AXIS
    parts, said = [grid(scale, height, top=6)], []
    for place, (panel, quantiles) in enumerate(rows):
        top = _STEP * place
        middle = quantiles[len(quantiles) // 2]
        name = shorten(panel.summary.task, 50)
        parts.append(element("text", name, class_="row-name", x=0, y=top + 18))
        text = f"median {with_interval(middle.accuracy, 0)}"
        parts.append(element("text", text, class_="tick", x="100%", y=top + 18, text_anchor="end"))
        parts += _band(quantiles, scale, top + 38)
        for item in panel.summary.instructions:
            if not math.isnan(item.mean.value):
                x = scale.x(item.mean.value)
                parts.append(element("line", class_="whisker", x1=x, x2=x, y1=top + 47, y2=top + 53))
        words = ", ".join(f"{hundredths(item.share, 0)} % {hundredths(item.accuracy.value, 0)}" for item in quantiles)
        said.append(f"{name}: {words}")
    return figure(id_, "Quantiles over wordings", f"{'; '.join(said)}.", height, parts)


def _band(quantiles: tuple[Quantile, ...], scale: Scale, middle: int) -> list[Markup]:
    values = [item.accuracy.value for item in quantiles]
    if any(map(math.isnan, values)):
        return []
    left, right = scale.percent(values[1]), scale.percent(values[3])
    parts = [
        element("line", class_="range", x1=scale.x(values[0]), x2=scale.x(values[4]), y1=middle, y2=middle),
        element(
            "rect", class_="part", x=f"{left:.2f}%", width=f"{right - left:.2f}%", y=middle - 7, height=14,
            fill_opacity=0.45,
        ),
    ]  # fmt: skip
    x = scale.x(values[2])
    parts.append(element("line", class_="level mean", x1=x, x2=x, y1=middle - 9, y2=middle + 9))
    return parts
