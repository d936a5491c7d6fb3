"""The variance split as one stacked bar a task: what of the differences is wording, example, both together.

Knows conditions, components and SVG.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from isophrase.report.numbers import hundredths
from isophrase.report.overview import Condition
from isophrase.report.plots import figure
from isophrase.report.svg import element
from isophrase.report.text import shorten

_STEP = 46
_NAMES = {
    "instruction": "wording",
    "example": "example",
    "interaction": "wording × example",
    "seed": "seed",
    "instruction_seed": "wording × seed",
    "example_seed": "example × seed",
    "residual": "the rest",
}
_SHADES = (1.0, 0.62, 0.36, 0.5, 0.28, 0.2, 0.12)


def split(condition: Condition, *, id_: str) -> Markup | None:
    """One bar a task; None where no task has components."""
    rows = [
        (panel.summary.task, panel.further.components)
        for panel in condition.compared
        if panel.further is not None and panel.further.components.total > 0
    ]
    if not rows:
        return None
    parts, said = [], []
    for place, (name, item) in enumerate(rows):
        top, at = _STEP * place, 0.0
        shares = {key: value / item.total for key, value in item.parts.items()}
        words = ", ".join(f"{_NAMES[key]} {hundredths(share, 0)} %" for key, share in shares.items())
        parts.append(element("text", shorten(name, 40), class_="row-name", x=0, y=top + 16))
        parts.append(element("text", words, class_="tick", x="100%", y=top + 16, text_anchor="end"))
        for index, share in enumerate(shares.values()):
            place_of = {"x": f"{100 * at:.2f}%", "width": f"{100 * share:.2f}%"}
            parts.append(element("rect", class_="part", y=top + 22, height=14, fill_opacity=_SHADES[index], **place_of))
            at += share
        said.append(f"{name}: {words}")
    described = f"What makes single answers differ, as shares of their variance. {'; '.join(said)}."
    return figure(id_, "Where the variance comes from", described, _STEP * len(rows), parts)


def wording_share(condition: Condition) -> float:
    """The wording's share of the variance of single answers, with its interaction; NaN without components."""
    found = [
        (item.instruction + item.interaction) / item.total
        for panel in condition.compared
        if panel.further is not None and (item := panel.further.components).total > 0
    ]
    return sum(found) / len(found) if found else math.nan
