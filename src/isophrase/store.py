"""The run folder: the only reader and writer of scores.

Knows parquet parts (one for each unit of work, written whole or not at all), claims (so that several processes fill one
run) and the snapshot of what was asked. Does not know what a score is worth.

    manifest.json            what identifies the run
    inputs.json              the tasks and instructions that it asks, so that a report needs nothing else
    scores/UNIT-SHA.parquet  the scores of one unit of work; the name holds the sha256 of the content
    locks/UNIT.lock          held by the process that measures the unit; the system frees it when the process dies
    set-aside/               damaged parts, kept for inspection; their units are measured again
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from isophrase.errors import StoreError
from isophrase.files import write_atomically
from isophrase.manifest import MANIFEST, Manifest, continued, read_manifest, with_notes, write_manifest
from isophrase.types import Cell, Measurement, Score

INPUTS = "inputs.json"
_TEXT = pa.dictionary(pa.int32(), pa.string())
_CELL = [field.name for field in fields(Cell)]
_INTEGERS = ("shots", "exemplar_seed")
SCHEMA = pa.schema(
    [pa.field(name, pa.int32() if name in _INTEGERS else _TEXT, nullable=False) for name in _CELL]
    + [
        pa.field("logprobs", pa.list_(pa.float64()), nullable=False),
        pa.field("tokens", pa.list_(pa.int32()), nullable=False),
        pa.field("bytes", pa.list_(pa.int32()), nullable=False),
        pa.field("text", pa.string()),
        pa.field("merged", pa.bool_(), nullable=False),
        pa.field("unscored", pa.string()),
    ]
)
_MEASUREMENT = [field.name for field in fields(Measurement)]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A part that could not be read, and where it was put."""

    part: str
    reason: str
    set_aside: Path


@dataclass(frozen=True, slots=True)
class PanelKey:
    """What one table of a run is about: every part of a cell except instruction and example."""

    model: str
    task: str
    shots: int
    prompt_format: str
    exemplar_seed: int
    dtype: str


@dataclass(frozen=True, slots=True)
class Store:
    """An open run folder."""

    folder: Path

    @property
    def scores_folder(self) -> Path:
        return self.folder / "scores"

    def parts(self) -> dict[str, Path]:
        """The parts that stand in the folder, by unit (see `check_parts` for whether they are sound)."""
        return {path.name.split("-")[0]: path for path in sorted(self.scores_folder.glob("*-*.parquet"))}

    def is_done(self, unit: str) -> bool:
        """Whether a part of the unit stands in the folder."""
        return any(self.scores_folder.glob(f"{unit}-*.parquet"))

    @contextmanager
    def claim(self, unit: str) -> Iterator[bool]:
        """Hold a unit while measuring it.

        Yields:
            True if it is ours to measure; False if another process holds it or has just finished it.
        """
        lock = self.folder / "locks" / f"{unit}.lock"
        held = FileLock(lock, timeout=0)
        try:
            held.acquire()
        except Timeout:
            yield False
            return
        try:
            for leftover in self.scores_folder.glob(f".{unit}-*.tmp"):
                leftover.unlink(missing_ok=True)
            yield not self.is_done(unit)
        finally:
            if self.is_done(unit):
                lock.unlink(missing_ok=True)
            held.release()

    def write(self, unit: str, scores: Sequence[Score]) -> None:
        """Write the scores of a unit in one piece: after a crash they are all there, or none is."""
        columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        for score in scores:
            for name, value in zip(_CELL, astuple(score.cell), strict=True):
                columns[name].append(value)
            for name in _MEASUREMENT:
                columns[name].append(getattr(score.measurement, name))
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns, schema=SCHEMA), buffer, compression="zstd")
        content = buffer.getvalue()
        write_atomically(self.scores_folder / f"{unit}-{_checksum(content)}.parquet", content)

    def check_parts(self) -> list[Damaged]:
        """Read every part whole; move those whose content is not what was written out of the way.

        Returns:
            One entry for each damaged part, whose unit will be measured again.
        """
        damaged = []
        for path in self.parts().values():
            content = path.read_bytes()
            if _checksum(content) != path.stem.split("-")[-1]:
                reason = f"its {len(content):,} bytes do not have the checksum in its name"
                damaged.append(Damaged(path.name, reason, self._set_aside(path)))
        return damaged

    def _set_aside(self, path: Path) -> Path:
        folder = self.folder / "set-aside"
        folder.mkdir(exist_ok=True)
        count = len(list(folder.glob(f"{path.stem}.*")))
        target = folder / f"{path.stem}.{count}.parquet"
        path.replace(target)
        return target

    def panels(self) -> list[PanelKey]:
        """The tables that have at least one score, sorted."""
        if not self.parts():
            return []
        names = ", ".join(field.name for field in fields(PanelKey))
        with self._ask(f"SELECT DISTINCT {names} FROM scores ORDER BY ALL") as answer:
            return [PanelKey(*row) for row in answer.fetchall()]

    def scores(self, key: PanelKey | None = None) -> list[Score]:
        """The scores of one table, or of the whole run, sorted by cell: the same list however the run was filled."""
        if not self.parts():
            return []
        where = " AND ".join(f"{field.name} = ?" for field in fields(PanelKey)) if key else "TRUE"
        query = f"SELECT * FROM scores WHERE {where} ORDER BY {', '.join(_CELL)}"
        with self._ask(query, astuple(key) if key else ()) as answer:
            return _to_scores(answer.to_arrow_table())

    @contextmanager
    def _ask(self, query: str, parameters: Sequence[object] = ()) -> Iterator[duckdb.DuckDBPyRelation]:
        with duckdb.connect() as connection:
            connection.read_parquet([str(path) for path in self.parts().values()]).create_view("scores")
            yield connection.sql(query, params=list(parameters))

    def add_notes(self, notes: Sequence[str]) -> None:
        """Add what a reader of the results should know to the manifest."""
        if notes:
            with _manifest_lock(self.folder):
                write_manifest(self.folder, with_notes(read_manifest(self.folder), notes))

    def choices(self) -> tuple[Mapping[str, Any], ...]:
        """Which cells a budget was spent on, as the manifest says."""
        return read_manifest(self.folder).choices

    def add_choice(self, choice: Mapping[str, Any]) -> Mapping[str, Any]:
        """Log a round of a budget; another process may have logged the same round first, then its choice holds.

        Args:
            choice: JSON-ready, with `block` and `round`, which identify it.

        Returns:
            The choice that is logged.
        """
        with _manifest_lock(self.folder):
            manifest = read_manifest(self.folder)
            for known in manifest.choices:
                if (known["block"], known["round"]) == (choice["block"], choice["round"]):
                    return known
            write_manifest(self.folder, replace(manifest, choices=(*manifest.choices, choice)))
        return choice

    def inputs(self) -> Mapping[str, Any]:
        """The snapshot of tasks and instructions, as JSON values."""
        try:
            values = json.loads((self.folder / INPUTS).read_text())
        except (OSError, ValueError) as error:
            raise StoreError(
                "a readable inputs.json in the run folder",
                got=f"{self.folder / INPUTS}: {error}",
                remedy="run the experiment again with the same --out: it is written anew and no score is lost",
            ) from None
        return dict(values)


