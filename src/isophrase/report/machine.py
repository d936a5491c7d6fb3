"""The estimates of a run for machines: JSON with full precision.

Knows the view. Shares of 1, as everywhere in the code (the page and the terminal write percent); null where a number is
undefined.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

from isophrase.report.overview import conditions
from isophrase.report.view import Panel, RunView

FORMAT = 1


def to_json_text(view: RunView) -> str:
    """The estimates as indented JSON: `format`, `name`, `facts`, `notes`, `models` and `tasks`.

    `models` holds one entry for each model × shots × format with the spread averaged over its tasks; `tasks` one for
    each task of them with all fields of its summary, its controls, and what is known of every instruction. `std`,
    `minimum`, `maximum` and `spread` are without the luck of the examples drawn, `measured_std` and `measured_spread`
    with it.
    """
    return json.dumps(estimates(view), indent=2, ensure_ascii=True, allow_nan=False)


def estimates(view: RunView) -> dict[str, Any]:
    """The same as plain values."""
    models = [
        {
            "model": condition.model,
            "shots": condition.panels[0].summary.shots,
            "prompt_format": condition.panels[0].summary.prompt_format,
            "tasks": [panel.summary.task for panel in condition.panels],
            "spread": _plain(condition.spread),
        }
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
    task: dict[str, Any] = _plain(panel.summary)
    task["metric"] = panel.metric.value
    task["measured_std"] = _plain(panel.summary.measured_std)
    task["measured_spread"] = _plain(panel.summary.measured_spread)
    for entry, instruction in zip(task["instructions"], panel.instructions, strict=True):
        entry |= {"collection": instruction.collection, "role": instruction.role.value}
    task["controls"] = _plain(panel.controls)
    return task


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
