"""From the rows of a table and a task file to a Task.

Knows how columns become fields, options, gold, ids and splits, and names each row that can't be used. Does not know
where the rows come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from isophrase.errors import SourceError
from isophrase.sources.documents import Document
from isophrase.sources.labels import BadLabelError, Labelled, as_list, choose_label_type, gold_of, is_missing
from isophrase.sources.loaded import Loaded, repeated, reserve_exemplars
from isophrase.sources.problems import Problems, listed, meant, quoted
from isophrase.sources.tables import Row, Table
from isophrase.sources.taskfile import OptionSource, TaskFile
from isophrase.types import Example, Metric, Split, Task, TaskKind

Complain = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Draft:
    """An example without its gold, with what becomes it."""

    place: str
    example: Example
    label: Any
    has_split: bool


def build_task(file: TaskFile, table: Table, document: Document, problems: Problems) -> Loaded:
    """Make a task of a table.

    Args:
        file: What the columns mean.
        table: The rows.
        document: The task file, for the places of its keys.
        problems: What is already known to be wrong.

    Raises:
        ManyErrors: All problems of file and table.
        SourceError: No row is left to score.
    """
    for key, column in file.columns():
        if table.rows and column not in table.columns:
            problems.add(
                document.place(tuple(key.split("."))),
                f"{key}: {table.where} has no column {column!r}{meant(column, table.columns)}; "
                f"it has {listed(table.columns)}",
            )
    problems.check()
    bad_rows = Problems(table.where) if file.bad_rows == "skip" else problems
    drafts = [draft for number, row in enumerate(table.rows, start=1) if (draft := _draft(row, number, file, bad_rows))]
    drafts = list(_distinct_ids(drafts, problems))
    pairs = [(draft, example) for draft, example in _with_gold(drafts, file, bad_rows, problems)]
    _same_options(file, pairs, problems)
    examples = _reserve(file, pairs, document, problems)
    problems.check()
    notes = []
    if bad_rows is not problems and len(bad_rows):
        notes.append("left out: " + "; ".join(bad_rows.shown()))
    if unlabelled := [draft.place for draft, example in pairs if example.options and not example.gold]:
        notes.append(f"{len(unlabelled)} train rows have no label: only training that needs none can use them")
    twins = {item.id for item in repeated(examples)}
    if twins:
        places = listed([draft.place for draft, example in pairs if example.id in twins], 5)
        notes.append(f"rows that repeat the fields and options of an earlier row: {places}")
    if not any(item.split is not Split.EXEMPLAR for item in examples):
        raise SourceError(
            "at least one row to score", got=f"none in {table.where}", remedy="add rows, or reserve fewer exemplars"
        )
    task = Task(
        file.name, file.version, file.kind, file.metric or Metric.ACCURACY, examples, file.description, file.origin
    )
    return Loaded(task, notes=tuple(notes))


def _draft(row: Row, number: int, file: TaskFile, problems: Problems) -> _Draft | None:
    """What one row says, or None where something is wrong with it."""
    before = len(problems)

    def complain(text: str) -> None:
        problems.add(row.place, text)

    fields = {name: _text(row, column, complain) for name, column in file.fields.items()}
    identifier = _text(row, file.id, complain).strip() if file.id else row.id or str(number)
    if not identifier:
        complain(f"column {file.id!r} is empty; give an id")
    options = _options(row, file.options, complain) if file.options else ()
    split = _split(row, file, complain)
    label = row.values.get(file.label)
    references = tuple(_references(label, complain)) if file.kind is TaskKind.GENERATION else ()
    if len(problems) > before:
        return None
    example = Example(identifier, fields, options, references=references, split=split or Split.TEST)
    # A data set's own split is no obstacle to reserving exemplars among its test rows; the user's `split` column is.
    return _Draft(row.place, example, label, file.split is not None and split is not None)


def _text(row: Row, column: str, complain: Complain) -> str:
    try:
        return as_text(row.values.get(column))
    except ValueError as error:
        complain(f"column {column!r} {error}")
        return "?"


def as_text(value: Any) -> str:
    """A cell as text.

    Raises:
        ValueError: It is missing, not a number, or holds several values.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise ValueError("has no value; fill it")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | dict | set | bytes):
        raise ValueError(f"holds {quoted(value)}, which is not one text; map another column")
    return str(value)


