"""What is computed of a table beside its summary: other papers' numbers and the split of the variance.

Knows which of the two needs what. Computes nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from isophrase.statistics.components import Components, components
from isophrase.statistics.measures import Measures, measure
from isophrase.statistics.tables import OptionTable, OutcomeTable


@dataclass(frozen=True)
class Further:
    """Of one table.

    Attributes:
        measures: Other papers' numbers, and quantiles over wordings.
        components: Variance components; NaN where the table is too small.
    """

    measures: Measures
    components: Components


def further(table: OutcomeTable, options: OptionTable | None, *, level: float, resamples: int, seed: int) -> Further:
    """Both, with intervals at this level."""
    found = measure(table, options, level=level, resamples=resamples, seed=seed)
    return Further(found, components(table.values))
