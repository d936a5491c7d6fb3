"""The state of a training on disk: written whole, read back exactly.

Knows one file. Does not know what is trained.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from isophrase.errors import StoreError
from isophrase.files import write_atomically


@dataclass(frozen=True)
class Checkpoint:
    """All that training carries from step to step.

    Attributes:
        step: Finished optimiser steps.
        weights: The trained weights, in the optimiser's order.
        optimiser: The optimiser's state.
        groups: Weights of wording groups, or None.
        steps: What is recorded of the finished steps.
        looks: What those who watch carry on.
    """

    step: int
    weights: list[Tensor]
    optimiser: dict[str, Any]
    groups: Tensor | None
    steps: list[dict[str, Any]]
    looks: list[dict[str, Any]]


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Replace the checkpoint at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    torch.save(vars(state), content)
    write_atomically(path, content.getvalue())


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint at a path; None where there is none.

    Raises:
        StoreError: It can't be read.
    """
    if not path.exists():
        return None
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch.load raises what zipfile, pickle and the constructor raise
        raise StoreError(
            "a checkpoint of this version", got=f"{type(error).__name__} reading {path}",
            remedy="delete it: training begins anew",
        ) from error  # fmt: skip
