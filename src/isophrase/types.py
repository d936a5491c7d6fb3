"""The nouns: frozen values that every other module passes on and none changes.

Knows what a task, an instruction, a model, a cell and a score *are*. Does not know how a template is rendered, how a
model computes, or where anything is stored. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class TaskKind(StrEnum):
    """What an answer to the task is."""

    MULTIPLE_CHOICE = "multiple_choice"
    """Options differ from example to example."""
    CLASSIFICATION = "classification"
    """Every example has the same options."""
    GENERATION = "generation"
    """The answer is free text, compared with reference texts."""


class Metric(StrEnum):
    """How an answer becomes a number between 0 and 1."""

    ACCURACY = "accuracy"
    EXACT_MATCH = "exact_match"
    TOKEN_F1 = "token_f1"


class Rule(StrEnum):
    """What is compared between the options of a cell to choose one."""

    SUM = "sum"
    """Sum of log P(token): the probability of the whole answer (Brown et al. 2020, section 2.4)."""
    PER_TOKEN = "per_token"
    """The sum divided by the answer's number of tokens."""
    PER_BYTE = "per_byte"
    """The sum divided by the answer's UTF-8 length: does not depend on the tokenizer (Gao 2021)."""


class OutputForm(StrEnum):
    """What the instruction asks the model to write."""

    LETTER = "letter"
    LABEL = "label"
    TEXT = "text"


class OptionLayout(StrEnum):
    """How `{{ options }}` lists the options inside an instruction."""

    LETTERS = "letters"
    """`A. first`, one a line."""
    PARENTHESES = "parentheses"
    """`(A) first`, one a line."""
    BULLETS = "bullets"
    """`- first`, one a line."""
    INLINE = "inline"
    """`first, second or third`."""


class Role(StrEnum):
    """What an instruction is for. Controls are measured but never enter an estimate."""

    REFERENCE = "reference"
    PARAPHRASE = "paraphrase"
    NEGATED = "negated"
    WRONG_TASK = "wrong_task"
    NONSENSE = "nonsense"

    @property
    def is_control(self) -> bool:
        return self not in (Role.REFERENCE, Role.PARAPHRASE)


