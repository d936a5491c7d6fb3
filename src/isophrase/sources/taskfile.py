"""The keys of a task file: which columns of a table make the fields, options and labels of a task.

Knows the schema and what its keys mean together. Does not read the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from isophrase.sources.documents import Document, Text, parse
from isophrase.sources.problems import Problems, listed, quoted
from isophrase.types import Metric, Split, TaskKind

RESERVED_FIELDS = frozenset({"options", "option_list", "option", "letter", "index"})
"""Names that templates use for something else."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"


class LabelType(StrEnum):
    """How a label names the right option."""

    TEXT = "text"
    """The option's text: exactly, or apart from case and surrounding blanks."""
    INDEX = "index"
    """Its position, counted from 0."""
    LETTER = "letter"
    """A letter, A being the first option."""


@dataclass(frozen=True, slots=True)
class OptionSource:
    """Where the options of an example come from; exactly one attribute is set.

    Attributes:
        fixed: The same texts for every example.
        column: A column that holds a list.
        columns: Columns that hold one option each.
    """

    fixed: tuple[str, ...] = ()
    column: str = ""
    columns: tuple[str, ...] = ()


class HubData(BaseModel):
    """A data set of the Hugging Face hub, or a folder.

    Attributes:
        dataset: A hub id or a folder.
        subset: The data set's configuration.
        revision: A hub revision.
        splits: For each split here, the data set's split (`validation`, `train[:50]`) that fills it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Annotated[Text, Field(min_length=1)]
    subset: Text | None = None
    revision: Text | None = None
    splits: dict[Split, Text] = Field(default={Split.TEST: "test"}, min_length=1)


class TaskFile(BaseModel):
    """The content of a task file; docs/data-formats.md tells each key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Text, Field(pattern=NAME_PATTERN)]
    version: Text = "1"
    kind: TaskKind
    metric: Metric | None = None
    description: Text = ""
    origin: Text = ""
    data: Text | None = None
    hf: HubData | None = None
    fields: dict[str, str]
    label: Annotated[Text, Field(min_length=1)]
    label_type: LabelType | None = None
    options: OptionSource | None = None
    id: Text | None = None
    split: Text | None = None
    exemplars: Annotated[int, Field(ge=0)] = 0
    seed: int = 0
    bad_rows: Literal["error", "skip"] = "error"

    @field_validator("hf", mode="before")
    @classmethod
    def _hub_data(cls, value: Any) -> Any:
        return {"dataset": value} if isinstance(value, str) else value

    @field_validator("fields", mode="plain")
    @classmethod
    def _fields(cls, value: Any) -> dict[str, str]:
        if isinstance(value, list):
            value = {item: item for item in value if isinstance(item, str)} if _texts(value) else None
        if not isinstance(value, dict) or not value or not _texts([*value, *value.values()]):
            raise ValueError("expected `{field: column, …}` or a list of columns, at least one")
        for name in value:
            if not name.isidentifier():
                raise ValueError(f"a template can't name the field {name!r}; use letters, digits and _")
            if name in RESERVED_FIELDS:
                raise ValueError(f"the field name {name!r} is reserved for templates; choose another")
        return {str(name): str(column) for name, column in value.items()}

    @field_validator("options", mode="plain")
    @classmethod
    def _options(cls, value: Any) -> OptionSource:
        if isinstance(value, OptionSource):
            return value
        if isinstance(value, str) and value:
            return OptionSource(column=value)
        if isinstance(value, dict) and set(value) == {"columns"} and _texts(value["columns"], at_least=2):
            return OptionSource(columns=tuple(value["columns"]))
        if isinstance(value, list) and not any(isinstance(item, bool | float) for item in value):
            texts = [str(item).strip() if isinstance(item, str | int) else "" for item in value]
            if len(texts) > 1 and all(texts):
                if len(set(texts)) < len(texts):
                    raise ValueError(f"an option is listed twice in {quoted(texts)}")
                return OptionSource(fixed=tuple(texts))
        raise ValueError(
            "expected at least two texts (quote `true`, `false` and decimals), the name of a column that holds a list, "
            f"or `{{columns: [a, b, …]}}`; got {quoted(value)}"
        )

    def columns(self) -> Iterator[tuple[str, str]]:
        """Each key that names a column, with the column."""
        for name, column in self.fields.items():
            yield f"fields.{name}", column
        yield "label", self.label
        if self.options:
            for column in filter(None, (self.options.column, *self.options.columns)):
                yield "options", column
        for key, optional in (("id", self.id), ("split", self.split)):
            if optional is not None:
                yield key, optional


def _texts(value: Any, at_least: int = 1) -> bool:
    return isinstance(value, list) and len(value) >= at_least and all(isinstance(item, str) and item for item in value)


def parse_task_file(document: Document, problems: Problems) -> TaskFile | None:
    """Check the content of a task file.

    Args:
        document: The mapping, read from a file or given inline.
        problems: Takes everything that is wrong.

    Returns:
        The checked content with its metric filled in, or None where something is wrong.
    """
    file = parse(TaskFile, document, problems)
    if file is None:
        return None
    if file.metric is None:
        metric = Metric.EXACT_MATCH if file.kind is TaskKind.GENERATION else Metric.ACCURACY
        file = file.model_copy(update={"metric": metric})
    before = len(problems)
    for key, text in _contradictions(file):
        problems.add(document.place((key,)), text)
    return file if len(problems) == before else None


def _contradictions(file: TaskFile) -> Iterator[tuple[str, str]]:
    """What each key allows, but not all of them together."""
    generation = file.kind is TaskKind.GENERATION
    if (file.data is None) == (file.hf is None):
        yield "data", "give either `data` (a file) or `hf` (a data set), and not both"
    if generation and file.options:
        yield "options", "a generation task has no options; remove the key, or choose another `kind`"
    if not generation and not file.options and not file.hf:
        yield "kind", f"a {file.kind.value} task needs `options`; add the key"
    if generation and file.label_type:
        yield "label_type", "the labels of a generation task are its reference texts; remove the key"
    if (file.metric is Metric.ACCURACY) == generation:
        allowed = [Metric.EXACT_MATCH, Metric.TOKEN_F1] if generation else [Metric.ACCURACY]
        yield "metric", f"a {file.kind.value} task is measured by {listed(item.value for item in allowed)}; choose that"
    if file.options and file.options.fixed and file.label_type is LabelType.LETTER:
        yield "label_type", "labels are letters only where each row has its own options; use `text` or `index`"
    if file.hf and file.split:
        yield "split", "the splits of a data set are chosen with `hf: {splits: …}`; remove the key"
