"""csv, tsv, jsonl and parquet as rows with their places.

Knows file formats and how they break. Does not know what the columns mean.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import Any

from isophrase.errors import SourceError
from isophrase.sources.documents import decode, read_bytes
from isophrase.sources.problems import Problems, listed
from isophrase.types import Split


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        place: Where it stands, for messages (`reviews.csv:12`).
        values: Column -> value.
        split: The split that its source puts it in, or None.
        id: The id that its source gives it; empty: its number.
    """

    place: str
    values: Mapping[str, Any]
    split: Split | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the names of their columns, in the order of the file."""

    where: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(file: Traversable, problems: Problems) -> Table:
    """Read a table by its suffix.

    Args:
        file: A .csv, .tsv, .jsonl or .parquet file.
        problems: Takes the rows that can't be read.

    Raises:
        SourceError: The file can't be read at all, or is empty.
    """
    suffix = PurePath(file.name).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise SourceError(f"a table ({listed(_READERS)})", got=f"{file}", remedy="convert the file")
    before = len(problems)
    table = reader(read_bytes(file), file.name, problems)
    if not table.rows and len(problems) == before:
        raise SourceError("at least one row", got=f"none in {file}", remedy="fill the file, or name another")
    return table


def _csv(content: bytes, where: str, problems: Problems, delimiter: str = ",") -> Table:
    reader = csv.reader(io.StringIO(decode(content, where), newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            place, start = f"{where}:{start}", reader.line_num + 1
            if not cells:
                continue
            if header is None:
                header = _header(cells, place)
            elif len(cells) != len(header):
                problems.add(place, f"has {len(cells)} of {len(header)} cells; check quotes and commas")
            else:
                rows.append(Row(place, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise SourceError(
            "valid csv", got=f"{where}:{start}: {error}", remedy="check the quotes of that row, or use jsonl"
        ) from None
    if header is None:
        raise SourceError("a csv file with a header row", got=f"nothing in {where}", remedy="fill the file")
    return Table(where, tuple(header), tuple(rows))


def _tsv(content: bytes, where: str, problems: Problems) -> Table:
    return _csv(content, where, problems, delimiter="\t")


def _header(cells: list[str], place: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    # One nameless column is what a data frame's index becomes in csv.
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SourceError(
            "each column to have a name of its own",
            got=f"{listed(repr(name) for name in sorted(twice))} more than once at {place}",
            remedy="rename them in the header",
        )
    return names


def _jsonl(content: bytes, where: str, problems: Problems) -> Table:
    rows = [
        Row(place, values)
        for place, values in json_lines(decode(content, where), where, problems)
        if isinstance(values, dict)
    ]
    columns = dict.fromkeys(name for row in rows for name in row.values)
    return Table(where, tuple(columns), tuple(rows))


def json_lines(text: str, where: str, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON Lines text with their places; blank lines are passed over.

    Args:
        text: The file's content.
        where: Its name.
        problems: Takes the lines that are not a JSON object.
    """
    # Not splitlines: JSON strings may hold U+2028 and other characters that it takes for line breaks.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{where}:{number}"
        try:
            values = json.loads(line, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            problems.add(place, f"not JSON ({error.msg}, column {error.colno}); mend the line")
        except (ValueError, RecursionError) as error:
            problems.add(place, f"not usable JSON ({error}); mend the line")
        else:
            if isinstance(values, dict):
                yield place, values
            else:
                problems.add(place, f"expected a JSON object; got a {type(values).__name__}; write {{…}}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return values


def _parquet(content: bytes, where: str, problems: Problems) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rpartition("'<Buffer>': ")[2]
        raise SourceError("a parquet file", got=f"{where}: {reason}", remedy="write the file again") from None
    rows = (Row(f"{where} row {number}", values) for number, values in enumerate(table.to_pylist(), start=1))
    return Table(where, tuple(table.column_names), tuple(rows))


_READERS: Mapping[str, Callable[[bytes, str, Problems], Table]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
