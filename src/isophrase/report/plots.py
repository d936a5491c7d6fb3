"""The plots of a report, as inline SVG made here: strips of all tasks, the instructions of one task, and the gaps.

Knows panels, marks and the scale. Text inside is escaped; colours and fonts are in the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from isophrase.report.marks import Mark
from isophrase.report.numbers import hundredths, interval, with_interval
from isophrase.report.svg import Scale, element
from isophrase.report.text import shorten, wording_line
from isophrase.report.view import Panel
from isophrase.statistics.tables import Estimate
from isophrase.types import Role

AXIS = 34
_STRIP_LABEL = 30
_STRIP_BAND = 34
MANY = 40
"""More instructions than this are drawn closer, without their wordings beside them."""


@dataclass(frozen=True)
class Row:
    """A panel as one line of a plot: what it is called, where its details are, and how its instructions are drawn."""

    label: str
    href: str
    panel: Panel
    marks: tuple[Mark, ...]


def domain(panels: Sequence[Panel]) -> tuple[float, float]:
    """A range of accuracy that holds every interval and chance level of a report, in steps of 10 points."""
    values = [
        value
        for panel in panels
        for item in panel.summary.instructions
        for value in (item.mean.value, item.mean.low, item.mean.high, panel.summary.chance)
        if not math.isnan(value)
    ]
    if not values:
        return 0.0, 1.0
    low = max(0.0, math.floor(min(values) * 10 + 1e-9) / 10)
    high = min(1.0, math.ceil(max(values) * 10 - 1e-9) / 10)
    return (low, high) if high - low >= 0.2 else (max(0.0, high - 0.2), max(0.2, high))


def strips(rows: Sequence[Row], limits: tuple[float, float], *, id_: str, title: str) -> Markup:
    """One line a task: a mark at every instruction's measured accuracy, a bar from worst to best, chance a tick."""
    scale = Scale(*limits, 1.5, 98.5)
    step = _STRIP_LABEL + _STRIP_BAND
    height = step * len(rows) + AXIS
    parts = [grid(scale, height, top=6)]
    for index, row in enumerate(rows):
        parts.append(_strip(row, scale, index * step))
    said = "; ".join(
        f"{row.label}: from {hundredths(row.panel.summary.minimum.value, 0)} to "
        f"{hundredths(row.panel.summary.maximum.value, 0)} percent"
        for row in rows
    )
    return figure(
        id_,
        title,
        f"Worst and best wording of every task, without the luck of the examples drawn. {said}.",
        height,
        parts,
    )


def _strip(row: Row, scale: Scale, top: int) -> Markup:
    summary, middle = row.panel.summary, top + _STRIP_LABEL + _STRIP_BAND // 2
    means = [item.mean.value for item in summary.instructions]
    parts = [_heading(row, top, f"{hundredths(summary.spread.value, 0)} points", interval(summary.spread, 0))]
    if not math.isnan(summary.minimum.value):
        ends = {"x1": scale.x(summary.minimum.value), "x2": scale.x(summary.maximum.value)}
        parts.append(element("line", class_="range", y1=middle, y2=middle, **ends))
    parts.append(_chance_tick(summary.chance, scale, middle - 15, middle + 15))
    for index, offset in _stacked(means, scale):
        parts.append(_mark(row.marks[index], scale.x(means[index]), middle + offset, data_row=index))
    return element("g", *parts, class_="strip", data_panel=row.href.lstrip("#"))


def _stacked(values: Sequence[float], scale: Scale) -> list[tuple[int, float]]:
    """(index, vertical offset) of marks, moved apart where they would cover each other, in a band of 30 pixels."""
    order = sorted((index for index, value in enumerate(values) if not math.isnan(value)), key=lambda i: (values[i], i))
    columns: list[list[int]] = []
    for index in order:
        if columns and scale.percent(values[index]) - scale.percent(values[columns[-1][0]]) < 0.9:
            columns[-1].append(index)
        else:
            columns.append([index])
    placed = []
    for column in columns:
        gap = min(9.0, 30.0 / max(1, len(column) - 1))
        placed += [(index, gap * (place - (len(column) - 1) / 2)) for place, index in enumerate(column)]
    return placed


def dots(row: Row, limits: tuple[float, float], *, id_: str, anchor: str) -> Markup:
    """One line an instruction, the best first: accuracy and interval, with chance and the mean of all."""
    panel, count = row.panel, len(row.panel.instructions)
    dense = count > MANY
    step = 8 if dense else 22
    scale = Scale(*limits, 2.0 if dense else 40.0, 98.0)
    height = step * count + 22 + AXIS
    parts = [grid(scale, height, top=20)]
    parts += _verticals(panel, scale, height)
    for place, index in enumerate(panel.ranking):
        parts.append(_dot(row, index, scale, (22 + step * place, step), anchor=anchor, labelled=not dense))
    means = [item.mean.value for item in panel.summary.instructions if not math.isnan(item.mean.value)]
    ends = f", from {hundredths(max(means))} to {hundredths(min(means))} percent" if means else ""
    described = f"{count} wordings sorted by {panel.score_name}{ends}. The table below holds the same numbers."
    return figure(id_, f"{row.label}: {panel.score_name} of every wording", described, height, parts)


