"""From a label as a table has it to the indexes of the right options.

Knows the three ways in which a label names an option, and how to tell which one a table uses. Does not know tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from string import ascii_uppercase
from typing import Any

from isophrase.sources.problems import listed, meant, quoted
from isophrase.sources.taskfile import LabelType


class BadLabelError(ValueError):
    """A label that names no option; caught inside this package."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label with the options that it chooses from."""

    place: str
    label: Any
    options: tuple[str, ...]


def as_list(value: Any) -> list[Any] | None:
    """A cell that holds several values: a list, or a text that is a JSON list (as csv has it); None for any other."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return list(value) if isinstance(value, list | tuple) else None


def is_missing(label: Any) -> bool:
    """Whether a cell holds no label at all."""
    return (
        label is None or (isinstance(label, str) and not label.strip()) or (isinstance(label, float) and isnan(label))
    )


def gold_of(label: Any, options: Sequence[str], label_type: LabelType) -> tuple[int, ...]:
    """The indexes of the right options, ascending.

    Args:
        label: A text, a number, or a list of either; a text may be a JSON list.
        options: The texts to choose from; all differ.
        label_type: How the label names them.

    Raises:
        BadLabelError: It names none, or all of several options.
    """
    items = _items(label, options)
    gold = {_INDEX_OF[label_type](item, options) for item in items}
    if not gold:
        raise BadLabelError("no label; give the right option")
    if len(gold) == len(options):
        raise BadLabelError("every option is labelled right; leave the row out")
    return tuple(sorted(gold))


def choose_label_type(rows: Sequence[Labelled], letters: bool) -> LabelType:
    """The way in which all labels of one table can be read.

    One table has one way, so that a label such as `1` means the same in every row.

    Args:
        rows: The labels with their options.
        letters: Whether labels may be letters.

    Returns:
        The way that reads every row; if none does, the one that reads most.

    Raises:
        BadLabelError: Two ways read every row, and differently.
    """
    ways = [way for way in LabelType if letters or way is not LabelType.LETTER]
    read = {way: [_try(row, way) for row in rows] for way in ways}
    counts = {way: sum(gold is not None for gold in golds) for way, golds in read.items()}
    whole = [way for way in ways if counts[way] == len(rows)]
    for other in whole[1:]:
        for row, left, right in zip(rows, read[whole[0]], read[other], strict=True):
            if left != right:
                raise BadLabelError(
                    f"the labels can be read as {whole[0].value} and as {other.value}, and differ at {row.place} "
                    f"({quoted(row.label)}); say `label_type: {whole[0].value}` or `label_type: {other.value}`"
                )
    return max(ways, key=lambda way: counts[way])


def _try(row: Labelled, way: LabelType) -> tuple[int, ...] | None:
    try:
        return gold_of(row.label, row.options, way)
    except BadLabelError:
        return None


def _items(label: Any, options: Sequence[str]) -> Iterator[Any]:
    several = None if isinstance(label, str) and label in options else as_list(label)
    if several is not None:
        yield from several
    elif label is not None and label != "":
        yield label


def _by_text(item: Any, options: Sequence[str]) -> int:
    text = str(item).lower() if isinstance(item, bool) else str(item)
    if text in options:
        return options.index(text)
    loose = [index for index, option in enumerate(options) if option.strip().casefold() == text.strip().casefold()]
    if len(loose) == 1:
        return loose[0]
    if loose:
        raise BadLabelError(f"label {quoted(text)} fits several options that differ in case only; write it exactly")
    raise BadLabelError(
        f"label {quoted(text)} is not among the options ({listed(map(quoted, options), 6)}){meant(text, options)}"
    )


def _by_index(item: Any, options: Sequence[str]) -> int:
    try:
        index = int(item) if isinstance(item, str | int | float) else None
        whole = index is not None and index == float(item)
    except (ValueError, OverflowError):
        index, whole = None, False
    if index is None:
        raise BadLabelError(f"label {quoted(item)} is not an index; give a whole number") from None
    if not whole or not 0 <= index < len(options):
        raise BadLabelError(f"label {quoted(item)} is not an index from 0 to {len(options) - 1}; count from 0")
    return index


def _by_letter(item: Any, options: Sequence[str]) -> int:
    letter = str(item).strip().upper()
    known = ascii_uppercase[: len(options)]
    if len(letter) != 1 or letter not in known:
        raise BadLabelError(
            f"label {quoted(item)} is not a letter from A to {known[-1]}; give the right option's letter"
        )
    return known.index(letter)


_INDEX_OF = {LabelType.TEXT: _by_text, LabelType.INDEX: _by_index, LabelType.LETTER: _by_letter}
