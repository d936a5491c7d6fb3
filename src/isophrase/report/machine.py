"""The estimates of a run for machines: JSON with full precision.

Knows the view. Shares of 1, as everywhere in the code (the page and the terminal write percent); null where a number is
undefined.
"""

from __future__ import annotations

import json
from typing import Any

from isophrase.report.overview import conditions
from isophrase.report.view import Panel, RunView
from isophrase.statistics.export import to_json

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
    }


def _task(panel: Panel) -> dict[str, Any]:
    task = to_json(panel.summary)
    task["metric"] = panel.metric.value
    for entry, instruction in zip(task["instructions"], panel.instructions, strict=True):
        entry |= {"collection": instruction.collection, "role": instruction.role.value}
    task["controls"] = [to_json(control) for control in panel.controls]
    return task
