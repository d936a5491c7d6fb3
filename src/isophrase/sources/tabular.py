"""Tasks from csv, jsonl and parquet files, described by a task file or by the same mapping given inline.

Knows how a task file finds its data. Does not know what its keys mean (taskfile.py) or how rows are read (rows.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from isophrase.sources.documents import Document, read_yaml, resolve_path
from isophrase.sources.loaded import Loaded, Request
from isophrase.sources.problems import Problems
from isophrase.sources.rows import build_task
from isophrase.sources.tables import read_table
from isophrase.sources.taskfile import TaskFile, parse_task_file


def load_task_file(file: Traversable, folder: Traversable) -> Loaded:
    """The task that a YAML file describes.

    Args:
        file: The task file.
        folder: The folder that its `data` is relative to.

    Raises:
        SourceError: A file can't be read.
        ManyErrors: All that is wrong with the task file, or with its data.
    """
    document = read_yaml(file)
    return _load(document, str(file), folder)


def load_mapping(content: Mapping[str, Any], base: Path, where: str = "inline task") -> Loaded:
    """The task that a mapping describes, with the keys of a task file.

    Args:
        content: The mapping.
        base: The folder that `data` is relative to.
        where: What to call the mapping in messages.

    Raises:
        SourceError: The data can't be read.
        ManyErrors: All that is wrong with the mapping, or with the data.
    """
    return _load(Document(where, dict(content)), where, base)


def load(request: Request) -> tuple[Loaded, ...]:
    """Loader of task files (`name` is the path) and of inline mappings (`options` is the mapping)."""
    if request.options:
        return (load_mapping(request.options, request.base),)
    path = resolve_path(request.name, request.base)
    return (load_task_file(path, path.parent),)


def _load(document: Document, where: str, folder: Traversable) -> Loaded:
    problems = Problems(where)
    file = parse_task_file(document, problems)
    problems.check()
    assert file is not None, "parse_task_file gives None only with problems"
    if file.hf is not None:
        from isophrase.sources.huggingface import load_hub_task

        return load_hub_task(file, document, folder if isinstance(folder, Path) else Path())
    return _load_data(file, document, problems, folder)


def _load_data(file: TaskFile, document: Document, problems: Problems, folder: Traversable) -> Loaded:
    assert file.data is not None, "a task file has data or hf"
    data = resolve_path(file.data, folder) if isinstance(folder, Path) else folder.joinpath(file.data)
    return build_task(file, read_table(data, problems), document, problems)
