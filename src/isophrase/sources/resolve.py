"""From a task reference, as an experiment writes it, to its loader.

Knows one table. To add a source of tasks: one file with a Loader, one line in `SOURCES`, one test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from isophrase.errors import SourceError
from isophrase.sources import bigbench, bundled, huggingface, mmlu, tabular
from isophrase.sources.bundled import bundled_sets, bundled_tasks, catalogue_sets, load_bundled_set, sets_for
from isophrase.sources.collections.readers import is_collection, load_collection_set, load_collection_tasks
from isophrase.sources.documents import resolve_path
from isophrase.sources.instructions import read_instruction_set
from isophrase.sources.loaded import Loaded, Loader, Request
from isophrase.sources.problems import listed, quoted
from isophrase.types import InstructionSet

__all__ = [
    "Loaded", "TaskReference", "bundled_sets", "bundled_tasks", "catalogue_sets", "load_instruction_set",
    "load_tasks", "sets_asked", "sets_for",
]  # fmt: skip

NATIVE = "native"
"""What names the instruction sets that come with a task."""
TaskReference = str | Mapping[str, Any]

SOURCES: Mapping[str, Loader] = {
    "bundled": bundled.load,
    "bigbench": bigbench.load,
    "mmlu": mmlu.load,
    "hf": huggingface.load,
    "file": tabular.load,
    "data": tabular.load,
    "collection": lambda request: load_collection_tasks(request.name, request.base),
}
"""Source -> loader. A reference names its source by prefix (`mmlu/anatomy`) or by key (`{mmlu: anatomy}`)."""


def load_tasks(
    reference: TaskReference, *, folder: Path | None = None, base: Path = Path(), cache: Path
) -> tuple[Loaded, ...]:
    """Load what a task reference means: one task, or several where it names a group.

    - `sentiment`: a bundled task.
    - `path/to/task.yaml`: a task file.
    - `bigbench/strategyqa`, `bigbench/conceptual_combinations` (all its subtasks), `bigbench/strange_stories/boolean`.
    - `mmlu/anatomy`, `mmlu/stem` (a group), `mmlu/all`.
    - `hf:ID`, `hf:ID:SUBSET`, `hf:./folder`: a data set of a known shape.
    - `niv2:PATH`, `niv2:PATH:NAME`, `alpaca:PATH`: the examples of a collection's own files.
    - A mapping: the content of a task file (with `data` or `hf`), or one source with its options, such as
      `{bigbench: strategyqa, exemplars: 3, metric: accuracy}` or `{mmlu: anatomy, hf: cais/mmlu}`.

    Args:
        reference: What to load.
        folder: Where the data of a benchmark lies; None: in the cache.
        base: The folder that relative paths start from.
        cache: The cache folder.

    Raises:
        SourceError: There is no such task, or its data can't be read.
        ManyErrors: All that is wrong with its files.
    """
    source, name, options = _take_apart(reference)
    return SOURCES[source](Request(name, options, base, folder, cache))


def load_instruction_set(name: str, *, base: Path = Path()) -> InstructionSet:
    """An instruction set by name, by a path that ends in .yaml, .yml or .jsonl, or out of a collection's files.

    Args:
        name: Name (`topic`, `catalogue/mmlu`), path, or `flan:PATH`, `flan:PATH:NAME`, `flan:PATH:NAME@KIND`.
        base: The folder that a relative path starts from.

    Raises:
        SourceError: There is no such set, or the file can't be read.
        ManyErrors: All that is wrong with the file.
    """
    if is_collection(name):
        return load_collection_set(name, base)
    if PurePath(name).suffix.lower() in (".yaml", ".yml", ".jsonl"):
        return read_instruction_set(resolve_path(name, base))
    return load_bundled_set(name)


def _take_apart(reference: TaskReference) -> tuple[str, str, Mapping[str, Any]]:
    """Source, name and options of a reference."""
    if isinstance(reference, str):
        return _take_text_apart(reference.strip())
    # A benchmark's key comes first: `{mmlu: anatomy, hf: cais/mmlu}` is MMLU.
    for source in ("bundled", "bigbench", "mmlu", "file"):
        if source in reference:
            return source, _name(source, reference[source]), {key: reference[key] for key in reference if key != source}
    if "hf" in reference:
        hub = reference["hf"]
        name = hub.get("dataset", "") if isinstance(hub, Mapping) else hub
        return "hf", _name("hf", name), reference
    if "data" in reference:
        return "data", "", reference
    raise SourceError(
        f"a task with one of the keys {listed(name for name in SOURCES if name != 'collection')}",
        got=quoted(dict(reference)),
        remedy="add one of them",
    )


def _take_text_apart(reference: str) -> tuple[str, str, Mapping[str, Any]]:
    if reference.startswith("hf:"):
        return "hf", reference.removeprefix("hf:"), {}
    if is_collection(reference):
        return "collection", reference, {}
    if PurePath(reference).suffix.lower() in (".yaml", ".yml"):
        return "file", reference, {}
    source, _, name = reference.partition("/")
    if source in ("bigbench", "mmlu"):
        return source, name, {}
    return "bundled", reference, {}


def _name(source: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SourceError(f"the name of a task after `{source}:`", got=quoted(value), remedy="write its name")
    return value


def sets_asked(loaded: Loaded, names: Sequence[str], *, base: Path) -> list[InstructionSet]:
    """The instruction sets of a task: those named, else those written for it, else those that come with it.

    Args:
        loaded: The task.
        names: Names or files of sets, or `native`.
        base: The folder that relative paths start from.
    """
    if not names:
        return list(sets_for(loaded.task.name) or loaded.instruction_sets)
    found: list[InstructionSet] = []
    for name in names:
        native = name == NATIVE and loaded.instruction_sets
        found += native or (load_instruction_set(name, base=base),)
    return found
