"""Wordings in a plain table: csv, tsv, jsonl or parquet with a column `template` (or `instruction`).

Knows how columns become the attributes of an instruction. A row that can't be read is named, and the rest still loads.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from isophrase.errors import ManyErrors, SourceError
from isophrase.sources.collections.collected import Collected, add
from isophrase.sources.documents import Document
from isophrase.sources.instructions import parse_instruction_set
from isophrase.sources.problems import Problems, listed
from isophrase.sources.tables import Row, read_table
from isophrase.types import Instruction, InstructionSet

COLUMNS = (
    "id", "template", "collection", "output_form", "language", "register", "author", "reference", "role",
    "option_layout", "answer_template",
)  # fmt: skip


def read_wording_table(path: Path) -> Collected:
    """The wordings of a table; columns that are no attribute of an instruction are passed over.

    Raises:
        SourceError: There is no such file, no such column, or no row that can be read.
    """
    problems = Problems(str(path))
    table = read_table(path, problems)
    column = next((name for name in ("template", "instruction", "wording") if name in table.columns), None)
    if column is None:
        raise SourceError(
            "a column `template`, `instruction` or `wording`", got=listed(table.columns), remedy="rename a column"
        )
    members: list[Instruction] = []
    for number, row in enumerate(table.rows, start=1):
        found = _row(row, number, column, path.stem, problems)
        if found is not None:
            add(members, found, row.place, problems)
    if not members:
        raise SourceError("a wording", got=f"none in {path}: {'; '.join(problems.shown())}", remedy="mend the rows")
    found_set = InstructionSet(path.stem, "1", tuple(members), (), f"read from {path.name}")
    return Collected(members[0].collection, (found_set,), (), tuple(problems.all()))


def _row(row: Row, number: int, column: str, stem: str, problems: Problems) -> Instruction | None:
    values: dict[str, Any] = {
        name: str(row.values[name]) for name in COLUMNS if row.values.get(name) not in (None, "") and name != "template"
    }
    values = {"id": f"row-{number}", "collection": stem, "output_form": "label", **values}
    values["template"] = str(row.values.get(column) or "")
    reference = values.pop("reference", None)
    document = Document(row.place, {"name": "table", "instructions": [values]})
    try:
        (item,) = parse_instruction_set(document, Problems(row.place)).instructions
    except ManyErrors as error:
        for problem in error.problems:
            problems.add("", problem)
        return None
    return replace(item, reference=reference)
