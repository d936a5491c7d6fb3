"""Two views as one, for a page that compares them.

Knows views. Names of models that both have get the run's name, so that nothing is confused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from isophrase.report.view import Panel, RunView


def models_of(view: RunView) -> tuple[str, ...]:
    """The models of a view, in order."""
    return tuple(dict.fromkeys(panel.summary.model for panel in view.panels))


def told_apart(views: Sequence[RunView]) -> tuple[RunView, ...]:
    """The views with model names that no other one has."""
    names = [name for view in views for name in models_of(view)]
    twice = {name for name in names if names.count(name) > 1}
    labels = [view.name for view in views]
    runs = [label if labels.count(label) == 1 else f"{label}, {place}" for place, label in enumerate(labels, 1)]
    return tuple(
        renamed(view, {name: f"{name} ({run})" for name in models_of(view) if name in twice})
        for view, run in zip(views, runs, strict=True)
    )


def renamed(view: RunView, names: Mapping[str, str]) -> RunView:
    """The view with other names for some of its models."""
    if not names:
        return view
    panels = tuple(_renamed(panel, names) for panel in view.panels)
    distances = {(names.get(model, model), *rest): found for (model, *rest), found in view.distances.items()}
    return replace(view, panels=panels, distances=distances)  # type: ignore[arg-type]


def _renamed(panel: Panel, names: Mapping[str, str]) -> Panel:
    name = names.get(panel.summary.model, panel.summary.model)
    geometry = panel.geometry
    if geometry is not None:
        geometry = replace(geometry, together=tuple(names.get(item, item) for item in geometry.together))
    return replace(
        panel, summary=replace(panel.summary, model=name), table=replace(panel.table, model=name), geometry=geometry
    )


def merged(before: RunView, after: RunView) -> RunView:
    """Both views as one; facts say which run they are of."""
    facts = {f"{view.name}: {key}": value for view in (before, after) for key, value in view.facts.items()}
    notes = tuple(dict.fromkeys(f"{view.name}: {note}" for view in (before, after) for note in view.notes))
    return RunView(
        f"{before.name} → {after.name}", facts, notes, (*before.panels, *after.panels),
        {**before.distances, **after.distances},
    )  # fmt: skip


def only(view: RunView, model: str) -> RunView:
    """The part of a view that is about one model."""
    return replace(view, panels=tuple(panel for panel in view.panels if panel.summary.model == model))
