"""Isophrase: how much do a language model's answers depend on the wording of the instruction?

The public names. They are imported when they are first used, so that `import isophrase` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from isophrase.api.alignment import align, tune, verify
    from isophrase.api.check import CheckRequest, check_prompt
    from isophrase.api.comparing import compare_runs
    from isophrase.api.distances import measure_distances
    from isophrase.api.lint import lint_findings
    from isophrase.api.paraphrase import rephrase
    from isophrase.api.runs import evaluate, fetch, get_model, load_experiment, read, write_report
    from isophrase.errors import IsophraseError
    from isophrase.sources.resolve import load_instruction_set
    from isophrase.types import Example, Instruction, InstructionSet, ModelSpec, Task

_HOMES = {
    "CheckRequest": "api.check",
    "Example": "types",
    "Instruction": "types",
    "InstructionSet": "types",
    "IsophraseError": "errors",
    "ModelSpec": "types",
    "Task": "types",
    "align": "api.alignment",
    "check_prompt": "api.check",
    "compare_runs": "api.comparing",
    "evaluate": "api.runs",
    "fetch": "api.runs",
    "get_model": "api.runs",
    "lint_findings": "api.lint",
    "load_experiment": "api.runs",
    "load_instruction_set": "sources.resolve",
    "measure_distances": "api.distances",
    "read": "api.runs",
    "rephrase": "api.paraphrase",
    "tune": "api.alignment",
    "verify": "api.alignment",
    "write_report": "api.runs",
}

__all__ = [
    "CheckRequest",
    "Example",
    "Instruction",
    "InstructionSet",
    "IsophraseError",
    "ModelSpec",
    "Task",
    "align",
    "check_prompt",
    "compare_runs",
    "evaluate",
    "fetch",
    "get_model",
    "lint_findings",
    "load_experiment",
    "load_instruction_set",
    "measure_distances",
    "read",
    "rephrase",
    "tune",
    "verify",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'isophrase' has no attribute {name!r}")
    return getattr(importlib.import_module(f"isophrase.{_HOMES[name]}"), name)
