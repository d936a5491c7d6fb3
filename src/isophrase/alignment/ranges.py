"""What the numbers of a method may be.

Knows names and bounds. Does not know what a number does, or which of them fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

_BOUNDS: tuple[tuple[str, Callable[[float], bool], tuple[str, ...]], ...] = (
    (
        "at least 1",
        lambda value: value >= 1,
        (
            "parameters.length", "parameters.rank", "draws.inputs", "schedule.steps",
            "schedule.accumulate",
        ),
    ),
    (
        "at least 0",
        lambda value: value >= 0,
        (
            "parameters.hidden", "views", "draws.wordings", "draws.references", "draws.controls", "draws.inversions",
            "draws.layers",
        ),
    ),
    (
        "at least 0 and finite",
        lambda value: 0 <= value < inf,
        (
            "supervised", "supervised_reference", "supervised_negated", "consistency", "anchor", "contrastive",
            "representation", "worst_group", "schedule.weight_decay",
        ),
    ),
    ("more than 0 and finite", lambda value: 0 < value < inf, ("schedule.rate", "schedule.clip")),
    ("a probability, 0 to 1", lambda value: 0 <= value <= 1, ("draws.registers", "draws.splices", "draws.cases")),
    ("a share of the steps, 0 to 1", lambda value: 0 <= value <= 1, ("schedule.warmup",)),
)  # fmt: skip
"""What is allowed, in words and as a test that no NaN passes, and the names that it holds for."""


def out_of_range(values: Mapping[str, Any]) -> list[str]:
    """A line for each number of a method that is not allowed.

    Args:
        values: The method as plain values.
    """
    return [
        f"{name}: expected {allowed}; got {value}"
        for allowed, fits, names in _BOUNDS
        for name in names
        if not fits(value := _at(values, name))
    ]


def _at(values: Mapping[str, Any], name: str) -> Any:
    value: Any = values
    for part in name.split("."):
        value = value[part]
    return value
