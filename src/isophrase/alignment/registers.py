"""Registers: frames that put a wording into another manner without changing what it asks, or that turn it round.

Knows template text. Does not know tasks or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from isophrase.sources.documents import read_yaml
from isophrase.types import Instruction

_PLACE = re.compile(r"\{\{\s*instruction\s*\}\}")


@dataclass(frozen=True, slots=True)
class Register:
    """A frame around a wording.

    Attributes:
        id: Its name.
        template: Text with `{{ instruction }}` once.
        labels: Whether it speaks of a label or of a single word, so that it fits tasks with options alone.
        inverts: Whether it asks for an answer that is wrong otherwise.
    """

    id: str
    template: str
    labels: bool = False
    inverts: bool = False


def wrap(instruction: Instruction, register: Register) -> Instruction:
    """The instruction in a register; registers can be wrapped around one another."""
    text = _PLACE.sub(lambda _: instruction.template, register.template, count=1)
    return replace(instruction, id=f"{instruction.id}+{register.id}", template=text)


@cache
def bundled_registers() -> Sequence[Register]:
    """The project's own registers for training; none is in the manner of a development or test wording."""
    content = read_yaml(files("isophrase.data") / "testbed" / "wrappers.yaml").content
    return tuple(
        Register(item["id"], item["template"], item.get("labels", False), item.get("inverts", False))
        for item in content["wrappers"]
    )
