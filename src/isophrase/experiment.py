"""experiment.yaml -> plain, frozen arguments.

Knows the keys of the file and their defaults; reports everything that is wrong with it in one pass. Does not read a
task or an instruction set, and never touches a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from isophrase.errors import ConfigError
from isophrase.grid import DEFAULT_UNIT_CELLS
from isophrase.sources.documents import Document, parse, read_yaml
from isophrase.sources.problems import Problems
from isophrase.types import ModelSpec, PromptFormat, Rule, Split

Names = tuple[str, ...]


class Seen(StrEnum):
    """What to do with wordings and examples that a model's alignment has seen."""

    REFUSE = "refuse"
    LEAVE_OUT = "leave_out"


_Item = TypeVar("_Item")


def _some(values: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if not values:
        raise ValueError("expected at least one; got none; add one")
    return values


Some = Annotated[tuple[_Item, ...], AfterValidator(_some)]
"""A list that is not empty. (A minimum length would also be reported where an entry is wrong.)"""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ModelSection(_Section):
    """One model. A bare string is its source."""

    source: Annotated[str, Field(min_length=1)]
    name: str | None = None
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    adapter: str | None = None
    format: PromptFormat | None = None
    trained_on: frozenset[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_source(cls, value: Any) -> Any:
        return {"source": value} if isinstance(value, str) else value


class TaskSection(_Section):
    """One task. A bare string is its reference."""

    task: str | dict[str, Any]
    instructions: Names = ()
    limit: Annotated[int, Field(ge=1)] | None = None
    max_instructions: Annotated[int, Field(ge=1)] | None = None
    split: Split = Split.TEST
    folder: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_reference(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"task": value}
        if isinstance(value, dict) and isinstance(value.get("instructions"), str):
            return {**value, "instructions": [value["instructions"]]}
        return value


class GenerationSection(_Section):
    """When greedy generation ends."""

    max_new_tokens: Annotated[int, Field(ge=1)] = 32
    stop: Names = ("\n",)


class ReportSection(_Section):
    """How scores become estimates; may be changed without measuring again."""

    rule: Rule = Rule.SUM
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    resamples: Annotated[int, Field(ge=100)] = 2000


class BudgetSection(_Section):
    """How many cells to measure when not all of them are. A bare number is the share."""

    share: Annotated[float, Field(gt=0, le=1)]
    precision: Annotated[float, Field(gt=0, lt=1)] | None = None
    rounds: Annotated[int, Field(ge=1, le=50)] = 4

    @model_validator(mode="before")
    @classmethod
    def _from_share(cls, value: Any) -> Any:
        return {"share": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class ExperimentFile(_Section):
    """The whole file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    models: Some[ModelSection]
    tasks: Some[TaskSection]
    instructions: Names = ()
    limit: Annotated[int, Field(ge=1)] | None = None
    max_instructions: Annotated[int, Field(ge=1)] | None = None
    controls: bool = False
    seen: Seen = Seen.REFUSE
    formats: tuple[PromptFormat, ...] = ()
    shots: Some[Annotated[int, Field(ge=0)]] = (0,)
    unit_cells: Annotated[int, Field(ge=1)] = DEFAULT_UNIT_CELLS
    generation: GenerationSection = GenerationSection()
    report: ReportSection = ReportSection()
    budget: BudgetSection | None = None
    content_free: bool = False

    @model_validator(mode="after")
    def _either(self) -> ExperimentFile:
        if self.budget is not None and self.content_free:
            raise ValueError(
                "expected `budget` or `content_free`; got both; contextual calibration needs every wording"
            )
        return self


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """Which examples of which task, under which instructions.

    Attributes:
        reference: A task's name, a path, or a task file's content.
        folder: Where to look for the data of a benchmark, or None for the cache.
        instructions: Names or paths of instruction sets; empty: the bundled set written for the task.
        limit: At most so many examples (seeded choice).
        max_instructions: At most so many instructions (references first, then a seeded choice).
        split: Which examples.
    """

    reference: str | Mapping[str, Any]
    folder: Path | None
    instructions: Names
    limit: int | None
    max_instructions: int | None
    split: Split


@dataclass(frozen=True, slots=True)
class Experiment:
    """What to measure, and how to read it.

    Attributes:
        base: Relative paths start here.
        seen: What to do with wordings and examples that a model's alignment has seen.
        formats: Prompt formats that every model is run in; empty: each model's own.
        content_free: Also ask every wording of a classification task about texts that say nothing.
        budget: Measure a part of the cells only; None: all. May change: a larger budget goes on from a smaller one.
        identity: The file's content with defaults filled in, without report and budget, which may change.
    """

    name: str
    base: Path
    seed: int
    models: tuple[ModelSpec, ...]
    tasks: tuple[TaskRequest, ...]
    controls: bool
    seen: Seen
    formats: tuple[PromptFormat, ...]
    shots: tuple[int, ...]
    unit_cells: int
    generation: GenerationSection
    report: ReportSection
    budget: BudgetSection | None
    content_free: bool
    identity: Mapping[str, Any]


def load_experiment(path: Path) -> Experiment:
    """Read and check an experiment file; relative paths in it start from its folder.

    Raises:
        SourceError: It is not a YAML file.
        ManyErrors: Everything that is wrong with it, with lines.
    """
    return parse_experiment(read_yaml(path), base=path.parent)


def parse_experiment(document: Document, *, base: Path) -> Experiment:
    """Check the content of an experiment file.

    Args:
        document: Its content.
        base: The folder that relative paths start from.

    Raises:
        ManyErrors: Everything that is wrong with it.
        ConfigError: Two models have one name.
    """
    problems = Problems(document.where)
    file = parse(ExperimentFile, document, problems)
    problems.check(ConfigError.exit_code)
    assert file is not None
    models = tuple(model_spec(section) for section in file.models)
    twice = [name for name, count in Counter(model.name for model in models).items() if count > 1]
    if twice:
        got = f"{', '.join(twice)} more than once in {document.where}"
        raise ConfigError("each model to have a name of its own", got=got, remedy="give `name:` to one of them")
    return Experiment(
        name=file.name,
        base=base,
        seed=file.seed,
        models=models,
        tasks=tuple(_task(section, file, base) for section in file.tasks),
        controls=file.controls,
        seen=file.seen,
        formats=file.formats,
        shots=file.shots,
        unit_cells=file.unit_cells,
        generation=file.generation,
        report=file.report,
        budget=file.budget,
        content_free=file.content_free,
        identity=file.model_dump(mode="json", exclude=_NO_IDENTITY | ({"content_free"} - set(_asked_for(file)))),
    )


_NO_IDENTITY = {"report", "budget"}


def _asked_for(file: ExperimentFile) -> Names:
    """Keys that identify a run only where they are used, so that older runs go on."""
    used = {"content_free": file.content_free, "seen": file.seen is not Seen.REFUSE}
    return tuple(name for name, is_used in used.items() if is_used)


def model_spec(section: ModelSection) -> ModelSpec:
    """The model that a section of a file names."""
    return ModelSpec(
        name=section.name or section.source.rstrip("/").rsplit("/", 1)[-1],
        source=section.source,
        revision=section.revision,
        dtype=section.dtype,
        device=section.device,
        adapter=section.adapter,
        prompt_format=section.format,
        trained_on=section.trained_on,
    )


def _task(section: TaskSection, file: ExperimentFile, base: Path) -> TaskRequest:
    return TaskRequest(
        reference=section.task,
        folder=base / section.folder if section.folder else None,
        instructions=section.instructions or file.instructions,
        limit=section.limit or file.limit,
        max_instructions=section.max_instructions or file.max_instructions,
        split=section.split,
    )
