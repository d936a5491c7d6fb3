"""Tasks from data sets of the Hugging Face hub, and from folders that its library saved or that hold parquet files.

Knows how to get the rows and class names of a split, and the common shapes. Never runs a data set's code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isophrase.errors import SourceError
from isophrase.network import call_within
from isophrase.sources.documents import Document, resolve_path
from isophrase.sources.loaded import Loaded, Request
from isophrase.sources.problems import Problems, listed
from isophrase.sources.rows import build_task
from isophrase.sources.tables import Row, Table
from isophrase.sources.taskfile import HubData, LabelType, OptionSource, TaskFile, parse_task_file
from isophrase.types import TaskKind

PROBE_SECONDS = 10.0
"""How long the hub has to say that a data set is there."""

_SLICE = re.compile(r"^(?P<name>[^\[\]]+?)(?:\[(?P<start>\d*):(?P<stop>\d*)\])?$")


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one split.

    Attributes:
        columns: Column names.
        class_names: Column -> names of its classes, where its values are class numbers.
        rows: Column -> value.
    """

    columns: tuple[str, ...]
    class_names: Mapping[str, tuple[str, ...]]
    rows: Iterable[Mapping[str, Any]]


def load(request: Request) -> tuple[Loaded, ...]:
    """Loader of `hf:ID`, `hf:ID:SUBSET` and `{hf: ID, …}` with the keys of a task file.

    Without `fields`, two shapes are recognised: question, choices and answer; and texts with one column of classes.

    Raises:
        SourceError: No such data set, no hub, no package `datasets`, or no known shape.
        ManyErrors: All that is wrong with the mapping or the rows.
    """
    options = dict(request.options)
    if "hf" not in options:
        dataset, _, subset = request.name.partition(":")
        options["hf"] = {"dataset": dataset, **({"subset": subset} if subset else {})}
    name = request.name.rstrip("/").rsplit("/", 1)[-1].replace(":", "/")
    document = Document(f"hf:{request.name}", {"name": name, **options})
    if "fields" not in options:
        document = _guess(document, request.base)
    problems = Problems(document.where)
    file = parse_task_file(document, problems)
    problems.check()
    assert file is not None, "parse_task_file gives None only with problems"
    return (load_hub_task(file, document, request.base),)


def load_hub_task(file: TaskFile, document: Document, base: Path) -> Loaded:
    """The task that a task file with `hf` describes.

    Args:
        file: The checked task file.
        document: Its source, for messages.
        base: The folder that relative paths start from.

    Raises:
        SourceError: The data can't be had.
        ManyErrors: All that is wrong with the mapping or the rows.
    """
    assert file.hf is not None, "the caller checked for `hf`"
    data = file.hf
    parts, revision = _parts(data, base)
    first = next(iter(parts.values()))[1]
    if file.options is None and file.label in first.class_names and len(first.class_names[file.label]) > 1:
        # Values of such a column are class numbers, so labels are indexes and the class names the options.
        options = OptionSource(fixed=first.class_names[file.label])
        file = file.model_copy(update={"options": options, "label_type": file.label_type or LabelType.INDEX})
    problems = Problems(document.where)
    if file.options is None and file.kind is not TaskKind.GENERATION:
        problems.add("", f"a {file.kind.value} task needs `options`; the column {file.label!r} has no class names")
    if revision and "version" not in file.model_fields_set:
        file = file.model_copy(update={"version": revision[:12]})
    wanted = {column for _, column in file.columns()}
    rows = tuple(
        Row(f"{data.dataset} {name} row {number}", values, split, f"{split.value}-{number}")
        for split, (name, part) in parts.items()
        for number, values in enumerate(_only(part.rows, wanted), start=1)
    )
    if not rows:
        raise SourceError("at least one row", got=f"none in {data.dataset}", remedy="choose other `splits`")
    return build_task(file, Table(data.dataset, first.columns, rows), document, problems)


def local_folder(dataset: str, base: Path) -> Path | None:
    """The folder that a data set's name means, or None for a hub id."""
    path = resolve_path(dataset, base)
    if path.is_dir():
        return path
    if dataset.startswith((".", "/", "~")):
        raise SourceError("a folder with a data set", got=f"no folder {path}", remedy="check the path")
    return None


def _only(rows: Iterable[Mapping[str, Any]], wanted: set[str]) -> Iterator[Mapping[str, Any]]:
    # Columns that are not asked for may be images: a data set decodes them only when they are read.
    select = getattr(rows, "select_columns", None)
    if select is not None:
        rows = select([name for name in getattr(rows, "column_names", []) if name in wanted])
    for row in rows:
        yield {name: value for name, value in row.items() if name in wanted}


def _parts(data: HubData, base: Path) -> tuple[dict[Any, tuple[str, _Part]], str | None]:
    """The wanted splits, and the hub's commit."""
    folder = local_folder(data.dataset, base)
    if folder is not None:
        return {split: (name, _local(folder, name)) for split, name in data.splits.items()}, None
    _need_datasets()
    revision = _probe(data)
    return {split: (name, _from_hub(data, name)) for split, name in data.splits.items()}, revision


