"""The manifest of a run: everything that identifies it, and the refusal to continue a run that has become another one.

Knows JSON and the two halves of a manifest: `identity`, which must not change (config, seed, digests of every source,
models), and `environments`, the platforms and library versions that have written to the run, which are recorded.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isophrase.errors import StoreError
from isophrase.files import write_atomically
from isophrase.types import plain

MANIFEST = "manifest.json"
FORMAT = 1
_PACKAGES = ("isophrase", "torch", "transformers", "tokenizers", "peft", "numpy", "jinja2", "pyarrow")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run is.

    Attributes:
        name: The experiment's name.
        created: When the run was begun, ISO 8601 in UTC.
        identity: JSON-ready values that must be equal to continue the run.
        environments: Library versions and platforms that wrote to the run, in order of first use.
        notes: What a reader of the results should know (examples left out by a loader, a fallback that was used).
        choices: Which cells a budget was spent on, round by round, in the order chosen; empty where all are measured.
    """

    name: str
    created: str
    identity: Mapping[str, Any]
    environments: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    choices: tuple[Mapping[str, Any], ...] = ()


def new_manifest(name: str, identity: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Manifest:
    """A manifest of a run that begins now, in this environment."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(name, created, json.loads(json.dumps(plain(identity))), (environment(),), notes)


def environment() -> dict[str, str]:
    """The versions and the platform that compute here."""
    found = {"python": platform.python_version(), "platform": platform.platform(aliased=True, terse=True)}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest in one piece."""
    text = json.dumps({"format": FORMAT, **plain(manifest)}, indent=2, ensure_ascii=False)
    write_atomically(folder / MANIFEST, text.encode())


def read_manifest(folder: Path) -> Manifest:
    """Read a run's manifest.

    Raises:
        StoreError: There is none, it is damaged, or a newer version wrote it.
    """
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text())
        if values["format"] != FORMAT:
            raise StoreError(
                f"a run folder of format {FORMAT}",
                got=f"format {values['format']} in {path}",
                remedy="use the Isophrase version that wrote it",
            )
        return Manifest(
            name=values["name"],
            created=values["created"],
            identity=values["identity"],
            environments=tuple(values["environments"]),
            notes=tuple(values["notes"]),
            choices=tuple(values.get("choices", ())),
        )
    except FileNotFoundError:
        raise StoreError(
            "a run folder with a manifest.json", got=f"none in {folder}", remedy="give the folder that `run` wrote to"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "a readable manifest.json",
            got=f"{path}: {type(error).__name__}: {error}",
            remedy="restore it from a copy, or begin the run in a new folder",
        ) from None


def continued(old: Manifest, new: Manifest, folder: Path) -> Manifest:
    """The manifest of a run that goes on: the old one, with this environment added.

    Raises:
        StoreError: The identities differ; the message shows every difference.
    """
    differences = list(difference(old.identity, new.identity))
    if differences:
        shown = "; ".join(differences[:8]) + (f"; and {len(differences) - 8} more" if len(differences) > 8 else "")
        raise StoreError(
            f"the experiment that {folder} was begun with",
            got=f"changes: {shown}",
            remedy="undo the change, or give another folder with --out",
        )
    environments = dict.fromkeys(json.dumps(item, sort_keys=True) for item in (*old.environments, *new.environments))
    return with_notes(replace(old, environments=tuple(json.loads(item) for item in environments)), new.notes)


def with_notes(manifest: Manifest, notes: Iterable[str]) -> Manifest:
    """The manifest with further notes, each once."""
    return replace(manifest, notes=tuple(dict.fromkeys((*manifest.notes, *notes))))


def difference(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The differences of two JSON values, a line each: `tasks.sentiment.digest: 'a1…' -> 'b2…'`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from difference(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from difference(left, right, f"{path}[{index}]")
    elif old != new:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:48] + "…" + text[-8:]
