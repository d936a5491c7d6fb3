"""Which wordings a model has seen in instruction tuning.

Knows what a model says it was trained on. Observed is a relation between a wording and a model, never a label.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isophrase.types import Instruction


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