def _guess(document: Document, base: Path) -> Document:
    """The same mapping with the keys that a known shape implies."""
    content = document.content
    try:
        data = HubData.model_validate({"dataset": content["hf"]} if isinstance(content["hf"], str) else content["hf"])
    except ValueError:
        return document  # the check of the whole mapping names what is wrong
    parts, _ = _parts(data, base)
    _, part = next(iter(parts.values()))
    texts = [name for name in part.columns if name not in part.class_names]
    if {"question", "choices", "answer"} <= set(part.columns):
        shape: dict[str, Any] = {
            "kind": "multiple_choice",
            "fields": {"input": "question"},
            "options": "choices",
            "label": "answer",
        }
    elif len(part.class_names) == 1 and texts:
        label = next(iter(part.class_names))
        sample = next(iter(part.rows), {})
        texts = [name for name in texts if isinstance(sample.get(name), str) and name.isidentifier()]
        fields = {"input": texts[0]} if len(texts) == 1 else {name: name for name in texts}
        shape = {"kind": "classification", "fields": fields, "label": label}
    else:
        raise SourceError(
            f"a mapping for {data.dataset} (`kind`, `fields`, `label`, `options`)",
            got=f"none, and the columns {listed(part.columns)} are of no known shape",
            remedy="write a task file with `hf:` (docs/data-formats.md)",
        )
    return Document(document.where, {**shape, **content})


def _slice(name: str) -> tuple[str, slice]:
    match = _SLICE.match(name)
    if match is None:
        raise SourceError("a split such as `test` or `train[:50]`", got=repr(name), remedy="mend `splits`")
    start, stop = match["start"], match["stop"]
    return match["name"], slice(int(start) if start else None, int(stop) if stop else None)


def _local(folder: Path, name: str) -> _Part:
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        return _saved(folder, name)
    return _parquet(folder, name)


def _saved(folder: Path, name: str) -> _Part:
    """A split of a data set that was saved with save_to_disk."""
    _need_datasets()
    import datasets

    base, part = _slice(name)
    try:
        saved = datasets.load_from_disk(str(folder))
    except Exception as error:  # the library raises many kinds
        raise SourceError("a saved data set", got=f"{folder}: {_line(error)}", remedy="save it again") from None
    if isinstance(saved, datasets.DatasetDict):
        if base not in saved:
            raise _no_split(base, folder, saved)
        saved = saved[base]
    return _of_dataset(saved.select(range(*part.indices(len(saved)))))


def _parquet(folder: Path, name: str) -> _Part:
    """A split of a folder of parquet files: those named after it (`test-0.parquet`, `test/0.parquet`), or else all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    base, part = _slice(name)
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        got = f"{folder} with neither"
        raise SourceError("a saved data set or parquet files", got=got, remedy="check the folder")
    named = {file: re.split(r"[-_.]", file.name)[0] if file.parent == folder else file.parent.name for file in files}
    known = {item for item in named.values() if item in ("train", "validation", "test", "dev", base)}
    chosen = [file for file in files if named[file] == base] if known else files
    if not chosen:
        raise _no_split(base, folder, known)
    try:
        table = pa.concat_tables([pq.read_table(file) for file in chosen], promote_options="default")
    except (pa.ArrowException, OSError) as error:
        raise SourceError("parquet files", got=f"{folder}: {_line(error)}", remedy="write them again") from None
    metadata = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    features = metadata.get("info", {}).get("features", {})
    classes = {
        column: tuple(feature["names"])
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
    }
    return _Part(tuple(table.column_names), classes, table.to_pylist()[part])


def _from_hub(data: HubData, name: str) -> _Part:
    import datasets
    from huggingface_hub import constants

    try:
        loaded = datasets.load_dataset(data.dataset, data.subset, split=name, revision=data.revision)
    except Exception as error:  # the library raises many kinds
        remedy = "check `subset`, `revision` and `splits`"
        if constants.HF_HUB_OFFLINE:
            remedy += ", or load it once without HF_HUB_OFFLINE"
        raise SourceError(f"split {name!r} of {data.dataset}", got=_line(error), remedy=remedy) from None
    return _of_dataset(loaded)


def _of_dataset(dataset: Any) -> _Part:
    import datasets

    classes = {
        column: tuple(feature.names)
        for column, feature in dataset.features.items()
        if isinstance(feature, datasets.ClassLabel)
    }
    return _Part(tuple(dataset.column_names), classes, dataset)


def _probe(data: HubData) -> str | None:
    """The commit of a data set on the hub, or None where the hub's library is told to stay offline.

    The library itself would retry an unreachable hub for half a minute.
    """
    from huggingface_hub import HfApi, constants, errors

    if constants.HF_HUB_OFFLINE:
        return None
    expected = f"the data set {data.dataset!r} on the Hugging Face hub"
    try:
        info = call_within(
            PROBE_SECONDS, lambda: HfApi().dataset_info(data.dataset, revision=data.revision, timeout=PROBE_SECONDS)
        )
    except errors.GatedRepoError:
        raise SourceError(
            expected, got="a gated one", remedy="ask for access, and log in with `hf auth login`"
        ) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError):
        got = "no such data set or revision (or a private one)"
        raise SourceError(expected, got=got, remedy="check the id; a folder needs a path such as ./data") from None
    except Exception as error:  # no network, no name, a proxy's answer, a timeout
        raise SourceError(
            expected,
            got=f"no answer ({_line(error)})",
            remedy="check the network, set HF_HUB_OFFLINE=1 to use what is cached, or name a local folder",
        ) from None
    return info.sha


def _need_datasets() -> None:
    try:
        import datasets  # noqa: F401
    except ImportError:
        raise SourceError(
            "the package `datasets`", got="it is not installed", remedy="run `pip install 'isophrase[datasets]'`"
        ) from None


def _no_split(name: str, folder: Path, known: Iterable[str]) -> SourceError:
    return SourceError(f"a split {name!r} in {folder}", got=listed(sorted(known)) or "none", remedy="mend `splits`")


def _line(error: BaseException) -> str:
    """The first line of a library's message."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
