"""How numbers are written: shares of 1 as percent or points, with their intervals in brackets.

Percent is a level, points are a difference of levels; both are the share times 100. Knows estimates; knows no medium.
"""

from __future__ import annotations

import math

from isophrase.statistics.tables import Estimate

UNDEFINED = "–"


def hundredths(share: float, digits: int = 1) -> str:
    """A share of 1 as percent or points, without a unit; an en dash where it is undefined."""
    if math.isnan(share):
        return UNDEFINED
    text = f"{100 * share:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def interval(estimate: Estimate, digits: int = 1) -> str:
    """`[25.0, 38.2]`; empty where there is no interval."""
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return ""
    return f"[{hundredths(estimate.low, digits)}, {hundredths(estimate.high, digits)}]"


def with_interval(estimate: Estimate, digits: int = 1) -> str:
    """`31.4 [25.0, 38.2]`."""
    return f"{hundredths(estimate.value, digits)} {interval(estimate, digits)}".rstrip()


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 task`, `4 tasks`, `1,200 examples`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
