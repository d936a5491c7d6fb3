"""A run that was imported from a table of means: written into a run folder, and read back ready for a report.

Knows the file `results.json` and how means become panels. Estimates nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isophrase.errors import StoreError
from isophrase.files import write_atomically
from isophrase.manifest import new_manifest, read_manifest, write_manifest
from isophrase.report.view import Panel, RunView
from isophrase.sources.elsewhere.instruction_table import ResultTable
from isophrase.statistics.components import components
from isophrase.statistics.further import Further
from isophrase.statistics.instruction_level import summarise_means
from isophrase.statistics.measures import measure
from isophrase.statistics.tables import OutcomeTable
from isophrase.types import Example, Instruction, Metric, OutputForm, digest, plain

RESULTS = "results.json"
EXAMPLES = "all examples"
_FORMAT = "as imported"


def is_imported(folder: Path) -> bool:
    """Whether a run folder holds means instead of scores."""
    return (folder / RESULTS).is_file()


def write_imported(folder: Path, table: ResultTable) -> None:
    """Make a run folder of a table.

    Raises:
        StoreError: The folder holds something else.
    """
    rows = plain(table.rows)
    identity = {"imported": {"file": table.where, "digest": digest(rows)}}
    if folder.exists() and any(folder.iterdir()):
        known = read_manifest(folder).identity if (folder / "manifest.json").exists() else {}
        if known != identity:
            raise StoreError("an empty folder", got=str(folder), remedy="give another folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("a folder that can be written", got=str(error), remedy="choose another --out") from None
    notes = ["imported: only means of wordings are known, so the luck of the examples is in std and spread"]
    if table.excluded:
        notes.append(f"{table.excluded:,} rows are marked as not included, and left out")
    if table.never_run:
        notes.append(f"{table.never_run:,} wordings were never run, and count as unscored")
    write_atomically(folder / RESULTS, json.dumps(rows).encode())
    write_manifest(folder, new_manifest(Path(table.where).stem, identity, tuple(notes)))


def read_imported(folder: Path, level: float | None = None) -> RunView:
    """Everything that a report shows of an imported table.

    Raises:
        StoreError: The folder is damaged.
    """
    manifest = read_manifest(folder)
    try:
        rows = json.loads((folder / RESULTS).read_text())
        groups: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
        for row in rows:
            groups.setdefault((row["model"], row["task"], row["shots"]), []).append(row)
        panels = tuple(_panel(*key, members, level or 0.95) for key, members in sorted(groups.items()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"a readable {RESULTS}", got=f"{folder / RESULTS}: {error}", remedy="import the file again"
        ) from None
    facts = {"imported from": str(manifest.identity["imported"]["file"]), "begun": manifest.created}
    return RunView(manifest.name, facts, manifest.notes, panels)


def _panel(model: str, task: str, shots: int, rows: Sequence[Mapping[str, Any]], level: float) -> Panel:
    kinds = [row["observed"] for row in rows]
    table = OutcomeTable(
        model=model,
        task=task,
        shots=shots,
        prompt_format=_FORMAT,
        instructions=tuple(row["wording"] for row in rows),
        examples=(EXAMPLES,),
        values=np.array([[np.nan if row["performance"] is None else row["performance"]] for row in rows]),
        choices=np.full((len(rows), 1), -1, dtype=np.int64),
        observed=None if None in kinds else np.array(kinds, dtype=np.bool_),
        chance=float("nan"),
    )
    instructions = tuple(
        Instruction(row["wording"], "(imported: the wording is not known)", row["collection"], OutputForm.TEXT)
        for row in rows
    )
    return Panel(
        summary=summarise_means(table, level),
        table=table,
        instructions=instructions,
        controls=(),
        examples=(Example(EXAMPLES, {"metric": str(rows[0]["metric"])}),),
        measurements={},
        chosen={},
        metric=Metric.ACCURACY,
        description=f"Imported means ({rows[0]['metric']}).",
        further=Further(measure(table, level=level), components(table.values)),
    )
