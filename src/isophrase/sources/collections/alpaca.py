"""Alpaca-style JSON (Taori et al. 2023): a list, or lines, of objects with `instruction`, `input` and `output`.

Knows their keys. All rows become one generation task with a set that shows each row's own instruction; every different
instruction that takes an input becomes a wording of the set `alpaca`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isophrase.errors import SourceError
from isophrase.sources.collections.collected import Collected, add, files_of, literal
from isophrase.sources.documents import decode, read_bytes
from isophrase.sources.loaded import Loaded
from isophrase.sources.problems import Problems
from isophrase.sources.tables import json_lines
from isophrase.types import Example, Instruction, InstructionSet, Metric, OutputForm, Task, TaskKind

COLLECTION = "alpaca"
ORIGIN = "Alpaca-style JSON, read from the user's own files"
_NO_INPUT = frozenset({"", "noinput", "<noinput>", "none", "n/a"})


def read_alpaca(path: Path) -> Collected:
    """An Alpaca-style .json or .jsonl file.

    Raises:
        SourceError: There is no such file, or no row can be read.
    """
    (file,) = files_of(path, ".json")[:1]
    problems = Problems(str(path))
    examples: list[Example] = []
    members: list[Instruction] = []
    seen: set[str] = set()
    alone = 0
    for place, entry in _rows(file, problems):
        texts = {key: entry.get(key, "") for key in ("instruction", "input", "output")}
        wrong = [key for key, value in texts.items() if not isinstance(value, str)]
        empty = [key for key in ("instruction", "output") if not wrong and not texts[key].strip()]
        if wrong or empty:
            problems.add(place, f"`{(wrong or empty)[0]}` is no text or empty; mend or remove the row")
            continue
        asked, given = texts["instruction"].strip(), texts["input"].strip()
        given = "" if given.lower() in _NO_INPUT else given
        text = f"{asked}\n\n{given}" if given else asked
        examples.append(Example(str(len(examples) + 1), {"text": text}, references=(texts["output"].strip(),)))
        alone += not given
        if given and asked not in seen:
            seen.add(asked)
            _wording(members, asked, place, problems)
    if not examples:
        reasons = "; ".join(problems.shown()) or "none"
        raise SourceError("rows with `instruction` and `output`", got=f"{path}: {reasons}", remedy="give Alpaca JSON")
    name = f"{COLLECTION}/{file.stem}"
    native = Instruction("native", "{{ text }}", COLLECTION, OutputForm.TEXT, author="Alpaca")
    task = Task(name, "1", TaskKind.GENERATION, Metric.TOKEN_F1, tuple(examples), "", ORIGIN)
    loaded = Loaded(task, (InstructionSet(f"{name}/native", "1", (native,), (name,), ORIGIN),))
    sets = (InstructionSet(name, "1", tuple(members), (), ORIGIN),) if members else ()
    notes = (f"{alone:,} rows without input are in the task, but are no wordings",) if alone else ()
    return Collected(COLLECTION, sets, (loaded,), tuple(problems.all()), notes)


def _wording(members: list[Instruction], asked: str, place: str, problems: Problems) -> None:
    item = Instruction(
        f"instruction-{len(members) + 1}", f"{literal(asked)}\n\n{{{{ input }}}}", COLLECTION, OutputForm.TEXT,
        author="Alpaca",
    )  # fmt: skip
    # Every text differs, so the slow look for equal ones is spared: there may be tens of thousands.
    check: list[Instruction] = []
    add(check, item, place, problems)
    members += check


def _rows(file: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    where = file.name
    text = decode(read_bytes(file), where)
    if file.suffix.lower() == ".jsonl":
        yield from json_lines(text, where, problems)
        return
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(
            "JSON", got=f"{where}:{error.lineno}: {error.msg}", remedy="mend the file, or use jsonl"
        ) from None
    if not isinstance(content, list):
        raise SourceError("a JSON list of rows", got=f"{where} with a {type(content).__name__}", remedy="mend the file")
    for number, entry in enumerate(content):
        if isinstance(entry, dict):
            yield f"{where}[{number}]", entry
        else:
            problems.add(f"{where}[{number}]", f"is a {type(entry).__name__} instead of an object; mend or remove it")
