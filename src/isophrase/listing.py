"""What there is: models, tasks and instruction sets, as rows and lines for a command line.

Knows the catalog, the bundled data and what was fetched into the cache. Measures nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from isophrase.cache import cache_folder
from isophrase.errors import SourceError
from isophrase.models.catalog import CATALOG, is_ready
from isophrase.sources.bigbench import bigbench_folder, bigbench_tasks
from isophrase.sources.bundled import bundled_sets, bundled_tasks, catalogue_sets, load_bundled_set, load_bundled_task
from isophrase.sources.collections.mapping import kind_of, mapping_for
from isophrase.sources.collections.readers import READERS, read_collection
from isophrase.sources.resolve import load_instruction_set, load_tasks
from isophrase.types import Example, Instruction, Split

MODEL_COLUMNS = ("name", "parameters", "licence", "in the cache", "what it is")
TASK_COLUMNS = ("name", "kind", "examples", "what it is")
SET_COLUMNS = ("name", "version", "instructions", "tasks", "languages")


def models() -> list[tuple[str, ...]]:
    """The models that have a name of their own."""
    return [
        (item.name, f"{item.parameters:,}", item.licence, "yes" if is_ready(item) else "no", item.description)
        for item in CATALOG.values()
    ]


def tasks() -> list[tuple[str, ...]]:
    """The bundled tasks, then the names of fetched ones."""
    bundled = [load_bundled_task(name).task for name in bundled_tasks()]
    rows: list[tuple[str, ...]] = [
        (task.name, task.kind.value, f"{len(task.split(Split.TEST)):,}", task.description) for task in bundled
    ]
    fetched = bigbench_tasks(bigbench_folder(cache_folder()))
    return rows + [(f"bigbench/{name}", "", "", "") for name in fetched]


def instruction_sets() -> list[tuple[str, ...]]:
    """The bundled instruction sets, then those of the catalogue."""
    sets = [load_bundled_set(name) for name in (*bundled_sets(), *catalogue_sets())]
    return [
        (
            item.name,
            item.version,
            str(len(item.instructions)),
            ", ".join(item.tasks) or "any that fits",
            ", ".join(sorted({instruction.language for instruction in item.instructions})),
        )
        for item in sets
    ]


def describe_task(name: str, examples: int) -> Iterator[str]:
    """A task, or each task of a group: what it is, then some of its test examples."""
    for loaded in load_tasks(name, base=Path(), cache=cache_folder()):
        task = loaded.task
        splits = Counter(example.split.value for example in task.examples)
        yield f"{task.name} (version {task.version}): {task.description}"
        yield f"  kind: {task.kind.value}; metric: {task.metric.value}; fields: {', '.join(sorted(task.field_names))}"
        yield f"  examples: {', '.join(f'{count:,} {split}' for split, count in splits.items())}"
        yield f"  origin: {task.origin}"
        yield from (f"  note: {note}" for note in loaded.notes)
        for example in task.split(Split.TEST)[:examples]:
            yield from _example(example)


def _example(example: Example) -> Iterator[str]:
    yield f"\n  [{example.id}]"
    yield from (f"  {name}: {value}" for name, value in example.fields.items())
    yield from (f"  {'*' if index in example.gold else '-'} {option}" for index, option in enumerate(example.options))
    yield from (f"  = {reference}" for reference in example.references)


def describe_instruction_set(name: str) -> Iterator[str]:
    """An instruction set: what it is, then every wording."""
    found = load_instruction_set(name)
    yield f"{found.name} (version {found.version}), for {', '.join(found.tasks) or 'any task that fits'}"
    yield f"  origin: {found.origin}"
    for item in found.instructions:
        yield from _instruction(item)


def describe_collection(name: str, place: Path | None, kind: str | None) -> Iterator[str]:
    """What a collection's files hold; with a kind of task, the templates that apply to it and the slots as fields.

    Args:
        name: A collection (`flan`), or a reference to its files (`flan:templates.py`).
        place: The file or folder; None: `collections/NAME` in the cache.
        kind: A kind of task, or None for everything.
    """
    prefix, _, path = name.partition(":")
    found = read_collection(prefix, place or (Path(path).expanduser() if path else collection_folder(prefix)))
    if kind is not None:
        kind_of(kind)
    wordings = sum(len(item.instructions) for item in found.sets)
    yield f"{found.collection}: {len(found.sets):,} sets, {wordings:,} wordings"
    for item in found.sets:
        applies = [(member, mapping_for(member, kind) if kind else {}) for member in item.instructions]
        kept = [(member, mapping) for member, mapping in applies if mapping is not None]
        if not kept:
            continue
        yield f"\n{item.name}: {len(kept)} of {len(item.instructions)} apply" if kind else f"\n{item.name}"
        for member, mapping in kept:
            yield from _instruction(member)
            if kind:
                slots = ", ".join(f"{slot} -> {field}" for slot, field in sorted(mapping.items()))
                yield f"    slots: {slots or 'none'}"
    yield from (f"problem: {problem}" for problem in found.problems)
    yield from (f"note: {note}" for note in found.notes)


def is_collection_name(name: str) -> bool:
    """Whether a name is that of a collection, or a reference to its files."""
    return name.partition(":")[0] in READERS


def collection_folder(name: str) -> Path:
    """Where the files of a collection lie if nothing else is said.

    Raises:
        SourceError: There are none.
    """
    folder = cache_folder() / "collections" / name
    if not folder.exists():
        raise SourceError(
            f"the files of {name}", got=f"nothing at {folder}",
            remedy=f"say where yours are (--from PATH, or {name}:PATH), or put them there",
        )  # fmt: skip
    return folder


def _instruction(item: Instruction) -> Iterator[str]:
    parts = (item.role.value, item.collection, item.register, item.language, f"asks for a {item.output_form.value}")
    yield f"\n  [{item.id}] {', '.join(part for part in parts if part)}"
    yield from (f"    {line}" for line in item.template.splitlines())
