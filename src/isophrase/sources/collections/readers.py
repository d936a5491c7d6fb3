"""The table of collections: a prefix such as `flan:` and what reads it.

To add a collection: one file with a reader, one line in `READERS`, one test. A reference is `flan:PATH`,
`flan:PATH:NAME` for one
of its sets, and `flan:PATH:NAME@KIND` for its slots renamed to the fields of a kind of task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from isophrase.errors import SourceError
from isophrase.sources.collections.alpaca import read_alpaca
from isophrase.sources.collections.collected import Collected
from isophrase.sources.collections.flan import read_flan
from isophrase.sources.collections.mapping import rename_slots
from isophrase.sources.collections.natural_instructions import read_natural_instructions
from isophrase.sources.collections.promptsource import read_promptsource
from isophrase.sources.collections.tables import read_wording_table
from isophrase.sources.documents import resolve_path
from isophrase.sources.loaded import Loaded
from isophrase.sources.problems import listed, meant
from isophrase.types import InstructionSet

_Found = TypeVar("_Found")

READERS: Mapping[str, Callable[[Path], Collected]] = {
    "p3": read_promptsource,
    "flan": read_flan,
    "niv2": read_natural_instructions,
    "alpaca": read_alpaca,
    "table": read_wording_table,
}


def is_collection(reference: str) -> bool:
    """Whether a reference begins with the prefix of a collection."""
    return reference.partition(":")[0] in READERS and ":" in reference


def read_collection(prefix: str, path: Path) -> Collected:
    """Everything in a collection's files.

    Raises:
        SourceError: Nothing can be read, or there is no such collection.
    """
    if prefix not in READERS:
        close = meant(prefix, list(READERS)).removeprefix("; ") or "choose one"
        raise SourceError(f"a collection ({', '.join(READERS)})", got=repr(prefix), remedy=close)
    return _read(prefix, path)


@lru_cache(maxsize=16)
def _read(prefix: str, path: Path) -> Collected:
    return READERS[prefix](path)


def load_collection_set(reference: str, base: Path) -> InstructionSet:
    """One instruction set of a collection.

    Raises:
        SourceError: There is no such file or set, or it has several and none is named.
        ConfigError: No template applies to the kind.
    """
    prefix, path, name, kind = _take_apart(reference, base)
    found = read_collection(prefix, path)
    chosen = _one({item.name: item for item in found.sets}, name, reference)
    return rename_slots(chosen, kind) if kind else chosen


def load_collection_tasks(reference: str, base: Path) -> tuple[Loaded, ...]:
    """The tasks of a collection that carries examples: all of a file or folder, or the one that is named.

    Raises:
        SourceError: There are none, or none of that name.
    """
    prefix, path, name, _ = _take_apart(reference, base)
    found = read_collection(prefix, path)
    if not found.tasks:
        raise SourceError(
            "a collection with examples (niv2, alpaca)", got=f"{reference}: templates only",
            remedy="use it as `instructions:`",
        )  # fmt: skip
    if not name:
        return found.tasks
    return (_one({item.task.name: item for item in found.tasks}, name, reference),)


def _one(named: Mapping[str, _Found], name: str, reference: str) -> _Found:
    """The member that is meant: by its whole name, or by the part after the collection's."""
    if not name and len(named) == 1:
        return next(iter(named.values()))
    for known, item in named.items():
        if name and name in (known, known.partition("/")[2]):
            return item
    close = meant(name, [item.partition("/")[2] for item in named]).removeprefix("; ")
    raise SourceError(
        f"one of {listed(item.partition('/')[2] for item in named)} after the path", got=repr(reference),
        remedy=close or "write PREFIX:PATH:NAME",
    )  # fmt: skip


def _take_apart(reference: str, base: Path) -> tuple[str, Path, str, str]:
    """(prefix, path, name, kind) of `flan:templates.py:rte@entailment`."""
    prefix, _, rest = reference.partition(":")
    rest, _, kind = rest.partition("@")
    path, _, name = rest.partition(":")
    return prefix, resolve_path(path, base), name, kind
