"""Rules before measuring: does a task's data contradict itself?

Knows tasks. Each rule is one function; the table is in `rules.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from isophrase.lint.findings import Finding, Severity
from isophrase.sources.problems import listed
from isophrase.types import Example, Split, Task, TaskKind

_FEW = 10
"""Examples below which nothing is said of a whole task."""


def contradictory_gold(task: Task) -> Iterator[Finding]:
    """The same question is there twice, with different right answers."""
    answers: dict[tuple[object, ...], dict[frozenset[str], str]] = defaultdict(dict)
    for example in (item for item in task.examples if item.labelled):
        key = (*sorted(example.fields.items()), *sorted(example.options))
        answers[key].setdefault(_gold(example), example.id)
    for found in answers.values():
        if len(found) > 1:
            yield Finding(
                "contradictory-gold", Severity.ERROR, task.name,
                f"the examples {listed(map(repr, found.values()))} are the same and have different right answers",
                "correct one, or give both answers to each",
            )  # fmt: skip


def one_gold(task: Task) -> Iterator[Finding]:
    """One and the same option is right in every scored example."""
    scored = task.split(Split.TEST)
    if task.kind is TaskKind.GENERATION or len(scored) < _FEW:
        return
    if task.kind is TaskKind.CLASSIFICATION:
        counts = Counter(example.options[index] for example in scored for index in example.gold)
        what = "the label"
    else:
        counts = Counter("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index % 26] for example in scored for index in example.gold)
        what = "the letter"
    if len(counts) == 1:
        yield Finding(
            "one-gold", Severity.WARNING, task.name,
            f"{what} {next(iter(counts))!r} is right in all {len(scored)} examples",
            "shuffle the options, or take examples of every label",
        )  # fmt: skip


def _gold(example: Example) -> frozenset[str]:
    return frozenset(example.options[index] for index in example.gold) or frozenset(example.references)
