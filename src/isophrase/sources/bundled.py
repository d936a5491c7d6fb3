"""The tasks and instruction sets that this project brings.

Knows where they lie inside the package. They are read by the same code as a user's files.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from isophrase.errors import SourceError
from isophrase.sources.instructions import read_instruction_set
from isophrase.sources.loaded import Loaded, Request
from isophrase.sources.problems import listed, meant
from isophrase.sources.tabular import load_task_file
from isophrase.types import InstructionSet

_SUFFIX = ".yaml"
CATALOGUE = "catalogue/"
_PARTS = ("", "bbl/")
"""Folders of the catalogue: general sets, and those for BIG-bench Lite."""


def bundled_tasks() -> tuple[str, ...]:
    """The names of the bundled tasks, sorted."""
    return tuple(sorted(_entries("tasks")))


def bundled_sets() -> tuple[str, ...]:
    """The names of the bundled instruction sets, sorted."""
    return tuple(sorted(_entries("instructions")))


@cache
def catalogue_sets() -> tuple[str, ...]:
    """The names of the catalogue's instruction sets, sorted (`catalogue/mmlu`, `catalogue/bbl/winowhy`)."""
    return tuple(sorted(_catalogue()))


@cache
def load_bundled_task(name: str) -> Loaded:
    """A bundled task, with the bundled instruction sets written for it.

    Raises:
        SourceError: There is no such task.
    """
    file = _entry("tasks", name, "task")
    loaded = load_task_file(file, files("isophrase.data") / "tasks")
    return Loaded(loaded.task, sets_for(loaded.task.name), loaded.notes)


@cache
def load_bundled_set(name: str) -> InstructionSet:
    """A bundled instruction set, or one of the catalogue.

    Raises:
        SourceError: There is no such set.
    """
    if name.startswith(CATALOGUE):
        return read_instruction_set(_of(_catalogue(), name, "set of the catalogue"))
    return read_instruction_set(_entry("instructions", name, "instruction set"))


def sets_for(task: str) -> tuple[InstructionSet, ...]:
    """The bundled instruction sets that are written for a task, by their `tasks` key."""
    return tuple(item for item in map(load_bundled_set, bundled_sets()) if task in item.tasks)


def load(request: Request) -> tuple[Loaded, ...]:
    """Loader of bundled tasks."""
    return (load_bundled_task(request.name),)


def _entries(folder: str) -> dict[str, Traversable]:
    place = files("isophrase.data").joinpath(*folder.split("/"))
    if not place.is_dir():
        return {}
    return {
        entry.name.removesuffix(_SUFFIX): entry
        for entry in place.iterdir()
        if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
    }


def _entry(folder: str, name: str, what: str) -> Traversable:
    return _of(_entries(folder), name, what)


@cache
def _catalogue() -> dict[str, Traversable]:
    return {
        f"{CATALOGUE}{part}{name}": entry
        for part in _PARTS
        for name, entry in _entries(f"{CATALOGUE}{part}".rstrip("/")).items()
    }


def _of(entries: dict[str, Traversable], name: str, what: str) -> Traversable:
    if name not in entries:
        close = meant(name, sorted(entries)).removeprefix("; ")
        raise SourceError(
            f"a bundled {what} ({listed(sorted(entries), 30)}) or a path that ends in {_SUFFIX}",
            got=repr(name),
            remedy=close or "choose one of them, or write the path",
        )
    return entries[name]