class Split(StrEnum):
    """Which part of a task an example belongs to. Exemplars are shown in few-shot prompts and never scored."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"
    EXEMPLAR = "exemplar"


class PromptFormat(StrEnum):
    """The frame around an instruction."""

    PLAIN = "plain"
    CHAT = "chat"
    ALPACA = "alpaca"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One wording of what to do.

    Attributes:
        id: Unique inside its set.
        template: Jinja2 text over the example's fields, and `options` for the listed options.
        collection: Where the wording comes from (`flan`, `p3`, `niv2`, `alpaca`, `human`, `reference`, ...).
        output_form: What the instruction asks for: a letter, one of the labels, or free text.
        language: BCP 47 tag of the wording.
        register: The manner of the wording (`terse`, `chatty`, `formal`, ...), free text.
        author: Who wrote it.
        reference: The id of the instruction that this one re-phrases, or None.
        role: Reference, paraphrase or a kind of control.
        option_layout: How `{{ options }}` lists the options.
        answer_template: Jinja2 text over `option`, `letter` and `index`: what the model should write for an option.
            Empty: the letter or the option itself, by `output_form`.
        exemplar_separator: What stands between two exemplars in a few-shot prompt.
    """

    id: str
    template: str
    collection: str
    output_form: OutputForm
    language: str = "en"
    register: str = ""
    author: str = ""
    reference: str | None = None
    role: Role = Role.PARAPHRASE
    option_layout: OptionLayout = OptionLayout.LETTERS
    answer_template: str = ""
    exemplar_separator: str = "\n\n"


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """Instructions that mean the same for one task, or for one kind of task.

    Attributes:
        name: The set's name.
        version: The set's version.
        instructions: Its members; ids are unique.
        tasks: Names of the tasks that the set is written for; empty: any task whose fields fit.
        origin: Who wrote it and how (provenance, licence).
    """

    name: str
    version: str
    instructions: tuple[Instruction, ...]
    tasks: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with what counts as right.

    Attributes:
        id: Unique inside its task.
        fields: The values that a template may name.
        options: The texts to choose from; empty for generation.
        gold: Indexes into `options` of the right answers (one or several); empty for generation, and for inputs without
            a label, which only the train split has.
        references: Right texts, for generation; empty otherwise.
        split: Which part of the task it belongs to.
    """

    id: str
    fields: Mapping[str, str]
    options: tuple[str, ...] = ()
    gold: tuple[int, ...] = ()
    references: tuple[str, ...] = ()
    split: Split = Split.TEST

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    @property
    def labelled(self) -> bool:
        """Whether it is known what is right."""
        return bool(self.gold or self.references)


@dataclass(frozen=True, slots=True)
class Task:
    """A named list of examples of one kind.

    Attributes:
        name: The task's name, as results show it.
        version: The version of its data.
        kind: What an answer is.
        metric: How an answer becomes a number.
        examples: All examples of all splits; ids are unique.
        description: One line for a listing.
        origin: Where the data comes from (provenance, licence).
    """

    name: str
    version: str
    kind: TaskKind
    metric: Metric
    examples: tuple[Example, ...]
    description: str = ""
    origin: str = ""

    def split(self, split: Split) -> tuple[Example, ...]:
        """The examples of one split, in the task's order."""
        return tuple(example for example in self.examples if example.split is split)

    @property
    def field_names(self) -> frozenset[str]:
        """The fields that every example has."""
        names = [frozenset(example.fields) for example in self.examples]
        return frozenset.intersection(*names) if names else frozenset()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model, and how to run it.

    Attributes:
        name: The name that results show.
        source: A catalog name, a hub id or a folder.
        revision: A hub revision, or None for the default branch.
        dtype: `float32`, `bfloat16`, `float16` or `auto`.
        device: `cpu`, `cuda`, `mps` (with an index if wanted) or `auto`.
        adapter: A PEFT folder or hub id, or None.
        prompt_format: The frame around an instruction; None: `chat` where the tokenizer has a template, else
            `plain`.
        trained_on: Collections or template digests seen in instruction tuning; None where nothing is known.
        aligned_on: Template digests seen in alignment, by the adapter's record; they are neither observed nor held out.
    """

    name: str
    source: str
    revision: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    adapter: str | None = None
    prompt_format: PromptFormat | None = None
    trained_on: frozenset[str] | None = None
    aligned_on: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What identifies one measurement. All parts are names or plain values, so that cells sort and join."""

    model: str
    task: str
    instruction: str
    example: str
    shots: int
    prompt_format: str
    exemplar_seed: int
    dtype: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered cell.

    Attributes:
        text: What the model reads.
        answers: For each option, the text that continues `text`, with the white space that joins them; empty for
            generation.
        gold: Indexes of the right answers.
        special_tokens: Whether the tokenizer adds its own special tokens (a chat template brings them itself).
    """

    text: str
    answers: tuple[str, ...]
    gold: tuple[int, ...]
    special_tokens: bool = True


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a model gave for one prompt, raw, or why it gave nothing.

    Attributes:
        logprobs: Teacher-forced sum of log P(token), natural logarithm, one for each answer.
        tokens: Number of scored tokens of each answer.
        bytes: UTF-8 length of each answer without the white space that joins it to the prompt.
        text: The generated text, or None where nothing is generated.
        merged: True where the tokenizer merges prompt and answer across their seam: the joined tokens were scored.
        unscored: Why there is no measurement, or None. An unscored cell is never counted as wrong.
    """

    logprobs: tuple[float, ...] = ()
    tokens: tuple[int, ...] = ()
    bytes: tuple[int, ...] = ()
    text: str | None = None
    merged: bool = False
    unscored: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A measured cell."""

    cell: Cell
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule makes of a score.

    Attributes:
        chosen: Index of the predicted option, or None for generated text.
        value: The metric's value, between 0 and 1; None for an unscored cell.
    """

    chosen: int | None
    value: float | None


def plain(value: Any) -> Any:
    """A noun as JSON-ready values: dataclasses become dicts, sets sorted lists, enums their strings."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, StrEnum):
        return value.value
    return value


def digest(value: Any) -> str:
    """The sha256 of a noun's content, as 64 hexadecimal digits: equal content, equal digest, on any machine."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
