"""Estimates as plain values for machines: shares of 1, null where a number is undefined.

Knows summaries, overviews and comparisons. Key names are the names of their fields, and stay. Writes no file, no text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from isophrase.statistics.budget import BudgetEstimate
from isophrase.statistics.contrast import Contrast
from isophrase.statistics.further import Further
from isophrase.statistics.overview import Overview
from isophrase.statistics.paired import Comparison
from isophrase.statistics.reading import DropChange
from isophrase.statistics.summary import InstructionSummary, TaskSummary


def to_json(
    summary: TaskSummary
    | InstructionSummary
    | Overview
    | Comparison
    | Further
    | Contrast
    | BudgetEstimate
    | DropChange,
) -> dict[str, Any]:
    """All fields of a summary, an overview or a comparison, JSON-ready.

    A summary also has `measured_std`, `measured_spread` and `performance_drop_rate`, which its instructions imply.
    """
    found = {item.name: plain_values(getattr(summary, item.name)) for item in fields(summary)}
    if isinstance(summary, TaskSummary):
        for name in ("measured_std", "measured_spread", "performance_drop_rate"):
            found[name] = plain_values(getattr(summary, name))
    return found


def plain_values(value: Any) -> Any:
    """Dataclasses as dicts, tuples as lists, numbers that are not finite as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain_values(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain_values(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain_values(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
