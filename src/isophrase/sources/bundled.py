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


def bundled_tasks() -> tuple[str, ...]:
    """The names of the bundled tasks, sorted."""
    return tuple(sorted(_entries("tasks")))


def bundled_sets() -> tuple[str, ...]:
    """The names of the bundled instruction sets, sorted."""
    return tuple(sorted(_entries("instructions")))


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
    """A bundled instruction set.

    Raises:
        SourceError: There is no such set.
    """
    return read_instruction_set(_entry("instructions", name, "instruction set"))


def sets_for(task: str) -> tuple[InstructionSet, ...]:
    """The bundled instruction sets that are written for a task, by their `tasks` key."""
    return tuple(item for item in map(load_bundled_set, bundled_sets()) if task in item.tasks)


def load(request: Request) -> tuple[Loaded, ...]:
    """Loader of bundled tasks."""
    return (load_bundled_task(request.name),)


def _entries(folder: str) -> dict[str, Traversable]:
    place = files("isophrase.data") / folder
    if not place.is_dir():
        return {}
    return {
        entry.name.removesuffix(_SUFFIX): entry
        for entry in place.iterdir()
        if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
    }


def _entry(folder: str, name: str, what: str) -> Traversable:
    entries = _entries(folder)
    if name not in entries:
        close = meant(name, sorted(entries)).removeprefix("; ")
        raise SourceError(
            f"a bundled {what} ({listed(sorted(entries), 30)}) or a path that ends in {_SUFFIX}",
            got=repr(name),
            remedy=close or "choose one of them, or write the path",
        )
    return entries[name]
