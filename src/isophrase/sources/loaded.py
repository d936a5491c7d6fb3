"""What every loader is asked and what it gives: the seam between a task reference and a source of tasks.

Knows requests, results, and the reservation of exemplars. Does not know any file format.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from isophrase.types import Example, InstructionSet, Split, Task


@dataclass(frozen=True, slots=True)
class Request:
    """A task reference, taken apart.

    Attributes:
        name: What to load, as its source names it: a task, a subject, a data set, a path.
        options: Further keys of a reference that was given as a mapping.
        base: The folder that relative paths start from.
        folder: Where a benchmark's data lies, or None for the cache.
        cache: The cache folder.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    base: Path = Path()
    folder: Path | None = None
    cache: Path = Path()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A task as its source gives it.

    Attributes:
        task: The task.
        instruction_sets: Instructions that come with it.
        notes: What a reader of results should know: examples left out and why, settings read in a certain way.
    """

    task: Task
    instruction_sets: tuple[InstructionSet, ...] = ()
    notes: tuple[str, ...] = ()


Loader = Callable[[Request], tuple[Loaded, ...]]
"""A source of tasks. Raises SourceError (or ManyErrors) for whatever the user can mend."""


def reserve_exemplars(examples: Sequence[Example], count: int, seed: int) -> tuple[Example, ...]:
    """Turn `count` test examples into exemplars, chosen by the sha256 of seed and id.

    The choice does not depend on the order of the examples, and a larger count contains a smaller one's choice. An
    example whose content occurs more than once is never chosen, since its twin would be scored. Where fewer than
    `count` can be chosen, all of them are; the caller checks.

    Returns:
        All examples in their order.
    """
    contents = Counter(_content(example) for example in examples)
    free = [item for item in examples if item.split is Split.TEST and contents[_content(item)] == 1]
    ranked = sorted(free, key=lambda item: hashlib.sha256(f"{seed}\0{item.id}".encode()).digest())
    chosen = {item.id for item in ranked[:count]}
    return tuple(replace(item, split=Split.EXEMPLAR) if item.id in chosen else item for item in examples)


def repeated(examples: Sequence[Example]) -> list[Example]:
    """The examples whose fields and options are those of an earlier one."""
    seen: set[Any] = set()
    twins = []
    for example in examples:
        content = _content(example)
        if content in seen:
            twins.append(example)
        seen.add(content)
    return twins


def _content(example: Example) -> tuple[Any, ...]:
    return (*sorted(example.fields.items()), *example.options)
