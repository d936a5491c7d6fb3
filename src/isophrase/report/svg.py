"""Small parts of inline SVG: elements with escaped content, and a scale in percent of the width.

Horizontal positions are percentages and vertical ones pixels, so that a plot fills any width without its text growing
or shrinking. Knows no estimates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup, escape

from isophrase.report.text import visible


def element(name: str, *children: Markup | str, **attributes: str | float | int | None) -> Markup:
    """An element; strings are made visible and escaped, `class_` becomes `class`, other underscores hyphens."""
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            parts.append(f' {key.rstrip("_").replace("_", "-")}="{escape(visible(text))}"')
    inside = "".join(child if isinstance(child, Markup) else escape(visible(child)) for child in children)
    parts.append(f">{inside}</{name}>" if inside else "/>")
    return Markup("".join(parts))


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis.

    Attributes:
        low: Value at the left end.
        high: Value at the right end.
        left: Percent of the width where the left end is.
        right: Percent of the width where the right end is.
    """

    low: float
    high: float
    left: float
    right: float

    def percent(self, value: float) -> float:
        """Where a value is, in percent of the width; values outside the axis are put at its end."""
        share = (value - self.low) / (self.high - self.low)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def x(self, value: float) -> str:
        """The same as an attribute."""
        return f"{self.percent(value):.2f}%"

    def ticks(self) -> tuple[float, ...]:
        """Three to six round values on the axis."""
        width = self.high - self.low
        step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if width / step <= 5.001), 0.5)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(round(index * step, 4) for index in range(first, last + 1))
