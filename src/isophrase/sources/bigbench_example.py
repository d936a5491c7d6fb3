"""One example of a BIG-bench task: its choices, what is right, and the prompt that BIG-bench would show.

Knows the rules of BIG-bench 1.0.0 for one example. Does not know files or tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from isophrase.types import Example

CHOICE_SEED = 42
"""BIG-bench's default random seed; it lists the choices of every example in the order that this seed gives."""


class LeftOutError(ValueError):
    """Why an example can't be used; caught inside this package."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The settings of a task that make a prompt of an example.

    Attributes:
        task_prefix: Stands before everything, once.
        input_prefix: Stands before the input.
        output_prefix: Stands between input (with its choices) and answer.
        choice_prefix: Stands before each listed choice.
        append_choices: Whether the choices are listed after the input.
        separator: Stands between two exemplars.
    """

    task_prefix: str = ""
    input_prefix: str = "\nQ: "
    output_prefix: str = "\nA: "
    choice_prefix: str = "\n  choice: "
    append_choices: bool = True
    separator: str = "\n"


def read_example(entry: Any, identifier: str, frame: Frame, choices: bool) -> Example:
    """An example of a task.

    Options stand in the order in which BIG-bench lists them, without surrounding white space (some end with a line
    break); the field `native` has them as they are. Right are all options with the highest score.

    Args:
        entry: The entry of `examples`.
        identifier: Its number.
        frame: The task's settings.
        choices: Whether the task offers choices; else it is generation.

    Raises:
        LeftOutError: The entry can't be used.
    """
    if not isinstance(entry, dict):
        raise LeftOutError("not an object")
    question = entry.get("input")
    if not isinstance(question, str):
        raise LeftOutError("without an `input` text")
    if not choices:
        fields = _fields(question, (), frame)
        return Example(identifier, fields, references=_references(entry.get("target")))
    scores = _scores(entry.get("target_scores"))
    listed = listing_order(tuple(scores))
    options = tuple(choice.strip() for choice in listed)
    if not all(options):
        raise LeftOutError("a choice is empty")
    if len(set(options)) < len(options):
        raise LeftOutError("two choices differ in white space only")
    best = max(scores.values())
    gold = tuple(index for index, choice in enumerate(listed) if scores[choice] == best)
    return Example(identifier, _fields(question, listed, frame), options, gold)


@lru_cache(maxsize=256)
def _permutation(count: int) -> tuple[int, ...]:
    import numpy as np

    return tuple(np.random.RandomState(CHOICE_SEED).permutation(count).tolist())


def listing_order(choices: tuple[str, ...]) -> tuple[str, ...]:
    """The choices in the order in which BIG-bench lists them: sorted, then permuted by a freshly seeded generator."""
    ordered = sorted(choices)
    return tuple(ordered[index] for index in _permutation(len(ordered)))


def _fields(question: str, listed: tuple[str, ...], frame: Frame) -> Mapping[str, str]:
    choices = "".join(frame.choice_prefix + choice for choice in listed) if frame.append_choices else ""
    native = frame.task_prefix + frame.input_prefix + question + choices + frame.output_prefix
    return {"input": question, "task_prefix": frame.task_prefix, "native": native}


def _scores(scores: Any) -> Mapping[str, float]:
    if scores is None:
        raise LeftOutError("without `target_scores`, which other examples have")
    if not isinstance(scores, dict) or not scores:
        raise LeftOutError("`target_scores` is not an object of choices with scores")
    if not all(isinstance(score, int | float) for score in scores.values()):
        raise LeftOutError("a score is not a number")
    if max(scores.values()) <= 0:
        raise LeftOutError("no choice has a score above 0")
    if len(scores) == 1:
        raise LeftOutError("only one choice")
    if min(scores.values()) == max(scores.values()):
        raise LeftOutError("all choices have the same score")
    return scores


def _references(target: Any) -> tuple[str, ...]:
    texts = target if isinstance(target, list) else [target]
    usable = [str(text).strip() for text in texts if isinstance(text, str | int | float)]
    references = tuple(dict.fromkeys(text for text in usable if text))
    if not references:
        raise LeftOutError("without a `target` text")
    return references
