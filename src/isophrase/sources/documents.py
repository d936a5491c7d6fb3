"""Text and YAML as a user writes them, with the line of every key, and their check against a schema.

YAML has the plain values of version 1.2 (`yes`, `no` and dates stay text), never builds objects, and may not have
duplicate keys or aliases. Does not know what a file means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ValidationError

from isophrase.errors import SourceError
from isophrase.sources.problems import Problems, listed, meant, quoted

Key = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=BaseModel)
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a file with the places of its keys.

    Attributes:
        where: The file's name, for messages.
        content: Plain values.
        lines: The line of each value, by its path of keys; empty for a mapping that was not read from a file.
    """

    where: str
    content: Any
    lines: Mapping[Key, int] = field(default_factory=dict)

    def place(self, key: Key = ()) -> str:
        """`file:line` of a key, or of the nearest key around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.where}:{self.lines[key]}" if key in self.lines else self.where


def read_bytes(file: Traversable) -> bytes:
    """A file's bytes.

    Raises:
        SourceError: It is missing, a folder, or may not be read.
    """
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise SourceError("an existing file", got=f"no {file}", remedy="check the path") from None
    except IsADirectoryError:
        raise SourceError("a file", got=f"the folder {file}", remedy="name a file inside it") from None
    except OSError as error:
        raise SourceError("a readable file", got=f"{file}: {error.strerror}", remedy="check its permissions") from None


def decode(content: bytes, where: str) -> str:
    """UTF-8 text, a byte order mark dropped.

    Raises:
        SourceError: It is not UTF-8; with the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise SourceError(
            "UTF-8 text", got=f"the byte 0x{byte:02x} at {where}:{line}", remedy="save the file as UTF-8"
        ) from None


def read_yaml(file: Traversable) -> Document:
    """A YAML file that holds one mapping.

    Raises:
        SourceError: It can't be read or is not a mapping.
        ManyErrors: It has duplicate keys or aliases.
    """
    where = file.name
    text = decode(read_bytes(file), where)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            got = f"{where} with {'nothing' if node is None else 'a ' + node.id} at its top"
            raise SourceError("a YAML mapping (`key: value` lines)", got=got, remedy="see docs/data-formats.md")
        problems = Problems(str(file))
        lines: dict[Key, int] = {}
        _walk(node, (), lines, set(), where, problems)
        problems.check()
        content = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SourceError("valid YAML", got=f"{where}{line}: {error.problem}", remedy="mend that line") from None
    except (yaml.YAMLError, ValueError) as error:
        got = f"{where}: {' '.join(str(error).split())}"
        raise SourceError("valid YAML", got=got, remedy="mend the file") from None
    return Document(where, content, lines)


class _Loader(_SafeLoader):  # type: ignore[valid-type, misc]
    """PyYAML's safe loader with the plain values of YAML 1.2 (its resolver tables are class attributes)."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


def _resolve_plain_values() -> None:
    patterns = (
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
        ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
        ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
        ("merge", r"^(?:<<)$", ["<"]),
    )
    for name, pattern, first in patterns:
        _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(pattern), first)


_resolve_plain_values()


def _walk(node: yaml.Node, key: Key, lines: dict[Key, int], seen: set[int], where: str, problems: Problems) -> None:
    """Note the line of every value; find duplicate keys and aliases."""
    lines.setdefault(key, node.start_mark.line + 1)
    if id(node) in seen:
        problems.add(f"{where}:{node.start_mark.line + 1}", "an alias (`*name`) points here; write the value out")
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*key, index), lines, seen, where, problems)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for name, item in node.value:
            line = name.start_mark.line + 1
            text = str(name.value)
            if text in first:
                problems.add(f"{where}:{line}", f"duplicate key {text!r}, first at line {first[text]}; remove one")
            first.setdefault(text, line)
            lines.setdefault((*key, text), line)
            _walk(item, (*key, text), lines, seen, where, problems)


def _text(value: object) -> object:
    """Whole numbers are text as they stand; other plain values may not be what was written (`1.10`, `true`)."""
    if isinstance(value, bool | float):
        raise ValueError(f"expected text; got {value!r}; put it in quotes")
    return str(value) if isinstance(value, int) else value


Text = Annotated[str, BeforeValidator(_text)]
"""A string of a file; a whole number is taken as written."""


def parse(model: type[_Model], document: Document, problems: Problems, key: Key = ()) -> _Model | None:
    """Check a document, or the part of it at `key`, against a schema.

    Args:
        model: The schema; unknown keys must be forbidden by it.
        document: What to check.
        problems: Takes everything that is wrong.
        key: Path of the part.

    Returns:
        The checked values, or None where something is wrong.
    """
    content = document.content
    for part in key:
        content = content[part]
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            location = (*key, *item["loc"])
            problems.add(document.place(location), _message(model, item, location))
        return None


def _message(model: type[BaseModel], item: Mapping[str, Any], location: Key) -> str:
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    match item["type"]:
        case "extra_forbidden":
            section = _section(model, item["loc"][:-1])
            known = [field.alias or key for key, field in section.model_fields.items()]
            return f"unknown key {name!r}{meant(str(location[-1]), known) or f'; known are {listed(known, 30)}'}"
        case "missing":
            return f"{name!r} is missing; add it"
        case "value_error":
            return f"{name or 'content'}: {item['ctx']['error']}"
        case "enum" | "literal_error":
            return f"{name}: expected {item['ctx']['expected']}; got {quoted(item['input'])}"
        case _:
            message = str(item["msg"])
            return f"{name or 'content'}: {message[0].lower()}{message[1:]}; got {quoted(item['input'])}"


def _section(model: type[BaseModel], location: Key) -> type[BaseModel]:
    """The schema of a nested part, as far as it can be followed."""
    for part in location:
        if part in model.model_fields:
            model = _nested(model.model_fields[str(part)].annotation) or model
    return model


def _nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for item in get_args(annotation) if (found := _nested(item)) is not None), None)


def resolve_path(text: str, base: Path) -> Path:
    """A path as a user writes it: `~` is the home folder, and a relative path starts from `base`."""
    return base / Path(text).expanduser()
