"""Tasks from BIG-bench `task.json` files, with the prompt that BIG-bench itself would show.

Knows where task files lie, their settings, subtasks and duplicates. How one example is read is in bigbench_example.py.
It follows BIG-bench 1.0.0 (bigbench/api/json_task.py, docs/doc.md), but for what docs/data-formats.md lists.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from isophrase.errors import SourceError
from isophrase.sources.bigbench_example import Frame, LeftOutError, read_example
from isophrase.sources.documents import Document, decode, parse, read_bytes
from isophrase.sources.loaded import Loaded, Request, reserve_exemplars
from isophrase.sources.problems import Problems, listed, meant
from isophrase.types import (
    Example,
    Instruction,
    InstructionSet,
    Metric,
    OptionLayout,
    OutputForm,
    Role,
    Split,
    Task,
    TaskKind,
)

RELEASE = "1.0.0"
"""The release whose files `isophrase tasks fetch bigbench` gets."""

BIGBENCH_LITE = (
    "auto_debugging",
    "bbq_lite_json",
    "code_line_description",
    "conceptual_combinations",
    "conlang_translation",
    "emoji_movie",
    "formal_fallacies_syllogisms_negation",
    "hindu_knowledge",
    "known_unknowns",
    "language_identification",
    "linguistics_puzzles",
    "logic_grid_puzzle",
    "logical_deduction",
    "misconceptions_russian",
    "novel_concepts",
    "operators",
    "parsinlu_reading_comprehension",
    "play_dialog_same_or_different",
    "repeat_copy_logic",
    "strange_stories",
    "strategyqa",
    "symbol_interpretation",
    "vitaminc_fact_verification",
    "winowhy",
)
"""The 24 tasks of BIG-bench Lite (version 1 of the list)."""

_FILES = ("task.json", "task.json.gz")


class _Options(BaseModel):
    """Further keys of a reference such as `{bigbench: strategyqa, exemplars: 3}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Metric | None = None
    exemplars: Annotated[int, Field(ge=0)] = 0
    seed: int = 0


def bigbench_folder(cache: Path) -> Path:
    """Where fetched task files are kept."""
    return cache / "bigbench" / RELEASE


def bigbench_tasks(folder: Path) -> tuple[str, ...]:
    """The names of all tasks with examples under a folder, as `load` takes them, sorted."""
    root = _root(folder)
    found = {path.parent for name in _FILES for path in root.rglob(name)} if root else set()
    parents = {parent for path in found for parent in path.parents}
    return tuple(sorted(path.relative_to(root).as_posix() for path in found - parents)) if root else ()


def load(request: Request) -> tuple[Loaded, ...]:
    """Loader of BIG-bench tasks: one task, or all subtasks of a parent, sorted by name.

    Raises:
        SourceError: No such task, or a file that is not a BIG-bench task.
    """
    problems = Problems(f"bigbench/{request.name}")
    options = parse(_Options, Document("", dict(request.options)), problems)
    problems.check()
    assert options is not None, "parse gives None only with problems"
    root = _find_root(request)
    folder = _task_folder(root, request.name)
    return tuple(_load_task(file, _name(root, file), options) for file in _task_files(folder))


def _root(folder: Path) -> Path | None:
    """The folder that holds one folder for each task: `folder`, or where a checkout or an sdist has it."""
    for candidate in (folder / "bigbench" / "benchmark_tasks", folder / "benchmark_tasks", folder):
        if candidate.is_dir():
            return candidate
    return None


def _find_root(request: Request) -> Path:
    folder = request.folder if request.folder is not None else bigbench_folder(request.cache)
    root = _root(folder)
    if root is None:
        raise SourceError(
            "BIG-bench task files",
            got=f"no folder {folder}",
            remedy="run `isophrase tasks fetch bigbench`, or give the `folder` that has them",
        )
    return root


def _task_folder(root: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    plain = bool(parts) and not PurePosixPath(name).is_absolute() and ".." not in parts
    folder = root.joinpath(*parts) if plain else root
    if not plain or not any((folder / file).is_file() for file in _FILES):
        known = [path.name for path in root.iterdir() if path.is_dir()]
        if plain and len(parts) > 1 and root.joinpath(*parts[:-1]).is_dir():
            known = [f"{parts[0]}/{path.name}" for path in root.joinpath(*parts[:-1]).iterdir() if path.is_dir()]
        close = meant(name, known).removeprefix("; ")
        raise SourceError(
            f"a BIG-bench task under {root}", got=repr(name), remedy=close or "see `isophrase tasks` for the names"
        )
    return folder


def _task_files(folder: Path) -> Iterator[Path]:
    """The files with examples: a parent's subtasks lie in its folders, at any depth; without any, the folder's own."""
    below = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    subtasks = [file for path in below for file in _task_files(path)]
    own = [folder / name for name in _FILES if (folder / name).is_file()]
    yield from subtasks or own[:1]


def _name(root: Path, file: Path) -> str:
    return f"bigbench/{file.parent.relative_to(root).as_posix()}"


def _load_task(file: Path, name: str, options: _Options) -> Loaded:
    content, version = _read(file)
    examples = content.get("examples")
    if not isinstance(examples, list) or not examples:
        raise SourceError(
            "a BIG-bench task with a list of examples", got=f"none in {file}", remedy="name one of its subtasks"
        )
    frame, notes = _frame(content)
    kept, left_out = _examples(examples, frame)
    if not kept:
        reasons = listed(left_out)
        raise SourceError(f"usable examples in {name}", got=f"none ({reasons})", remedy="choose another task")
    notes += [f"{len(ids)} left out, {reason} (examples {listed(ids, 5)})" for reason, ids in left_out.items()]
    kind = _kind(kept)
    notes += _differences(content, examples, kind, options)
    metric = options.metric or (Metric.EXACT_MATCH if kind is TaskKind.GENERATION else Metric.ACCURACY)
    if (metric is Metric.ACCURACY) == (kind is TaskKind.GENERATION):
        raise SourceError(f"a metric for the {kind.value} task {name}", got=metric.value, remedy="remove the key")
    task = Task(
        name=name,
        version=version,
        kind=kind,
        metric=metric,
        examples=_with_exemplars(kept, options, name),
        description=" ".join(str(content.get("description", "")).split()),
        origin="BIG-bench (Apache-2.0).",
    )
    return Loaded(task, (_native(name, kind, frame),), tuple(notes))


def _read(file: Path) -> tuple[Mapping[str, Any], str]:
    """The file's content, and the beginning of its sha256 as the version of the data."""
    raw = read_bytes(file)
    try:
        text = gzip.decompress(raw) if file.suffix == ".gz" else raw
        content = json.loads(decode(text, str(file)))
    except (ValueError, EOFError, OSError, zlib.error, RecursionError) as error:
        raise SourceError("a BIG-bench task (JSON)", got=f"{file}: {error}", remedy="fetch the file again") from None
    if not isinstance(content, dict):
        got = f"a {type(content).__name__} in {file}"
        raise SourceError("a BIG-bench task (a JSON object)", got=got, remedy="check the file")
    return content, f"sha256:{hashlib.sha256(text).hexdigest()[:12]}"


def _frame(content: Mapping[str, Any]) -> tuple[Frame, list[str]]:
    notes = []
    append = content.get("append_choices_to_input", True)
    if isinstance(append, str):
        read = append.strip().lower() not in ("false", "0", "no", "")
        if not read:
            notes.append(
                f"append_choices_to_input is the string {append!r}: read as false (BIG-bench {RELEASE} takes any "
                "string for true and lists the choices)"
            )
        append = read
    frame = Frame(
        task_prefix=str(content.get("task_prefix", "")),
        input_prefix=str(content.get("example_input_prefix", "\nQ: ")),
        output_prefix=str(content.get("example_output_prefix", "\nA: ")),
        choice_prefix=str(content.get("choice_prefix", "\n  choice: ")),
        append_choices=bool(append),
        separator=str(content.get("few_shot_example_separator", "\n")),
    )
    return frame, notes


def _examples(entries: list[Any], frame: Frame) -> tuple[list[Example], dict[str, list[str]]]:
    """The usable examples, and the numbers of the others by reason."""
    # A task offers choices or asks for text. BIG-bench decides by its metrics, which comes to the same.
    choices = any(isinstance(entry, dict) and "target_scores" in entry for entry in entries)
    kept: list[Example] = []
    left_out: dict[str, list[str]] = {}
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        content = json.dumps(entry, sort_keys=True)
        try:
            if content in seen:
                raise LeftOutError("the same as an earlier example")
            seen.add(content)
            kept.append(read_example(entry, str(number), frame, choices))
        except LeftOutError as reason:
            left_out.setdefault(str(reason), []).append(str(number))
    return kept, left_out


def _kind(examples: list[Example]) -> TaskKind:
    if not examples[0].options:
        return TaskKind.GENERATION
    same = all(example.options == examples[0].options for example in examples)
    return TaskKind.CLASSIFICATION if same else TaskKind.MULTIPLE_CHOICE


def _differences(content: Mapping[str, Any], entries: list[Any], kind: TaskKind, options: _Options) -> Iterator[str]:
    """What BIG-bench would do with the task that is not done here."""
    preferred = str(content.get("preferred_score", ""))
    if kind is TaskKind.GENERATION:
        if preferred not in ("", "exact_str_match") and options.metric is None:
            yield f"BIG-bench prefers the score {preferred}; measured here by exact match (or say `metric: token_f1`)"
        for key in ("output_regex", "stop_string"):
            if content.get(key):
                yield f"{key} {content[key]!r} is not applied to the generated text"
        return
    if preferred not in ("", "multiple_choice_grade"):
        yield f"BIG-bench prefers the score {preferred}; measured here by accuracy over the choices"
    graded = sum(
        any(score not in (0, 1) for score in entry["target_scores"].values())
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("target_scores"), dict)
    )
    if graded:
        yield f"{graded} examples have scores other than 0 and 1: the choices with the highest score count as right"
    if any(isinstance(entry, dict) and "target" in entry for entry in entries):
        yield "examples also have `target` texts (for generation and exemplars in BIG-bench); the choices are used"


def _with_exemplars(examples: list[Example], options: _Options, name: str) -> tuple[Example, ...]:
    reserved = reserve_exemplars(examples, options.exemplars, options.seed)
    count = sum(item.split is Split.EXEMPLAR for item in reserved)
    if count < options.exemplars or count == len(reserved):
        got = f"{options.exemplars} of {len(examples)} examples of {name} as exemplars"
        raise SourceError("some examples left to score", got=got, remedy="reserve fewer exemplars")
    return reserved


def _native(name: str, kind: TaskKind, frame: Frame) -> InstructionSet:
    instruction = Instruction(
        id="native",
        template="{{ native }}",
        collection="bigbench",
        output_form=OutputForm.TEXT if kind is TaskKind.GENERATION else OutputForm.LABEL,
        author="the authors of the BIG-bench task",
        role=Role.REFERENCE,
        option_layout=OptionLayout.BULLETS,
        exemplar_separator=frame.separator,
    )
    return InstructionSet(
        "native", RELEASE, (instruction,), (name,), "The task's own prompt in BIG-bench (Apache-2.0)."
    )
