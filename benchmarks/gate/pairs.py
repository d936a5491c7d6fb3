"""The pairs of the gate benchmark: references with true re-phrasings and damaged ones."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from isophrase.paraphrase.pair import Pair
from isophrase.types import Instruction, OutputForm

HALVES = ("development", "held-out")
SAME = "same"
KINDS = (SAME, "negation", "swapped-labels", "lost-slot", "changed-task", "changed-language", "changed-form")


@dataclass(frozen=True, slots=True)
class Case:
    """One pair and what was done to its candidate (`same`: nothing)."""

    kind: str
    pair: Pair


def read_cases(half: str) -> list[Case]:
    """All pairs of one half."""
    file = files("benchmarks.gate") / f"pairs-{half}.yaml"
    bases = _bases(file.read_text(encoding="utf-8"))
    return [
        Case(kind, _pair(base, kind, number, template))
        for base in bases
        for kind in KINDS
        for number, template in enumerate(base[kind], start=1)
    ]


def _bases(text: str) -> list[dict]:
    import yaml

    return yaml.safe_load(text)


def _pair(base: dict, kind: str, number: int, template: str) -> Pair:
    form = OutputForm(base["form"])
    return Pair(
        Instruction(base["id"], base["reference"], "reference", form, base["language"]),
        Instruction(f"{base['id']}-{kind}-{number}", template, "candidate", form, base["language"]),
        tuple(base["labels"]),
    )
