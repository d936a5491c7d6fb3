"""What the page's template is given of the distances: sentences, numbers, small plots and tables made ready.

Knows distances and their plots. Does not know HTML tags other than the SVG that it passes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from isophrase.report import distances, plots
from isophrase.report.distances import Found
from isophrase.report.marks import MarkCode
from isophrase.report.scatter import axes, scatter
from isophrase.report.view import Panel, RunView


@dataclass(frozen=True)
class AssociationLine:
    """One association: what it is, its value with brackets, its p-value, and what no relation would be."""

    what: str
    value: str
    p: str
    nothing: str


@dataclass(frozen=True)
class ScatterPage:
    """One task's small plot."""

    title: str
    href: str
    correlation: str
    plot: Markup


@dataclass(frozen=True)
class ProjectionPage:
    """One task whose projection can be drawn: the panels side by side, one for each model."""

    task: str
    panels: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class DistancePage:
    """One condition with distances, ready for the template."""

    anchor: str
    label: str
    verdict: str
    measured: str
    correlation: str
    lines: tuple[AssociationLine, ...]
    scatters: tuple[ScatterPage, ...]
    to: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DispersionLine:
    """How far apart two wordings lie under two models of one kind, as before and after a repair."""

    task: str
    before: str
    after: str
    cosine: tuple[str, str]
    l2: tuple[str, str]
    kept: str


@dataclass(frozen=True)
class InsidePage:
    """All that the page says of the inside of the models."""

    pages: tuple[DistancePage, ...]
    projections: tuple[ProjectionPage, ...]
    perplexity: str
    dispersions: tuple[DispersionLine, ...]


def inside(view: RunView, code: MarkCode) -> InsidePage | None:
    """What is shown of distances and projections; None where none were measured."""
    found = distances.found(view)
    if not found:
        return None
    places = {id(panel): index for index, panel in enumerate(view.panels)}
    pages = tuple(_page(item, f"d{number}", code, places) for number, item in enumerate(found))
    perplexities = sorted({panel.geometry.perplexity for item in found for panel in item.panels if panel.geometry})
    shown = " to ".join(dict.fromkeys(f"{value:.0f}" for value in (perplexities[0], perplexities[-1])))
    projections = _projections(found, places)
    return InsidePage(pages, projections, shown, tuple(_dispersions(projections, view.panels)))


def _dispersions(projections: Sequence[ProjectionPage], panels: Sequence[Panel]) -> Iterator[DispersionLine]:
    for item in projections:
        (first, before), *others = item.panels
        for place, after in others:
            one, other = panels[first].geometry, panels[place].geometry
            assert one is not None
            assert other is not None
            yield DispersionLine(
                task=panels[first].summary.task,
                before=before,
                after=after,
                cosine=(distances.decimal(one.spread_cosine, 4), distances.decimal(other.spread_cosine, 4)),
                l2=(distances.decimal(one.spread_l2), distances.decimal(other.spread_l2)),
                kept=distances.decimal(other.spread_cosine / one.spread_cosine if one.spread_cosine else float("nan")),
            )


def _page(item: Found, anchor: str, code: MarkCode, places: Mapping[int, int]) -> DistancePage:
    rows = [
        plots.Row(panel.summary.task, f"#p{places[id(panel)]}", panel, code.of(panel)) for panel in item.panels
    ]  # fmt: skip
    limits, said = axes(rows), item.findings.cosine
    scatters = []
    for index, row in enumerate(rows):
        correlation = distances.with_brackets(said.tasks[index])
        plot = scatter(row, limits, id_=f"{anchor}-s{index}", said=correlation)
        scatters.append(ScatterPage(row.label, row.href, correlation, plot))
    lines = tuple(
        AssociationLine(what, distances.with_brackets(one.value), distances.p_value(one.p), nothing)
        for what, one, nothing in distances.associations(item)
    )
    return DistancePage(
        anchor=anchor,
        label=item.condition.label,
        verdict=distances.verdict(item),
        measured=distances.what_is_measured(item),
        correlation=f"{distances.with_brackets(said.value)}, {distances.p_value(said.p)}",
        lines=lines,
        scatters=tuple(scatters),
        to=item.to,
        header=distances.HEADER,
        rows=tuple(distances.task_rows(item)),
    )


def _projections(found: tuple[Found, ...], places: Mapping[int, int]) -> tuple[ProjectionPage, ...]:
    """Tasks in order; the models that were drawn in one plane stand side by side."""
    groups: dict[tuple[str, int, str, tuple[str, ...]], list[tuple[int, str]]] = {}
    for item in found:
        for panel in item.panels:
            assert panel.geometry is not None
            summary = panel.summary
            key = (summary.task, summary.shots, summary.prompt_format, panel.geometry.together)
            groups.setdefault(key, []).append((places[id(panel)], item.condition.label))
    several = len({key[1:] for key in groups}) > 1
    return tuple(
        ProjectionPage(f"{key[0]} ({', '.join(key[3])})" if several else key[0], tuple(panels))
        for key, panels in groups.items()
    )
