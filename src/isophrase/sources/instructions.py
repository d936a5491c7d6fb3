"""Instruction sets from YAML and JSON Lines.

Knows the schema of a set (the attributes of Instruction) and what makes its members fit together. Does not know tasks:
whether a template fits a task is checked where both are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from isophrase.errors import SourceError, TemplateError
from isophrase.prompts import template_variables
from isophrase.sources.documents import Document, Key, Text, decode, parse, read_bytes, read_yaml
from isophrase.sources.problems import Problems, listed, meant, quoted
from isophrase.sources.tables import json_lines
from isophrase.sources.taskfile import NAME_PATTERN
from isophrase.types import Instruction, InstructionSet, OutputForm

ANSWER_VARIABLES = frozenset({"option", "letter", "index"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ATTRIBUTES = {item.name: item for item in fields(Instruction)}
_TYPES = get_type_hints(Instruction)
_MAY_BE_EMPTY = frozenset({"register", "author", "answer_template", "exemplar_separator"})


class _SetFile(BaseModel):
    """The keys around the instructions of a set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Text, Field(pattern=NAME_PATTERN)]
    version: Text = "1"
    tasks: tuple[Text, ...] = ()
    origin: Text = ""
    defaults: dict[str, Any] = {}
    instructions: Annotated[list[dict[str, Any]], Field(min_length=1)]


def read_instruction_set(file: Traversable) -> InstructionSet:
    """The instruction set in a .yaml, .yml or .jsonl file.

    Raises:
        SourceError: The file can't be read, or is of another kind.
        ManyErrors: All that is wrong with it.
    """
    suffix = PurePath(file.name).suffix.lower()
    problems = Problems(str(file))
    if suffix in (".yaml", ".yml"):
        document = read_yaml(file)
    elif suffix == ".jsonl":
        document = _jsonl(file, problems)
    else:
        raise SourceError("an instruction set (.yaml, .yml, .jsonl)", got=f"{file}", remedy="convert the file")
    return parse_instruction_set(document, problems)


def parse_instruction_set(document: Document, problems: Problems) -> InstructionSet:
    """Check the content of an instruction set.

    Args:
        document: The mapping, with the places of its keys.
        problems: What is already known to be wrong.

    Raises:
        ManyErrors: All that is wrong with it.
    """
    content = parse(_SetFile, document, problems)
    if content is None:
        problems.check()
        raise AssertionError("parse gives None only with problems")
    for key in content.defaults:
        if key not in _ATTRIBUTES or key == "id":
            problems.add(document.place(("defaults", key)), f"defaults: {_unknown(key)}")
    defaults = {key: value for key, value in content.defaults.items() if key in _ATTRIBUTES}
    read = [
        instruction
        for index, entry in enumerate(content.instructions)
        if (instruction := _instruction({**defaults, **entry}, document, ("instructions", index), problems))
    ]
    known = {str(entry.get("id")) for entry in content.instructions}
    _check_together([(document.place(key), item) for key, item in read], known, problems)
    problems.check()
    return InstructionSet(
        name=content.name,
        version=content.version,
        instructions=tuple(item for _, item in read),
        tasks=content.tasks,
        origin=content.origin,
    )


def _jsonl(file: Traversable, problems: Problems) -> Document:
    """One instruction a line; a first line without `template` holds the keys of the set."""
    where = file.name
    entries = list(json_lines(decode(read_bytes(file), where), where, problems))
    head: dict[str, Any] = {}
    lines: dict[Key, int] = {}
    if entries and "template" not in entries[0][1]:
        place, head = entries.pop(0)
        lines = {(): _line(place), **{(key,): _line(place) for key in head}}
        if "instructions" in head:
            problems.add(place, "'instructions' are the lines that follow; remove the key")
    for index, (place, _) in enumerate(entries):
        lines["instructions", index] = _line(place)
    if not entries:
        problems.add(where, "no instructions; write one JSON object a line, each with `id` and `template`")
        problems.check()
    stem = {"name": PurePath(where).stem}
    return Document(where, {**stem, **head, "instructions": [entry for _, entry in entries]}, lines)


