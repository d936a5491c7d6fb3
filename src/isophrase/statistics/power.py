"""How many instructions and examples it takes to see a gap, from the variance components of a pilot run.

Knows components and the t test of two kinds of wordings on the same examples. The examples' own effect falls out of a
gap, since both kinds are asked about the same ones; left are the wordings' variance and that of the cells. Does not
know where a pilot comes from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from isophrase.statistics.components import Components

_FAR = 20.0


@dataclass(frozen=True)
class Design:
    """A plan of a measurement.

    Attributes:
        observed: Wordings of the first kind (observed, or the one side of a comparison), for each task.
        unobserved: Wordings of the second kind.
        examples: Examples of each task.
        tasks: Tasks, with wordings of their own; the gap is their average.
    """

    observed: int
    unobserved: int
    examples: int
    tasks: int = 1

    @property
    def cells(self) -> int:
        """What it costs."""
        return (self.observed + self.unobserved) * self.examples * self.tasks


def gap_error(parts: Components, design: Design) -> float:
    """The standard error of a gap: sqrt((instruction + interaction / examples) (1/observed + 1/unobserved) / tasks)."""
    per_wording = parts.instruction + (parts.interaction + parts.residual) / design.examples
    return math.sqrt(per_wording * (1.0 / design.observed + 1.0 / design.unobserved) / design.tasks)


def power(parts: Components, gap: float, design: Design, *, alpha: float = 0.05, two_sided: bool = True) -> float:
    """The probability that a gap of this size is seen: the power of the t test.

    With a noncentral t distribution of tasks * (observed + unobserved - 2) degrees of freedom.

    Args:
        parts: Of a pilot run.
        gap: The true gap, a share of 1.
        design: What is to be measured.
        alpha: Level of the test.
        two_sided: Whether gaps of either sign are looked for.

    Returns:
        NaN where the design has fewer than two wordings of a kind.
    """
    if min(design.observed, design.unobserved) < 2:
        return math.nan
    error = gap_error(parts, design)
    if error <= 0:
        return 1.0 if gap else alpha
    df = design.tasks * (design.observed + design.unobserved - 2)
    noncentral = gap / error
    critical = float(special.stdtrit(df, 1.0 - alpha / (2.0 if two_sided else 1.0)))
    above = 1.0 - _noncentral_t(critical, df, noncentral)
    return above + _noncentral_t(-critical, df, noncentral) if two_sided else above


def _noncentral_t(value: float, df: float, noncentral: float) -> float:
    """Its distribution function; far out, where the series fails, the normal approximation to it."""
    found = float(special.nctdtr(df, noncentral, value)) if abs(noncentral) < _FAR else math.nan
    if math.isnan(found):
        found = float(special.ndtr((value * (1.0 - 0.25 / df) - noncentral) / math.sqrt(1.0 + value**2 / (2.0 * df))))
    return found


def needed_instructions(
    parts: Components, gap: float, examples: int, *, tasks: int = 1, wanted: float = 0.8, most: int = 2000
) -> int | None:
    """The smallest number of wordings of each kind that sees the gap with the wanted probability.

    Returns:
        None where `most` are not enough.
    """
    low, high = 2, most
    if power(parts, gap, Design(high, high, examples, tasks)) < wanted:
        return None
    while low < high:
        middle = (low + high) // 2
        if power(parts, gap, Design(middle, middle, examples, tasks)) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def cheapest(
    parts: Components, gap: float, examples: Sequence[int], *, tasks: int = 1, wanted: float = 0.8
) -> Design | None:
    """The design with the fewest cells that sees the gap, over the given numbers of examples."""
    found = [
        Design(number, number, count, tasks)
        for count in examples
        if (number := needed_instructions(parts, gap, count, tasks=tasks, wanted=wanted)) is not None
    ]
    return min(found, key=lambda design: design.cells, default=None)


def smallest_gap(parts: Components, design: Design, *, wanted: float = 0.8) -> float:
    """The smallest gap that a design sees with the wanted probability, by bisection; NaN where it sees none below 1."""
    low, high = 0.0, 1.0
    if not power(parts, high, design) >= wanted:
        return math.nan
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if power(parts, middle, design) >= wanted else (middle, high)
    return high