def _options(row: Row, source: OptionSource, complain: Complain) -> tuple[str, ...]:
    if source.fixed:
        return source.fixed
    if source.columns:
        texts = [_text(row, column, complain).strip() for column in source.columns]
    else:
        value = row.values.get(source.column)
        several = as_list(value)
        if several is None:
            complain(f"column {source.column!r} holds {quoted(value)}; expected a list of options")
            return ("?",)
        try:
            texts = [as_text(item).strip() for item in several]
        except ValueError as error:
            complain(f"an option in column {source.column!r} {error}")
            return ("?",)
    if len(texts) < 2:
        complain(f"{len(texts)} option{'s' if len(texts) != 1 else ''}; give at least two")
    if not all(texts):
        complain("an option is empty; fill it, or leave the row out")
    elif len(set(texts)) < len(texts):
        complain(f"two options are the same: {quoted(texts)}; make them differ")
    return tuple(texts)


def _split(row: Row, file: TaskFile, complain: Complain) -> Split | None:
    value = row.values.get(file.split) if file.split else row.split
    if value is None or isinstance(value, Split) or value == "":
        return value or None
    try:
        return Split(str(value).strip())
    except ValueError:
        complain(f"split {quoted(value)}; use {listed(item.value for item in Split)}, or leave it empty")
        return None


def _references(label: Any, complain: Complain) -> Iterator[str]:
    several = as_list(label)
    for item in [label] if several is None else several:
        try:
            text = as_text(item).strip()
        except ValueError as error:
            complain(f"label {error}")
        else:
            if text:
                yield text
            else:
                complain("label is empty; give a reference text")
    if several == []:
        complain("label is an empty list; give a reference text")


def _distinct_ids(drafts: Sequence[_Draft], problems: Problems) -> Iterator[_Draft]:
    first: dict[str, str] = {}
    for draft in drafts:
        identifier = draft.example.id
        if identifier in first:
            problems.add(draft.place, f"id {identifier!r} is already used at {first[identifier]}; make ids unique")
        else:
            first[identifier] = draft.place
            yield draft


def _with_gold(
    drafts: Sequence[_Draft], file: TaskFile, bad_rows: Problems, problems: Problems
) -> Iterator[tuple[_Draft, Example]]:
    if file.kind is TaskKind.GENERATION:
        yield from ((draft, draft.example) for draft in drafts)
        return
    label_type = file.label_type
    if label_type is None:
        labelled = [
            Labelled(draft.place, draft.label, draft.example.options) for draft in drafts if not _unlabelled(draft)
        ]
        own_options = file.options is not None and not file.options.fixed
        try:
            label_type = choose_label_type(labelled, letters=own_options)
        except BadLabelError as error:
            problems.add("", str(error))
            return
    for draft in drafts:
        if _unlabelled(draft):
            yield draft, draft.example
            continue
        try:
            gold = gold_of(draft.label, draft.example.options, label_type)
        except BadLabelError as error:
            bad_rows.add(draft.place, str(error))
        else:
            yield draft, replace(draft.example, gold=gold)


def _unlabelled(draft: _Draft) -> bool:
    """Whether a row is a train row without a label: nothing is scored on it, and some methods need none."""
    return draft.example.split is Split.TRAIN and is_missing(draft.label)


def _same_options(file: TaskFile, pairs: Sequence[tuple[_Draft, Example]], problems: Problems) -> None:
    if file.kind is not TaskKind.CLASSIFICATION or not pairs:
        return
    expected = pairs[0][1].options
    for draft, example in pairs:
        if example.options != expected:
            problems.add(
                draft.place,
                f"options {quoted(example.options)} differ from {quoted(expected)} at {pairs[0][0].place}; "
                "use `kind: multiple_choice`",
            )


def _reserve(
    file: TaskFile, pairs: Sequence[tuple[_Draft, Example]], document: Document, problems: Problems
) -> tuple[Example, ...]:
    examples = tuple(example for _, example in pairs)
    if not file.exemplars or len(problems):
        return examples
    free = [example for draft, example in pairs if not draft.has_split]
    reserved = {item.id: item for item in reserve_exemplars(free, file.exemplars, file.seed)}
    count = sum(item.split is Split.EXEMPLAR for item in reserved.values())
    if count < file.exemplars:
        problems.add(
            document.place(("exemplars",)),
            f"exemplars: {file.exemplars} asked, but only {count} distinct rows are without a split; ask for fewer",
        )
    return tuple(reserved.get(item.id, item) for item in examples)
