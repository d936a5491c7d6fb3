"""The estimates of a run for machines: JSON with full precision.

Knows the view. Shares of 1, as everywhere in the code (the page and the terminal write percent); null where a number is
undefined.
"""

from __future__ import annotations

import json
from typing import Any

from isophrase.report.distances import found
from isophrase.report.overview import conditions
from isophrase.report.view import Panel, RunView
from isophrase.statistics.association import Association
from isophrase.statistics.export import plain_values, to_json

FORMAT = 1


def to_json_text(view: RunView) -> str:
    """The estimates as indented JSON: `format`, `name`, `facts`, `notes`, `models` and `tasks`.

    `models` holds one entry for each model × shots × format with its averages over tasks; `tasks` one for
    each task of them with all fields of its summary, its controls, and what is known of every instruction. `std`,
    `minimum`, `maximum` and `spread` are without the luck of the examples drawn, `measured_std` and `measured_spread`
    with it.
    """
    return json.dumps(estimates(view), indent=2, ensure_ascii=True, allow_nan=False)


def estimates(view: RunView) -> dict[str, Any]:
    """The same as plain values."""
    models = [
        {"tasks": [panel.summary.task for panel in condition.panels], **to_json(condition.overview)}
        for condition in conditions(view)
    ]
    return {
        "format": FORMAT,
        "name": view.name,
        "facts": dict(view.facts),
        "notes": list(view.notes),
        "models": models,
        "tasks": [_task(panel) for panel in view.panels],
        "distances": distances(view),
    }


def distances_json_text(view: RunView) -> str:
    """The distances alone, as indented JSON."""
    return json.dumps({"format": FORMAT, "name": view.name, "distances": distances(view)}, indent=2, allow_nan=False)


def distances(view: RunView) -> list[dict[str, Any]]:
    """For each model × shots × format with distances: associations over tasks, and the numbers of each wording."""
    return [
        {
            "model": item.panels[0].summary.model,
            "shots": item.panels[0].summary.shots,
            "prompt_format": item.panels[0].summary.prompt_format,
            "layer": item.geometry.layer,
            "position": item.geometry.position,
            "to": item.geometry.to,
            "correlation_l2": _association(item.findings.l2),
            "correlation_cosine": _association(item.findings.cosine),
            "new_errors_across_wordings": _association(item.findings.across_wordings),
            "new_errors_across_examples": _association(item.findings.across_examples),
            "tasks": [_distances_of_task(panel) for panel in item.panels],
        }
        for item in found(view)
    ]


def _association(item: Association) -> dict[str, Any]:
    return dict(plain_values(item))


def _distances_of_task(panel: Panel) -> dict[str, Any]:
    own = panel.geometry
    assert own is not None
    names = ("l2", "cosine", "centroid", "cka", "loss")
    columns = {name: plain_values(getattr(own, name).tolist()) for name in names}
    rows = [
        {"instruction": item.id, **{name: columns[name][row] for name in names}}
        for row, item in enumerate(panel.instructions)
    ]
    spread = plain_values({"dispersion_l2": own.spread_l2, "dispersion_cosine": own.spread_cosine})
    return {"task": panel.summary.task, "examples": own.examples, **spread, "instructions": rows}


def _task(panel: Panel) -> dict[str, Any]:
    task = to_json(panel.summary)
    task["metric"] = panel.metric.value
    task["budget"] = None if panel.budget is None else to_json(panel.budget)
    task["further"] = None if panel.further is None else to_json(panel.further)
    for entry, instruction in zip(task["instructions"], panel.instructions, strict=True):
        entry |= {"collection": instruction.collection, "role": instruction.role.value}
    task["controls"] = [to_json(control) for control in panel.controls]
    return task
