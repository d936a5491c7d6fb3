"""Which wordings a model has seen in instruction tuning, and which wording each one re-phrases.

Knows what a model says it was trained on. Observed is a relation between a wording and a model, never a label.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isophrase.types import Instruction, Role


def template_digest(instruction: Instruction) -> str:
    """The sha256 of a template's text: how `trained_on` names a single wording."""
    return hashlib.sha256(instruction.template.encode()).hexdigest()


def observed_rows(instructions: Sequence[Instruction], trained_on: frozenset[str] | None) -> NDArray[np.bool_] | None:
    """For each instruction, whether its collection or its template's digest is in `trained_on`.

    Returns:
        Shape (instructions,); None where nothing is known of the model's training.
    """
    if trained_on is None:
        return None
    seen = [item.collection in trained_on or template_digest(item) in trained_on for item in instructions]
    return np.array(seen, dtype=np.bool_)


def reference_rows(instructions: Sequence[Instruction]) -> tuple[int, ...]:
    """For each instruction the row of the one that it re-phrases: the one it names, else the first reference.

    Returns:
        -1 for a reference, and where there is none.
    """
    rows = {item.id: row for row, item in enumerate(instructions)}
    first = next((row for row, item in enumerate(instructions) if item.role is Role.REFERENCE), -1)
    return tuple(-1 if item.role is Role.REFERENCE else rows.get(item.reference or "", first) for item in instructions)