def _line(place: str) -> int:
    return int(place.rsplit(":", 1)[1])


def _unknown(key: str) -> str:
    if key == "id":
        return "each instruction has an `id` of its own; remove the key"
    return f"unknown key {key!r}{meant(key, list(_ATTRIBUTES)) or f'; known are {listed(_ATTRIBUTES, 30)}'}"


def _instruction(
    entry: Mapping[str, Any], document: Document, key: Key, problems: Problems
) -> tuple[Key, Instruction] | None:
    """One checked entry, or None where something is wrong with it."""
    before = len(problems)
    name = f"instruction {entry['id']!r}" if entry.get("id") else f"instructions[{key[-1]}]"
    values: dict[str, Any] = {}
    for part, value in entry.items():
        if part not in _ATTRIBUTES:
            problems.add(document.place((*key, part)), f"{name}: {_unknown(part)}")
            continue
        try:
            values[part] = _value(part, value)
        except ValueError as error:
            problems.add(document.place((*key, part)), f"{name}: {part}: {error}")
    for part, attribute in _ATTRIBUTES.items():
        if attribute.default is MISSING and part not in entry:
            problems.add(document.place(key), f"{name}: {part!r} is missing; add it, or give a default")
    if len(problems) > before:
        return None
    instruction = Instruction(**values)
    for part, text in _template_problems(instruction):
        problems.add(document.place((*key, part)), f"{name}: {text}")
    return (key, instruction) if len(problems) == before else None


def _value(part: str, value: Any) -> Any:
    """The value of one attribute; raises ValueError with what is wrong."""
    kind = _TYPES[part]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"expected {listed(item.value for item in kind)}; got {quoted(value)}") from None
    if value is None and part == "reference":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"expected text; got {quoted(value)}; put it in quotes")
    if not value.strip() and part not in _MAY_BE_EMPTY:
        raise ValueError("is empty; fill it")
    if part == "id" and not _ID.fullmatch(value):
        raise ValueError(f"expected letters, digits, '.', '_' and '-'; got {quoted(value)}")
    if part == "language" and not _LANGUAGE.fullmatch(value):
        raise ValueError(f"expected a language tag such as 'en' or 'pt-BR'; got {quoted(value)}")
    return value


def _template_problems(instruction: Instruction) -> Iterator[tuple[str, str]]:
    try:
        names = template_variables(instruction.template)
    except TemplateError as error:
        yield "template", f"template: {error.got}; mend the Jinja2"
    else:
        if instruction.output_form is OutputForm.LETTER and "options" not in names:
            yield (
                "template",
                "asks for a letter without `{{ options }}`; list the options, or use another `output_form`",
            )
    if not instruction.answer_template:
        return
    try:
        unknown = template_variables(instruction.answer_template) - ANSWER_VARIABLES
    except TemplateError as error:
        yield "answer_template", f"answer_template: {error.got}; mend the Jinja2"
    else:
        if unknown:
            allowed = listed(sorted(ANSWER_VARIABLES))
            yield "answer_template", f"answer_template names {listed(sorted(unknown))}; it may name {allowed}"


def _check_together(members: list[tuple[str, Instruction]], known: set[str], problems: Problems) -> None:
    """Ids and wordings occur once, and references lead somewhere."""
    ids: dict[str, str] = {}
    wordings: dict[tuple[str, ...], str] = {}
    for place, item in members:
        name = f"instruction {item.id!r}"
        if item.id in ids:
            problems.add(place, f"{name}: the id is already used at {ids[item.id]}; make ids unique")
        if item.reference == item.id:
            problems.add(place, f"{name}: is its own reference; name the instruction that it re-phrases")
        elif item.reference is not None and item.reference not in known:
            close = meant(item.reference, sorted(known)) or "; name an instruction of this set"
            problems.add(place, f"{name}: reference {item.reference!r} is not in the set{close}")
        wording = (item.template, item.output_form, item.option_layout, item.answer_template, item.role)
        if wording in wordings:
            problems.add(place, f"{name}: has the same wording as {wordings[wording]!r}; remove one")
        ids.setdefault(item.id, place)
        wordings.setdefault(wording, item.id)
