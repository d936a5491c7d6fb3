"""How a task's examples are divided into training, development and test where its data does not say it all.

Knows examples by their content: copies of one stay on one side. Does not know wordings or files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from isophrase.alignment.sampling import Material
from isophrase.alignment.wordings import Wordings
from isophrase.errors import ConfigError
from isophrase.types import Example, Split, Task

INPUT_SHARES = ((Split.TRAIN, 0.4), (Split.DEV, 0.15))
"""How the test examples of a task without train examples are divided; the rest stays for testing."""
_DEV_ONE_IN = 5
"""One in so many train examples is for development where the task has none for it."""

Content = tuple[tuple[tuple[str, str], ...], tuple[str, ...]]


def material_of(
    task: Task, wordings: Wordings, seed: int, *, weight: float = 1.0, limit: int | None = None, tested: bool = True
) -> Material:
    """A task with its examples divided; one without train examples gives some of its test examples, seeded.

    Every part is in the order of a seeded hash: its first so many are like the whole, however the data is sorted.

    Args:
        task: The task, without copies of its train examples in other splits (`without_copies`).
        wordings: Its wordings by purpose.
        seed: Of the division and the order.
        weight: Relative probability of being drawn.
        limit: At most so many train examples.
        tested: Whether it is an error if nothing is left for testing.

    Raises:
        ConfigError: There are too few examples.
    """
    parts = {split: list(task.split(split)) for split in (Split.TRAIN, Split.DEV, Split.TEST)}
    salt = f"{seed}\0{task.name}"
    if not parts[Split.TRAIN]:
        given, parts[Split.TEST] = parts[Split.TEST], []
        counts = {split: round(share * len(given)) for split, share in INPUT_SHARES}
        for group in _groups(given, salt):
            part = next((split for split in counts if len(parts[split]) < counts[split]), Split.TEST)
            parts[part] += group
    if not parts[Split.DEV]:
        # Looks at development inputs are about what is right: those without a label can't be among them.
        known = any(all(item.labelled for item in group) for group in _groups(parts[Split.TRAIN], salt))
        source = Split.TRAIN if known else Split.TEST
        given, parts[source] = parts[source], []
        count = max(1, sum(item.labelled for item in given) // _DEV_ONE_IN)
        for group in _groups(given, salt):
            wanted = len(parts[Split.DEV]) < count and all(item.labelled for item in group)
            parts[Split.DEV if wanted else source] += group
    if not parts[Split.TRAIN] or (tested and not parts[Split.TEST]):
        raise ConfigError(
            f"train and test examples in task {task.name!r}",
            got=f"{len(parts[Split.TRAIN])} and {len(parts[Split.TEST])}",
            remedy="give the task more examples that are no copies of one another, or a `split` column",
        )  # fmt: skip
    kept = [
        replace(item, split=split)
        for split, items in parts.items()
        for item in sorted(items, key=lambda item: _rank(item, salt))[: limit if split is Split.TRAIN else None]
    ]
    divided = replace(task, examples=tuple(kept))
    return Material(divided, wordings, divided.split(Split.TRAIN), divided.split(Split.DEV), weight)


def mixed(examples: Sequence[Example], task: str, seed: int) -> tuple[Example, ...]:
    """Examples in the order of a seeded hash."""
    return tuple(sorted(examples, key=lambda item: _rank(item, f"{seed}\0{task}")))


def without_copies(task: Task) -> tuple[Task, tuple[str, ...]]:
    """A task whose data has splits, less the test and development examples that training would show the answer to.

    Returns:
        The task, and a line for each split that something was left out of.
    """
    seen: set[Content] = set()
    left_out: set[str] = set()
    notes = []
    for split in (Split.TRAIN, Split.DEV, Split.TEST):
        items = task.split(split)
        copies = [item for item in items if content_of(item) in seen]
        seen |= {content_of(item) for item in items}
        left_out |= {item.id for item in copies}
        if copies:
            other = "train" if split is Split.DEV else "train or dev"
            notes.append(
                f"{task.name}: {len(copies)} of {len(items)} {split.value} examples left out, copies of {other} "
                f"examples (first: {copies[0].id})"
            )
    return replace(task, examples=tuple(item for item in task.examples if item.id not in left_out)), tuple(notes)


def content_of(example: Example) -> Content:
    """What is asked, whatever counts as right: the same question with another answer is a copy too."""
    return tuple(sorted(example.fields.items())), example.options


def _groups(examples: Sequence[Example], salt: str) -> list[list[Example]]:
    """Examples in the order of a seeded hash, copies of one together."""
    groups: dict[Content, list[Example]] = {}
    for item in sorted(examples, key=lambda item: _rank(item, salt)):
        groups.setdefault(content_of(item), []).append(item)
    return list(groups.values())


def _rank(example: Example, salt: str) -> bytes:
    return hashlib.sha256(f"{salt}\0{example.id}".encode()).digest()
