"""Hidden states and distances in a run folder: the only reader and writer of them.

Knows two kinds of numpy archives, each written whole or not at all. Does not know how either was computed.

    states/NAME.npz      hidden states of one table at one layer and position, float16, with the factor of their scaling
    distances/NAME.npz   what was computed from them: enough for a report, which never reads states

NAME is the digest of what the file is about, so that another layer, position or choice of examples is another file.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isophrase.errors import StoreError
from isophrase.files import write_atomically
from isophrase.representations.distances import Distances
from isophrase.representations.projection import Points
from isophrase.store import PanelKey
from isophrase.types import digest

_LARGEST = 2.0**15
"""States are scaled below this: float16 ends at 65,504, and some models have larger states."""
_ARRAYS = ("l2", "cosine", "centroid", "cka", "spread_l2", "spread_cosine")
_POINTS = ("rows", "columns", "tsne", "pca")


@dataclass(frozen=True, slots=True)
class About:
    """What a file is about.

    Attributes:
        panel: The table.
        layer: The layer's number from the front.
        position: `last` or `mean`.
        instructions: Rows.
        examples: Columns: those of the table that were chosen.
    """

    panel: PanelKey
    layer: int
    position: str
    instructions: tuple[str, ...]
    examples: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{digest(asdict(self))[:20]}.npz"


@dataclass(frozen=True)
class Captured:
    """Hidden states of one table.

    Attributes:
        about: What they are about.
        states: Shape (instructions, examples, hidden), float32; NaN where there is none.
        missing: (row, column, reason) of those.
    """

    about: About
    states: NDArray[np.float32]
    missing: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True)
class Measured:
    """The distances of one table."""

    about: About
    distances: Distances
    points: Points


def write_states(folder: Path, captured: Captured) -> Path:
    """Write the states of one table in one piece."""
    largest = float(np.nanmax(np.abs(captured.states), initial=0.0))
    factor = max(1.0, 2.0 ** np.ceil(np.log2(largest / _LARGEST))) if largest > 0 else 1.0
    arrays = {"states": (captured.states / factor).astype(np.float16)}
    header = {"about": asdict(captured.about), "factor": factor, "missing": captured.missing}
    return _write(folder / "states" / captured.about.name, header, arrays)


def read_states(folder: Path, about: About) -> Captured | None:
    """The states of one table; None where they were not captured yet."""
    path = folder / "states" / about.name
    if not path.exists():
        return None
    header, arrays = _read(path)
    missing = tuple((int(row), int(column), str(reason)) for row, column, reason in header["missing"])
    return Captured(about, arrays["states"].astype(np.float32) * np.float32(header["factor"]), missing)


def write_distances(folder: Path, measured: Measured) -> Path:
    """Write the distances of one table in one piece; those of another layer, position or choice of examples go."""
    target = folder / "distances"
    for other in _all(folder):
        if other.about.panel == measured.about.panel and other.about != measured.about:
            (target / other.about.name).unlink(missing_ok=True)
    arrays = {name: getattr(measured.distances, name) for name in _ARRAYS}
    arrays |= {name: getattr(measured.points, name) for name in _POINTS}
    header = {
        "about": asdict(measured.about), "to": measured.distances.to, "targets": measured.distances.targets,
        "perplexity": measured.points.perplexity, "explained": measured.points.explained,
        "together": measured.points.together,
    }  # fmt: skip
    return _write(target / measured.about.name, header, arrays)


def read_distances(folder: Path) -> dict[PanelKey, Measured]:
    """All distances of a run, by table."""
    return {item.about.panel: item for item in _all(folder)}


def _all(folder: Path) -> list[Measured]:
    return [_measured(*_read(path)) for path in sorted((folder / "distances").glob("*.npz"))]


def _measured(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Measured:
    about = header["about"]
    found = About(
        PanelKey(**about["panel"]), about["layer"], about["position"], tuple(about["instructions"]),
        tuple(about["examples"]),
    )  # fmt: skip
    distances = Distances(header["to"], tuple(header["targets"]), **{name: arrays[name] for name in _ARRAYS})
    points = Points(
        **{name: arrays[name] for name in _POINTS}, perplexity=header["perplexity"],
        explained=tuple(header["explained"]), together=tuple(header["together"]),
    )  # fmt: skip
    return Measured(found, distances, points)


def _write(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Path:
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header, ensure_ascii=False).encode(), dtype=np.uint8)
    np.savez(buffer, **{"header": text, **arrays})  # type: ignore[arg-type]
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise StoreError("a run folder that can be written", got=str(error), remedy="free space, or copy it") from None
    return path


def _read(path: Path) -> tuple[Mapping[str, Any], dict[str, NDArray[Any]]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return json.loads(arrays.pop("header").tobytes()), arrays
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"a readable {path.name}", got=f"{path}: {error}", remedy="delete it and run `isophrase distance` again"
        ) from None


assert {field.name for field in fields(Distances)} == {"to", "targets", *_ARRAYS}
