"""Distance of a wording from its reference, or from the nearest observed wording, against what it costs in accuracy.

Knows tables, distances as arrays, and which rows they are measured to. Does not know how a distance was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isophrase.statistics.association import Association, Flags, discrimination, rank_correlation
from isophrase.statistics.metrics import Floats, instruction_means
from isophrase.statistics.tables import OutcomeTable


@dataclass(frozen=True)
class DistanceTable:
    """One table with the distances of its cells.

    Attributes:
        table: The outcomes.
        columns: Columns of the table that have distances.
        l2: Euclidean distances, shape (instructions, columns); NaN where undefined.
        cosine: 1 - cosine similarity, same shape.
        references: For each row the row of its reference wording, or -1.
    """

    table: OutcomeTable
    columns: tuple[int, ...]
    l2: Floats
    cosine: Floats
    references: tuple[int, ...]

    @property
    def losses(self) -> Floats:
        """Accuracy that each wording loses, shape (instructions,).

        Against the mean over observed wordings where these are known, NaN for these; else against its own reference,
        NaN for a reference.
        """
        means, observed = instruction_means(self.table.values), self.table.observed
        if observed is not None and observed.any():
            seen = means[observed]
            seen = seen[~np.isnan(seen)]
            base = float(seen.mean()) if len(seen) else float("nan")
            return np.where(observed, np.nan, base - means)
        rows = np.array(self.references, dtype=np.int64)
        return np.where(rows >= 0, means[np.maximum(rows, 0)] - means, np.nan)


@dataclass(frozen=True)
class DistanceFindings:
    """What the distances of all tasks of one model, shot count and prompt format say together.

    Attributes:
        l2: Correlation of an instruction's mean Euclidean distance with its loss in accuracy.
        cosine: The same with 1 - cosine similarity.
        across_wordings: P(an error that the reference wording does not make is farther than no error, same example).
        across_examples: The same under one wording, between examples.
    """

    l2: Association
    cosine: Association
    across_wordings: Association
    across_examples: Association


def findings(tables: Sequence[DistanceTable], *, level: float = 0.95, seed: int = 0) -> DistanceFindings:
    """All associations of distance with loss, over tasks."""
    cells = [_cells(item) for item in tables]
    return DistanceFindings(
        l2=rank_correlation([(instruction_means(item.l2), item.losses) for item in tables], level=level, seed=seed),
        cosine=rank_correlation(
            [(instruction_means(item.cosine), item.losses) for item in tables], level=level, seed=seed
        ),
        across_wordings=discrimination(cells, level=level),
        across_examples=discrimination([(far.T, bad.T, good.T) for far, bad, good in cells], level=level),
    )


def _cells(item: DistanceTable) -> tuple[Floats, Flags, Flags]:
    """Distances, new errors and cells that stayed right, where the reference wording is right."""
    values = item.table.values[:, list(item.columns)]
    rows = np.array(item.references, dtype=np.int64)
    asked = ~np.isnan(item.losses)[:, None] & (rows >= 0)[:, None] & (values[np.maximum(rows, 0)] >= 1)
    return item.l2, asked & (values < 1), asked & (values >= 1)
