"""Instruction sets written as YAML, the way a person would write them.

Knows the schema that `instructions.py` reads. What is written here is read there as the same set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import yaml

from isophrase.files import write_atomically
from isophrase.types import Instruction, InstructionSet, plain

_DEFAULTS = {item.name: item.default for item in fields(Instruction) if item.default is not MISSING}


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, with texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    block = "\n" in value and not any(line != line.rstrip() for line in value.split("\n"))
    style = "|" if block else '"' if _needs_quotes(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _needs_quotes(value: str) -> bool:
    """Whether YAML 1.2 or 1.1 would read a plain text as something else."""
    return value.lower() in ("yes", "no", "on", "off", "true", "false", "null", "~", "y", "n") or "\n" in value


_Dumper.add_representer(str, _text)


def instruction_set_yaml(instructions: InstructionSet) -> str:
    """A set as the text of a YAML file."""
    content: dict[str, Any] = {"name": instructions.name, "version": instructions.version}
    if instructions.tasks:
        content["tasks"] = list(instructions.tasks)
    if instructions.origin:
        content["origin"] = instructions.origin
    content["instructions"] = [_entry(item) for item in instructions.instructions]
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def write_instruction_set(path: Path, instructions: InstructionSet) -> None:
    """Write a set to a .yaml file, whole or not at all."""
    write_atomically(path, instruction_set_yaml(instructions).encode())


def _entry(item: Instruction) -> Mapping[str, Any]:
    values = {item_field.name: getattr(item, item_field.name) for item_field in fields(item)}
    kept = {name: plain(value) for name, value in values.items() if name not in _DEFAULTS or value != _DEFAULTS[name]}
    return {**{name: value for name, value in kept.items() if name != "template"}, "template": item.template}
