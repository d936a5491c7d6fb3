"""align.yaml and tune.yaml -> what to train, on what, and how to verify it.

Knows the keys of the file. Does not know how examples and wordings are divided, and does not train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from isophrase.alignment.dividing import material_of, mixed, without_copies
from isophrase.alignment.method import Method, Space, method_of
from isophrase.alignment.mixtures import check_mixture, parts_seen
from isophrase.alignment.sampling import Material
from isophrase.alignment.tracking import check_trackers
from isophrase.alignment.watching import Watch
from isophrase.alignment.wordings import PARTS, by_chance, by_collection
from isophrase.errors import ConfigError, IsophraseError, ManyErrors
from isophrase.experiment import ModelSection, Some, model_spec
from isophrase.plan import Asked
from isophrase.prompts import check_fit
from isophrase.sources.documents import Document, decode, parse, read_bytes, read_yaml, resolve_path
from isophrase.sources.problems import Problems, quoted
from isophrase.sources.resolve import Loaded, load_tasks, sets_asked
from isophrase.types import InstructionSet, ModelSpec, Role, Split, Task

_T = TypeVar("_T")


class Division(StrEnum):
    """How a set's wordings are divided into training, development and test."""

    CHANCE = "chance"
    COLLECTIONS = "collections"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _task_of(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


class TaskSection(_Section):
    """One task to train on. A bare string is its reference."""

    task: str | dict[str, Any]
    instructions: str | None = None
    division: Division = Division.CHANCE
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    folder: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None

    _from_reference = model_validator(mode="before")(_task_of)


class OutsideSection(_Section):
    """One task that training does not see. A bare string is its reference."""

    task: str | dict[str, Any]
    instructions: str | None = None
    folder: str | None = None

    _from_reference = model_validator(mode="before")(_task_of)


class WatchSection(_Section):
    """What to look at while training."""

    every: Annotated[int, Field(ge=1)] = 50
    wordings: Annotated[int, Field(ge=0)] = 4
    inputs: Annotated[int, Field(ge=1)] = 16
    outside: tuple[OutsideSection, ...] = ()
    texts: str | None = None
    patience: Annotated[int, Field(ge=0)] = 0
    trackers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something_to_wait_for(self) -> WatchSection:
        if self.patience and not self.wordings:
            raise ValueError("patience waits for development wordings; got wordings: 0; say at least 1")
        return self


class VerifySection(_Section):
    """How the result is verified on held-out wordings and inputs."""

    limit: Annotated[int, Field(ge=2)] = 40
    outside: tuple[OutsideSection, ...] = ()


class JobFile(_Section):
    """The whole file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    model: ModelSection
    method: str | dict[str, Any] = "default"
    tasks: Some[TaskSection]
    watch: WatchSection = WatchSection()
    verify: VerifySection = VerifySection()

    @field_validator("method", mode="before")
    @classmethod
    def _named_or_said(cls, value: Any) -> Any:
        if not isinstance(value, str | dict):
            raise ValueError(f"expected a method's name or a mapping of its fields; got {quoted(value)}")
        return value


@dataclass(frozen=True)
class Job:
    """What to train.

    Attributes:
        name: Its name.
        seed: Of everything.
        model: The base model.
        method: What the training does.
        method_name: Its name, or `custom`.
        materials: The tasks.
        watch: What to look at.
        every: Steps between looks.
        trackers: Names of accelerate's trackers that get the losses and looks too.
        verify: How many test inputs of a task are measured.
        outside: What is asked of tasks that training does not see, to verify that nothing is lost there.
        notes: What a reader should know of the tasks (examples left out).
    """

    name: str
    seed: int
    model: ModelSpec
    method: Method
    method_name: str
    materials: tuple[Material, ...]
    watch: Watch
    every: int
    trackers: tuple[str, ...]
    verify: int
    outside: tuple[Asked, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Loaded:
    material: Material
    division: Division
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Untrained:
    asked: Asked
    notes: tuple[str, ...]


def load_job(path: Path, cache: Path, *, default: Method | None = None, to_train: bool = True) -> Job:
    """Read and check a training's file.

    Args:
        path: The file; relative paths in it start from its folder, those of models and adapters from the current one.
        cache: The cache folder.
        default: What `method: default` is, where the result needs no proof on held-out wordings (`tune`); None:
            alignment's.
        to_train: Whether what only a training needs has to be there (libraries of trackers).

    Raises:
        ManyErrors: Everything that is wrong with it.
    """
    return parse_job(read_yaml(path), base=path.parent, cache=cache, default=default, to_train=to_train)


def parse_job(
    document: Document, *, base: Path, cache: Path, default: Method | None = None, to_train: bool = True
) -> Job:
    """Check the content of a training's file; arguments as for `load_job`."""
    problems = Problems(document.where)
    file = parse(JobFile, document, problems)
    problems.check(ConfigError.exit_code)
    assert file is not None, "parse gives None only with problems"
    wrong: list[str] = []
    method = _collect(wrong, "method", lambda: method_of(file.method, default))
    loading = partial(_load, seed=file.seed, base=base, cache=cache)
    needed = PARTS if default is None or method is None else _needed(method, file.watch)
    trained = _materials(file.tasks, partial(loading, needed=needed), "tasks", wrong)
    if method is not None:
        wrong += [problem for item in trained for problem in _unfit(method, item.material, file.watch.patience)]
    for group in _of_one_task(trained):
        _collect(wrong, "tasks", partial(_check_mixture, group))
    watched = [TaskSection(**dict(one)) for one in file.watch.outside]
    outside = _materials(watched, partial(loading, needed=("references",)), "watch.outside", wrong)
    texts = _collect(wrong, "watch.texts", lambda: _texts(file.watch.texts, base))
    untrained = _untrained(file.verify.outside, partial(_asked, seed=file.seed, base=base, cache=cache), wrong)
    wrong += _trained_outside("watch.outside", trained, [item.material.task for item in outside])
    wrong += _trained_outside("verify.outside", trained, [item.asked.task for item in untrained])
    if file.watch.trackers and to_train:
        _collect(wrong, "watch.trackers", partial(check_trackers, file.watch.trackers))
    if wrong or method is None or texts is None:
        raise ManyErrors(document.where, wrong, exit_code=ConfigError.exit_code)
    watch = Watch(
        wordings=file.watch.wordings, inputs=file.watch.inputs, outside=tuple(item.material for item in outside),
        texts=texts, patience=file.watch.patience,
    )  # fmt: skip
    said = [note for item in (*trained, *outside) for note in item.notes]
    said += [note for item in untrained for note in item.notes]
    named = file.method if isinstance(file.method, str) else "custom"
    return Job(
        name=file.name, seed=file.seed, model=model_spec(file.model), method=method, method_name=named,
        materials=tuple(item.material for item in trained), watch=watch, every=file.watch.every,
        trackers=file.watch.trackers, verify=file.verify.limit,
        outside=tuple(item.asked for item in untrained),
        notes=tuple(dict.fromkeys(said))
        + _without_controls(method, trained),
    )  # fmt: skip


def _collect(problems: list[str], where: str, make: Callable[[], _T]) -> _T | None:
    try:
        return make()
    except ManyErrors as error:
        problems += [f"{where}: {problem}" for problem in error.problems]
    except IsophraseError as error:
        problems.append(f"{where}: {error}")
    return None


def _needed(method: Method, watch: WatchSection) -> tuple[str, ...]:
    """The parts of a set's wordings that a tuning uses."""
    return (*(part for part in parts_seen(method.draws) if part in PARTS), *(("dev",) if watch.patience else ()))


def _unfit(method: Method, material: Material, patience: int) -> list[str]:
    """What a method asks of a task that it does not have."""
    name, problems = material.task.name, []
    unlabelled = sum(not item.labelled for item in material.train)
    if unlabelled and (method.supervised or method.supervised_reference or method.supervised_negated):
        problems.append(
            f"method: expected one that needs no label, as {unlabelled} of {len(material.train)} train examples of "
            f"task {name!r} have none; got cross-entropy on the right answer; say `method: consensus`, or "
            "`{base: pt+kl, supervised: 0, consistency: 1}`"
        )
    if patience and not material.dev:
        problems.append(
            f"watch.patience: expected development examples of task {name!r} to wait for; got none; give it more"
        )
    free = any(not item.options for item in material.train)
    if free and method.space is Space.LABELS and (method.consistency or method.anchor):
        problems.append(
            f"method: expected `space: vocabulary`, as task {name!r} has no options; got labels, of which it has one"
        )
    return problems


def _without_controls(method: Method, trained: Sequence[_Loaded]) -> tuple[str, ...]:
    """A line about the tasks that have no control for a training that draws some."""
    with_some = {item.material.task.name for item in trained if item.material.wordings.train_controls}
    names = [name for name in dict.fromkeys(item.material.task.name for item in trained) if name not in with_some]
    if not method.draws.controls or not names:
        return ()
    return (f"{', '.join(names)}: no negated, wrong-task or nonsense wording for training, so none is drawn",)


def _trained_outside(where: str, trained: Sequence[_Loaded], outside: Sequence[Task]) -> list[str]:
    names = {item.material.task.name for item in trained} & {task.name for task in outside}
    return [
        f"{where}: expected tasks that are not trained on; got {name!r}, which is; leave it out"
        for name in sorted(names)
    ]


def _texts(path: str | None, base: Path) -> tuple[str, ...]:
    if path is None:
        return ()
    file = resolve_path(path, base)
    return tuple(line for line in decode(read_bytes(file), str(file)).splitlines() if line.strip())


def _materials(
    sections: Sequence[TaskSection], loading: Callable[[TaskSection], list[_Loaded]], where: str, problems: list[str]
) -> list[_Loaded]:
    found: list[_Loaded] = []
    for index, section in enumerate(sections):
        found += _collect(problems, f"{where}[{index}]", partial(loading, section)) or []
    return found


def _untrained(
    sections: Sequence[OutsideSection], loading: Callable[[OutsideSection], list[_Untrained]], problems: list[str]
) -> list[_Untrained]:
    found: list[_Untrained] = []
    for index, section in enumerate(sections):
        found += _collect(problems, f"verify.outside[{index}]", partial(loading, section)) or []
    twice = [name for name, count in Counter(item.asked.task.name for item in found).items() if count > 1]
    problems += [f"verify.outside: expected each task once; got {name!r} again; leave one out" for name in twice]
    return found


def _of_one_task(items: Sequence[_Loaded]) -> list[list[_Loaded]]:
    """Groups of several entries that are about one task."""
    names = dict.fromkeys(item.material.task.name for item in items)
    groups = [[item for item in items if item.material.task.name == name] for name in names]
    return [group for group in groups if len(group) > 1]


def _check_mixture(group: Sequence[_Loaded]) -> None:
    registers = all(item.division is Division.COLLECTIONS for item in group)
    check_mixture([item.material for item in group], registers=registers)


def _load(section: TaskSection, *, needed: Sequence[str], seed: int, base: Path, cache: Path) -> list[_Loaded]:
    found = []
    for loaded, source in _with_sets(section, base, cache):
        collections = section.division is Division.COLLECTIONS
        wordings = by_collection(source, needed) if collections else by_chance(source, seed, needed)
        task, left_out = without_copies(loaded.task)
        material = material_of(
            task, wordings, seed, weight=section.weight, limit=section.limit, tested="test" in needed
        )  # fmt: skip
        notes = (*(f"{task.name}: {note}" for note in loaded.notes), *left_out)
        found.append(_Loaded(material, section.division, notes))
    return found


def _asked(section: OutsideSection, *, seed: int, base: Path, cache: Path) -> list[_Untrained]:
    """All wordings and test inputs of tasks that training does not see."""
    found = []
    for loaded, source in _with_sets(section, base, cache):
        inputs = mixed(loaded.task.split(Split.TEST), loaded.task.name, seed)
        asked = Asked(replace(loaded.task, examples=inputs), source.instructions, inputs)
        found.append(_Untrained(asked, tuple(f"{loaded.task.name}: {note}" for note in loaded.notes)))
    return found


def _with_sets(
    section: TaskSection | OutsideSection, base: Path, cache: Path
) -> Iterator[tuple[Loaded, InstructionSet]]:
    """The tasks of a section, each with its set, whose wordings fit it."""
    folder = base / section.folder if section.folder else None
    for loaded in load_tasks(section.task, folder=folder, base=base, cache=cache):
        source = _set(section, loaded, base)
        for item in source.instructions:
            check_fit(item, loaded.task)
        yield loaded, source


def _set(section: TaskSection | OutsideSection, loaded: Loaded, base: Path) -> InstructionSet:
    """The set's instructions with ids `set/id`, as an experiment has them."""
    sets = sets_asked(loaded, [section.instructions] if section.instructions else [], base=base)
    if not sets:
        raise ConfigError(
            f"an instruction set for task {loaded.task.name!r}",
            got="none written for it",
            remedy="say `instructions: NAME`",
        )
    source = sets[0]
    members = tuple(
        replace(
            item, id=f"{source.name}/{item.id}", reference=f"{source.name}/{item.reference}" if item.reference else None
        )
        for item in source.instructions
        # A letter and a label wording are two different requests: training keeps to the form of the first reference.
        if item.role.is_control or item.output_form is _form(source)
    )
    return replace(source, instructions=members)


def _form(source: InstructionSet) -> Any:
    first = next((item for item in source.instructions if item.role is Role.REFERENCE), source.instructions[0])
    return first.output_form
