"""Results measured elsewhere become run folders: the same tables, tests and plots work on them.

Knows which reader is for which file. Reads nothing itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from isophrase.errors import ConfigError, SourceError
from isophrase.imported import write_imported
from isophrase.manifest import new_manifest
from isophrase.plan import Asked
from isophrase.results import Inputs, Reading
from isophrase.sources.elsewhere.answers import Answers, Joined, join
from isophrase.sources.elsewhere.helm import read_folder
from isophrase.sources.elsewhere.inspect_ai import read_log
from isophrase.sources.elsewhere.instruction_table import read_results
from isophrase.sources.elsewhere.lm_eval import read_samples
from isophrase.sources.problems import Problems
from isophrase.store import open_run
from isophrase.types import Cell, Instruction, ModelSpec, PromptFormat, Score, digest

_TABLES = (".csv", ".tsv", ".parquet")
_READERS = {".jsonl": read_samples, ".json": read_log, ".eval": read_log}


def import_results(
    paths: Sequence[Path | str], out: Path | str, *, task: str | None = None, model: str | None = None
) -> Path:
    """Make a run folder of files that another tool wrote.

    Args:
        paths: One table of means (.csv, .tsv, .parquet), or logs with single answers: lm-eval samples (.jsonl), Inspect
            logs (.json, .eval), run folders of HELM. Each log is one wording.
        out: The run folder.
        task: The task that several logs are wordings of, where each names it otherwise.
        model: The model's name, where logs do not say.

    Returns:
        The run folder.

    Raises:
        IsophraseError: Everything that is wrong with a file; the folder holds something else.
    """
    files = [Path(path) for path in paths]
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        raise SourceError("existing files", got=f"no {', '.join(missing)}", remedy="check the paths")
    tables = [path for path in files if path.suffix.lower() in _TABLES]
    if tables:
        if len(files) > 1:
            raise ConfigError("one table of results at a time", got=f"{len(files)} files", remedy="import each")
        write_imported(Path(out), read_results(files[0]))
        return Path(out)
    _write_answers(Path(out), join(_answers(files), task, model))
    return Path(out)


def _answers(files: Sequence[Path]) -> list[Answers]:
    found: list[Answers] = []
    problems = Problems("the imported files")
    for path in files:
        reader = read_folder if path.is_dir() else _READERS.get(path.suffix.lower())
        if reader is None:
            problems.add(
                path.name, f"expected a file that ends with {', '.join((*_TABLES, *_READERS))}, or a HELM folder"
            )
            continue
        item = reader(path, problems)
        if item is not None:
            found.append(item)
    problems.check()
    return found


def _write_answers(folder: Path, joined: Sequence[Joined]) -> None:
    """Scores like those of a run that was measured here."""
    models = tuple(dict.fromkeys(item.model for item in joined))
    tasks: dict[str, Joined] = {}
    for item in joined:
        known = tasks.setdefault(item.task.name, item)
        if known is not item and {e.id for e in known.task.examples} != {e.id for e in item.task.examples}:
            raise SourceError(
                "one list of examples for each task",
                got=f"other examples of {item.task.name!r} for {item.model} ({item.shots}-shot)",
                remedy="import each model into a run of its own",
            )
    asked = tuple(Asked(item.task, _rows(item.task.name, joined), item.task.examples) for item in tasks.values())
    inputs = Inputs(
        models=tuple(ModelSpec(name=name, source="imported", dtype="imported") for name in models),
        asked=asked,
        cells=sum(len(item.measurements) for item in joined),
        reading=Reading(),
    )
    digests = {
        "tasks": {item.task.name: digest(item.task) for item in asked},
        "instructions": {item.task.name: digest(item.instructions) for item in asked},
    }
    identity = {
        "config": {"seed": 0},
        "digests": digests,
        "models": {name: {"source": "imported"} for name in models},
        "answers": _digest(joined),
    }
    notes = tuple(dict.fromkeys(note for item in joined for note in item.notes))
    store = open_run(folder, new_manifest(folder.name, identity, notes), inputs.to_json())
    for item in joined:
        scores = [
            Score(
                Cell(item.model, item.task.name, *cell, item.shots, PromptFormat.PLAIN.value, 0, "imported"), measured
            )
            for cell, measured in item.measurements.items()
        ]
        unit = digest([item.model, item.task.name, item.shots])[:20]
        if not store.is_done(unit):
            store.write(unit, scores)


def _rows(task: str, joined: Sequence[Joined]) -> tuple[Instruction, ...]:
    rows = {row.id: row for item in joined if item.task.name == task for row in item.instructions}
    return tuple(rows.values())


def _digest(joined: Sequence[Joined]) -> str:
    cells = sorted(
        (item.model, item.shots, *cell, repr(value)) for item in joined for cell, value in item.measurements.items()
    )
    return hashlib.sha256(repr(cells).encode()).hexdigest()
