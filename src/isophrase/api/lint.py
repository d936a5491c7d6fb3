"""The road of `lint`: whatever is named -> its sets, tasks or tables -> findings.

Holds no rule of its own; the rules are in `lint/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isophrase.api.runs import load_experiment, read
from isophrase.cache import cache_folder
from isophrase.errors import ConfigError, IsophraseError
from isophrase.lint.findings import Finding
from isophrase.lint.rules import lint_measured, lint_task, lint_wordings
from isophrase.plan import make_plan
from isophrase.results import as_measured
from isophrase.sources.documents import read_yaml
from isophrase.sources.resolve import bundled_sets, bundled_tasks, load_instruction_set, load_tasks
from isophrase.types import InstructionSet, Task


def lint_findings(name: str, *, task: str | None = None) -> list[Finding]:
    """What is wrong with an instruction set, a task, an experiment or the results of a run.

    Args:
        name: A run folder; an experiment file; a task file or instruction set file; the name of a set or task.
        task: The task that a set is asked about; default: the bundled tasks that it names.

    Raises:
        IsophraseError: It can't be read.
    """
    path = Path(name)
    if path.is_dir():
        return _run(path)
    kind = _kind(name, path)
    if kind == "experiment":
        return _experiment(path)
    if kind == "task":
        return [finding for loaded in load_tasks(name, cache=cache_folder()) for finding in lint_task(loaded.task)]
    return _set(load_instruction_set(name), task)


def _kind(name: str, path: Path) -> str:
    """What a name means: the keys of a file tell, otherwise the listings."""
    if path.suffix.lower() in (".yaml", ".yml"):
        content = read_yaml(path).content
        if "models" in content:
            return "experiment"
        return "set" if "instructions" in content else "task"
    if path.suffix.lower() == ".jsonl" or name in bundled_sets():
        return "set"
    if name in bundled_tasks() or name.partition("/")[0] in ("bigbench", "mmlu") or name.startswith("hf:"):
        return "task"
    try:
        load_instruction_set(name)
    except IsophraseError:
        raise ConfigError(
            "a run folder, an experiment, a set or a task", got=repr(name), remedy="check the name or path"
        ) from None
    return "set"


def _set(found: InstructionSet, task: str | None) -> list[Finding]:
    tasks = list(_tasks(found, task))
    if not tasks:
        return lint_wordings(found)
    findings: dict[Finding, None] = {}
    for item in tasks:
        findings |= dict.fromkeys(lint_wordings(found, item))
    return list(findings)


def _tasks(found: InstructionSet, task: str | None) -> Iterator[Task]:
    names = [task] if task is not None else [name for name in found.tasks if name in bundled_tasks()]
    for name in names:
        yield from (loaded.task for loaded in load_tasks(name, cache=cache_folder()))


def _experiment(path: Path) -> list[Finding]:
    plan = make_plan(load_experiment(path), cache_folder())
    findings: list[Finding] = []
    for asked in plan.asked:
        findings += lint_task(asked.task)
        findings += lint_wordings(InstructionSet(asked.task.name, "", asked.instructions), asked.task)
    return findings


def _run(folder: Path) -> list[Finding]:
    """The results of a run, and what it asked."""
    view = read(folder)
    return lint_measured(map(as_measured, view.panels))