def _dot(row: Row, index: int, scale: Scale, band: tuple[int, int], *, anchor: str, labelled: bool) -> Markup:
    top, step = band
    summary, instruction, middle = row.panel.summary.instructions[index], row.panel.instructions[index], top + step / 2
    line = wording_line(instruction.template, 120)
    said = f"{instruction.id}: {with_interval(summary.mean)} percent{f'. {line}' if labelled else ''}"
    parts = [element("title", said), element("rect", class_="hit", x=0, y=top, width="100%", height=step)]
    if labelled:
        text = element("text", line, class_="wording", x=0, y=14, direction="ltr")
        fade = element("rect", class_="fade", x="86%", width="14%", height=step)
        parts.append(element("svg", text, fade, x=0, y=top, width="38%", height=step))
    parts += _whisker(summary.mean, scale, middle)
    if not math.isnan(summary.mean.value):
        parts.append(_mark(row.marks[index], scale.x(summary.mean.value), middle))
    tone = row.marks[index].tone
    return element("a", *parts, class_=f"dot {tone}", href=f"#{anchor}-i{index}", data_row=index)


def _whisker(estimate: Estimate, scale: Scale, y: float) -> list[Markup]:
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return []
    return [element("line", class_="whisker", x1=scale.x(estimate.low), x2=scale.x(estimate.high), y1=y, y2=y)]


def _verticals(panel: Panel, scale: Scale, height: int) -> list[Markup]:
    lines = [(panel.summary.chance, "chance"), (panel.summary.mean.value, "mean")]
    known = [(value, name) for value, name in lines if not math.isnan(value)]
    close = len(known) == 2 and abs(scale.percent(known[0][0]) - scale.percent(known[1][0])) < 24
    parts = []
    for value, name in known:
        leftmost = value == min(item[0] for item in known)
        end = "end" if close and leftmost else "start" if close else "middle"
        place = {"x1": scale.x(value), "x2": scale.x(value)}
        parts.append(element("line", class_=f"level {name}", y1=18, y2=height - AXIS, **place))
        said = f"{name} {hundredths(value, 0)}"
        parts.append(element("text", said, class_="level-name", x=scale.x(value), y=12, text_anchor=end))
    return parts


def gaps(rows: Sequence[Row], limits: tuple[float, float], *, id_: str) -> Markup:
    """One line a task: the mean over observed and over unobserved instructions, and the gap with its interval."""
    sides = []
    for row in rows:
        observed = row.panel.table.observed
        gap = row.panel.summary.gap
        if observed is None or gap is None:
            continue
        means = _levels(row.panel)
        sides.append(
            (row, float(np.nanmean(means[observed])), float(np.nanmean(means[~observed])), with_interval(gap, 0))
        )
    marks = (Mark("circle", "observed", "observed"), Mark("circle", "unobserved", "unobserved"))
    return dumbbells(sides, limits, marks, id_=id_, title="Observed and unobserved wordings")


def references(rows: Sequence[Row], limits: tuple[float, float], *, id_: str) -> Markup:
    """One line a task: the mean over reference instructions and over re-phrased ones; their difference is no gap."""
    sides = []
    for row in rows:
        means, is_reference = _levels(row.panel), is_reference_row(row.panel)
        one, other = means[is_reference], means[~is_reference]
        if not np.isfinite(one).any() or not np.isfinite(other).any():
            continue
        first, second = float(np.nanmean(one)), float(np.nanmean(other))
        sides.append((row, first, second, hundredths(first - second, 0)))
    marks = (Mark("diamond", "reference", "reference"), Mark("circle", "rephrased", "re-phrased"))
    return dumbbells(sides, limits, marks, id_=id_, title="Reference and re-phrased wordings")


