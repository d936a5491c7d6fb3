"""What a reader of other people's collections gives, and how text becomes a template.

Knows nouns, and where an entry stands. Does not know any collection's format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from isophrase.errors import SourceError, TemplateError
from isophrase.prompts import template_variables
from isophrase.sources.loaded import Loaded
from isophrase.sources.problems import Problems
from isophrase.types import Instruction, InstructionSet

_OPENING = re.compile(r"\{(?=[{%#])")
_UNFIT_ID = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Collected:
    """What a file or folder of a collection holds.

    Attributes:
        collection: The collection's name, as `trained_on` names it (`p3`, `flan`, `niv2`, `alpaca`).
        sets: Instruction sets, one for each task or data set of the collection.
        tasks: Tasks, where the collection carries examples.
        problems: Entries that could not be read, each with its file and position; the rest is there.
        notes: Entries that are left out on purpose, with the reason.
    """

    collection: str
    sets: tuple[InstructionSet, ...] = ()
    tasks: tuple[Loaded, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def files_of(path: Path, suffix: str) -> list[Path]:
    """The file itself, or all files of a suffix in a folder and its folders, sorted.

    Raises:
        SourceError: There is none.
    """
    found = sorted(path.rglob(f"*{suffix}")) if path.is_dir() else [path]
    if not found or not found[0].is_file():
        raise SourceError(
            f"a {suffix} file, or a folder with some", got=f"none at {path}", remedy="check the path"
        ) from None
    return found


def literal(text: str) -> str:
    """Text that must stand in a template as it is."""
    return _OPENING.sub("{{ '{' }}", text)


def fitting_id(name: str) -> str:
    """A name as the id of an instruction."""
    return _UNFIT_ID.sub("-", name).strip("-._") or "unnamed"


def add(members: list[Instruction], item: Instruction, place: str, problems: Problems) -> None:
    """Add an instruction if its template can be read; ids are made unique, equal templates kept once."""
    try:
        template_variables(item.template)
    except TemplateError as error:
        problems.add(place, f"{item.id}: {error.got}")
        return
    if any(item.template == other.template and item.answer_template == other.answer_template for other in members):
        return
    taken = {other.id for other in members}
    name, number = item.id, 2
    while name in taken:
        name, number = f"{item.id}-{number}", number + 1
    members.append(replace(item, id=name))