def open_run(folder: Path, manifest: Manifest, inputs: Mapping[str, Any]) -> Store:
    """Begin a run in a new folder, or continue the one that stands there.

    Raises:
        StoreError: The folder holds something else, or a run with another identity.
    """
    try:
        for name in ("scores", "locks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("a folder that can be written", got=str(error), remedy="choose another --out") from None
    with _manifest_lock(folder):
        if (folder / MANIFEST).exists():
            manifest = continued(read_manifest(folder), manifest, folder)
        else:
            _refuse_foreign(folder)
        # The manifest comes last: a folder that has one has everything.
        write_atomically(folder / INPUTS, json.dumps(inputs, ensure_ascii=False).encode())
        write_manifest(folder, manifest)
    return Store(folder)


def _manifest_lock(folder: Path) -> FileLock:
    return FileLock(folder / "locks" / "manifest.lock")


def existing_run(folder: Path) -> tuple[Store, Manifest]:
    """Open a run to read it.

    Raises:
        StoreError: The folder is not a run.
    """
    return Store(folder), read_manifest(folder)


def _refuse_foreign(folder: Path) -> None:
    own = {"scores", "locks", "set-aside", INPUTS}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own and not path.name.endswith(".tmp"))
    if foreign or any((folder / "scores").glob("*.parquet")):
        raise StoreError(
            "an empty folder or a run folder",
            got=f"{folder} without a manifest, holding {', '.join(foreign[:5]) or 'scores'}",
            remedy="give another folder with --out",
        )


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _to_scores(table: pa.Table) -> list[Score]:
    cells = zip(*(table.column(name).to_pylist() for name in _CELL), strict=True)
    columns = {name: table.column(name).to_pylist() for name in _MEASUREMENT}
    for name in ("logprobs", "tokens", "bytes"):
        columns[name] = [tuple(value) for value in columns[name]]
    measured = zip(*(columns[name] for name in _MEASUREMENT), strict=True)
    return [Score(Cell(*cell), Measurement(*values)) for cell, values in zip(cells, measured, strict=True)]
