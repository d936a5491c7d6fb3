"""The distances of a run, beside its outcomes: read back, matched with the tables, and summed up.

Knows the files of distances and the panels of a report. Captures nothing and measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from isophrase.report.view import Geometry, Panel
from isophrase.representations.files import Measured, read_distances
from isophrase.statistics.distance import DistanceFindings, DistanceTable, findings
from isophrase.statistics.metrics import instruction_means, mean
from isophrase.statistics.observed import reference_rows
from isophrase.store import PanelKey

Condition = tuple[str, int, str]


def with_geometry(
    folder: Path, keys: Sequence[PanelKey], panels: Sequence[Panel], level: float, seed: int
) -> tuple[tuple[Panel, ...], Mapping[Condition, DistanceFindings], tuple[str, ...]]:
    """The panels with their geometry where it was measured, what the distances say together, and notes.

    Args:
        folder: The run folder.
        keys: What each panel is about.
        panels: The panels, same order.
        level: Confidence level.
        seed: Of the permutations.
    """
    known = read_distances(folder)
    tables: dict[Condition, list[DistanceTable]] = {}
    found, stale = [], 0
    for key, panel in zip(keys, panels, strict=True):
        measured = known.get(key)
        if measured is not None and not _fits(measured, panel):
            measured, stale = None, stale + 1
        if measured is None:
            found.append(panel)
            continue
        table = _table(panel, measured)
        tables.setdefault((key.model, key.shots, key.prompt_format), []).append(table)
        found.append(replace(panel, geometry=_geometry(measured, panel, table)))
    notes = (f"distances of {stale} tables are of other wordings: run `isophrase distance` again",) if stale else ()
    said = {condition: findings(some, level=level, seed=seed) for condition, some in tables.items()}
    return tuple(found), said, notes


def _fits(measured: Measured, panel: Panel) -> bool:
    """Whether every wording of the panel has distances; the panel may leave some out that were measured."""
    about = measured.about
    return set(panel.table.instructions) <= set(about.instructions) and set(about.examples) <= set(panel.table.examples)


def _rows(panel: Panel, measured: Measured) -> list[int]:
    row_of = {name: row for row, name in enumerate(measured.about.instructions)}
    return [row_of[name] for name in panel.table.instructions]


def _table(panel: Panel, measured: Measured) -> DistanceTable:
    column_of = {name: column for column, name in enumerate(panel.table.examples)}
    rows = _rows(panel, measured)
    return DistanceTable(
        panel.table, tuple(column_of[name] for name in measured.about.examples), measured.distances.l2[rows],
        measured.distances.cosine[rows], reference_rows(panel.instructions),
    )  # fmt: skip


def _geometry(measured: Measured, panel: Panel, table: DistanceTable) -> Geometry:
    far, points, rows = measured.distances, measured.points, _rows(panel, measured)
    place = np.full(len(measured.about.instructions), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    kept = place[points.rows] >= 0
    return Geometry(
        layer=measured.about.layer,
        position=measured.about.position,
        to=far.to,
        l2=instruction_means(far.l2[rows]),
        cosine=instruction_means(far.cosine[rows]),
        centroid=instruction_means(far.centroid[rows]),
        cka=far.cka[rows],
        loss=table.losses,
        spread_l2=mean(far.spread_l2),
        spread_cosine=mean(far.spread_cosine),
        examples=len(table.columns),
        rows=place[points.rows[kept]],
        columns=np.array(table.columns, dtype=np.int64)[points.columns[kept]],
        tsne=points.tsne[kept] if len(points.tsne) else points.tsne,
        pca=points.pca[kept],
        explained=points.explained,
        perplexity=points.perplexity,
        together=points.together,
    )
