"""experiment.yaml -> plain, frozen arguments.

Knows the keys of the file and their defaults; reports everything that is wrong with it in one pass. Does not read a task
or an instruction set, and never touches a model.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from isophrase.errors import ConfigError, ManyErrors
from isophrase.grid import DEFAULT_UNIT_CELLS
from isophrase.scoring.rules import Rule
from isophrase.types import ModelSpec, PromptFormat, Split

Names = tuple[str, ...]


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


class ExperimentFile(_Section):
    """The whole file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: int = 0
    models: Annotated[tuple[ModelSection, ...], Field(min_length=1)]
    tasks: Annotated[tuple[TaskSection, ...], Field(min_length=1)]
    instructions: Names = ()
    limit: Annotated[int, Field(ge=1)] | None = None
    max_instructions: Annotated[int, Field(ge=1)] | None = None
    controls: bool = False
    formats: tuple[PromptFormat, ...] = ()
    shots: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)
    unit_cells: Annotated[int, Field(ge=1)] = DEFAULT_UNIT_CELLS
    generation: GenerationSection = GenerationSection()
    report: ReportSection = ReportSection()


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
        formats: Prompt formats that every model is run in; empty: each model's own.
        identity: The file's content with defaults filled in, without the report section, which may change.
    """

    name: str
    base: Path
    seed: int
    models: tuple[ModelSpec, ...]
    tasks: tuple[TaskRequest, ...]
    controls: bool
    formats: tuple[PromptFormat, ...]
    shots: tuple[int, ...]
    unit_cells: int
    generation: GenerationSection
    report: ReportSection
    identity: Mapping[str, Any]


def parse_experiment(content: Mapping[str, Any], *, where: str, base: Path) -> Experiment:
    """Check the content of an experiment file.

    Args:
        content: The parsed YAML.
        where: What to call the file in errors.
        base: The folder that relative paths start from.

    Raises:
        ManyErrors: Everything that is wrong with it.
    """
    try:
        file = ExperimentFile.model_validate(content)
    except ValidationError as error:
        raise ManyErrors(where, list(_problems(error))) from None
    models = tuple(_model(section) for section in file.models)
    twice = [name for name, count in Counter(model.name for model in models).items() if count > 1]
    if twice:
        raise ConfigError(
            "each model to have a name of its own",
            got=f"{', '.join(twice)} more than once in {where}",
            remedy="give `name:` to one of them",
        )
    return Experiment(
        name=file.name,
        base=base,
        seed=file.seed,
        models=models,
        tasks=tuple(_task(section, file, base) for section in file.tasks),
        controls=file.controls,
        formats=file.formats,
        shots=file.shots,
        unit_cells=file.unit_cells,
        generation=file.generation,
        report=file.report,
        identity=file.model_dump(mode="json", exclude={"report"}),
    )


def _model(section: ModelSection) -> ModelSpec:
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


def _problems(error: ValidationError) -> Iterator[str]:
    for item in error.errors():
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
        if item["type"] == "extra_forbidden":
            key = str(item["loc"][-1])
            close = difflib.get_close_matches(key, _known_keys(item["loc"]), n=1)
            yield f"{place}: unknown key" + (f"; did you mean {close[0]!r}?" if close else "; remove it")
        elif item["type"] == "missing":
            yield f"{place}: missing; add it"
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            yield f"{place or 'the file'}: {message}; got {item['input']!r:.80}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    sections: dict[str, type[BaseModel]] = {
        "models": ModelSection,
        "tasks": TaskSection,
        "generation": GenerationSection,
        "report": ReportSection,
    }
    section = sections.get(str(location[0]), ExperimentFile) if len(location) > 1 else ExperimentFile
    return list(section.model_fields)
