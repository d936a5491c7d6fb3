"""Isophrase: how much do a language model's answers depend on the wording of the instruction?

The public names. They are imported when they are first used, so that `import isophrase` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from isophrase.api.comparing import compare_runs
    from isophrase.api.distances import measure_distances
    from isophrase.api.runs import evaluate, fetch, get_model, load_experiment, read, write_report
    from isophrase.errors import IsophraseError
    from isophrase.types import Example, Instruction, InstructionSet, ModelSpec, Task

_HOMES = {
    "Example": "types",
    "Instruction": "types",
    "InstructionSet": "types",
    "IsophraseError": "errors",
    "ModelSpec": "types",
    "Task": "types",
    "compare_runs": "api.comparing",
    "evaluate": "api.runs",
    "fetch": "api.runs",
    "get_model": "api.runs",
    "load_experiment": "api.runs",
    "measure_distances": "api.distances",
    "read": "api.runs",
    "write_report": "api.runs",
}

__all__ = [
    "Example",
    "Instruction",
    "InstructionSet",
    "IsophraseError",
    "ModelSpec",
    "Task",
    "compare_runs",
    "evaluate",
    "fetch",
    "get_model",
    "load_experiment",
    "measure_distances",
    "read",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'isophrase' has no attribute {name!r}")
    return getattr(importlib.import_module(f"isophrase.{_HOMES[name]}"), name)