def is_reference_row(panel: Panel) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows of a panel are reference instructions."""
    return np.array([item.role is Role.REFERENCE for item in panel.instructions], dtype=np.bool_)


def _levels(panel: Panel) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([item.mean.value for item in panel.summary.instructions], dtype=np.float64)


def dumbbells(
    sides: Sequence[tuple[Row, float, float, str]],
    limits: tuple[float, float],
    marks: tuple[Mark, Mark],
    *,
    id_: str,
    title: str,
) -> Markup:
    """One line a task: two marks, the bar between them, and the difference in words at the right."""
    scale, step = Scale(*limits, 1.5, 98.5), 48
    height = step * len(sides) + AXIS
    parts, said = [grid(scale, height, top=6)], []
    for index, (row, first, second, difference) in enumerate(sides):
        middle = index * step + 34
        value, _, brackets = difference.partition(" ")
        parts.append(_heading(row, index * step - 4, f"{value} points", brackets))
        parts.append(element("line", class_="range", x1=scale.x(first), x2=scale.x(second), y1=middle, y2=middle))
        parts += [_mark(marks[0], scale.x(first), middle), _mark(marks[1], scale.x(second), middle)]
        parts.append(_chance_tick(row.panel.summary.chance, scale, middle - 8, middle + 8))
        said.append(f"{row.label}: {hundredths(first, 0)} and {hundredths(second, 0)} percent, difference {difference}")
    return figure(id_, title, f"{title}, by task. {'; '.join(said)}.", height, parts)


def sparkline(panel: Panel, index: int, mark: Mark, limits: tuple[float, float]) -> Markup:
    """The dot and interval of one instruction, for a cell of a table; decorative, the numbers stand beside it."""
    mean, scale = panel.summary.instructions[index].mean, Scale(*limits, 4.0, 96.0)
    parts = [_chance_tick(panel.summary.chance, scale, 2, 18), *_whisker(mean, scale, 10.0)]
    if not math.isnan(mean.value):
        parts.append(_mark(mark, scale.x(mean.value), 10))
    return element("svg", *parts, class_=f"spark {mark.tone}", height=20, aria_hidden="true")


def shares(groups: Sequence[tuple[int, bool]]) -> Markup:
    """How many instructions gave each answer, as one divided bar; the right answer's part is marked."""
    total, at, parts = sum(number for number, _ in groups), 0.0, []
    for number, right in groups:
        width = 100 * number / total
        tone = "right" if right else "wrong"
        place = {"x": f"{at:.2f}%", "width": f"{width:.2f}%"}
        parts.append(element("rect", class_=tone, y=0, height=10, **place))
        if right:
            parts.append(element("rect", class_="under", y=12, height=2, **place))
        at += width
    return element("svg", *parts, class_="shares", width="100%", height=14, aria_hidden="true")


def key(mark: Mark) -> Markup:
    """A mark alone, for a legend."""
    return element("svg", _mark(mark, "50%", 8), class_="key", width=16, height=16, aria_hidden="true")


def figure(id_: str, title: str, described: str, height: float, parts: Sequence[Markup]) -> Markup:
    """A plot; a group rather than an image, because an image may hold no links."""
    heads = (element("title", title, id=f"{id_}-t"), element("desc", described, id=f"{id_}-d"))
    names = {"aria_labelledby": f"{id_}-t", "aria_describedby": f"{id_}-d"}
    return element("svg", *heads, *parts, id=id_, class_="plot", role="group", width="100%", height=height, **names)


def grid(scale: Scale, height: float, *, top: int) -> Markup:
    """Vertical lines and their labels in percent, `AXIS` pixels above the bottom."""
    parts, bottom = [], height - AXIS + 4
    for tick in scale.ticks():
        place = {"x1": scale.x(tick), "x2": scale.x(tick)}
        parts.append(element("line", class_="grid", y1=top, y2=bottom, **place))
        at_end = scale.percent(tick) > 95
        at_start = scale.percent(tick) < 5
        anchor = "end" if at_end else "start" if at_start else "middle"
        label = f"{tick * 100:g}"
        parts.append(element("text", label, class_="tick", x=scale.x(tick), y=bottom + 17, text_anchor=anchor))
    return element("g", *parts, class_="axis")


def _heading(row: Row, top: int, value: str, brackets: str) -> Markup:
    name = element("text", shorten(row.label, 60), class_="row-name", x=0, y=22)
    name = element("svg", name, x=0, y=top, width="58%", height=30)
    right = (
        element("tspan", value, class_="value"),
        element("tspan", f" {brackets}" if brackets else "", class_="brackets"),
    )
    return element("a", name, element("text", *right, x="100%", y=top + 22, text_anchor="end"), href=row.href)


def _chance_tick(chance: float, scale: Scale, y1: float, y2: float) -> Markup:
    if math.isnan(chance):
        return Markup("")
    return element("line", class_="level chance", x1=scale.x(chance), x2=scale.x(chance), y1=y1, y2=y2)


def _mark(mark: Mark, x: str, y: float, *, data_row: int | None = None) -> Markup:
    return element("use", href=f"#m-{mark.shape}", x=x, y=y, class_=f"mark {mark.tone}", data_row=data_row)
