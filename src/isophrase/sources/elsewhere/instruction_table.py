"""Result tables without single answers: one row a wording, as the authors of the paper publish theirs.

Columns `Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?` (arXiv 2306.11270). `Type` is `Observed` or
`Unobserved`; `Include?` is TRUE or False in any case; `PD` (or nothing) in Performance is a cell that was never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isophrase.sources.problems import Problems, listed, quoted
from isophrase.sources.tables import Row, read_table

COLUMNS = ("Model", "Dataset", "Collection", "Type", "ID", "Shots", "Performance", "Metric", "Include?")
_NEVER_RUN = {"pd", "", "nan", "n/a"}
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_OBSERVED, _UNOBSERVED = {"observed", "seen"}, {"unobserved", "unseen"}


@dataclass(frozen=True)
class WordingResult:
    """One row of such a table.

    Attributes:
        model: Model name.
        task: The column Dataset.
        collection: Where the wording comes from.
        observed: Whether the wording was seen in training; None where the column says neither.
        wording: Collection and ID.
        shots: Exemplars.
        performance: In [0, 1]; None for a cell that was never run.
        metric: As the table says.
    """

    model: str
    task: str
    collection: str
    observed: bool | None
    wording: str
    shots: int
    performance: float | None
    metric: str


@dataclass(frozen=True)
class ResultTable:
    """A whole table: included rows, and how many were left out."""

    where: str
    rows: tuple[WordingResult, ...]
    excluded: int
    never_run: int


def read_results(path: Path) -> ResultTable:
    """Read and check a table; everything that is wrong with it at once.

    Raises:
        SourceError: It is no table, or a column is missing.
        ManyErrors: What is wrong in its rows, with lines.
    """
    problems = Problems(path.name)
    table = read_table(path, problems)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        problems.add(path.name, f"expected the columns {listed(COLUMNS)}; got none called {listed(missing)}")
    problems.check()
    percent = _in_percent(table.rows)
    rows: list[WordingResult] = []
    seen: dict[tuple[str, str, str, int], str] = {}
    excluded = 0
    for row in table.rows:
        result, included = _row(row, percent, problems)
        if result is None:
            continue
        if not included:
            excluded += 1
            continue
        key = (result.model, result.task, result.wording, result.shots)
        if key in seen:
            problems.add(
                row.place, f"expected each wording once for a model, dataset and shots; got it in {seen[key]} too"
            )
        seen[key] = row.place
        rows.append(result)
    problems.check()
    never_run = sum(row.performance is None for row in rows)
    return ResultTable(path.name, tuple(rows), excluded, never_run)


def _in_percent(rows: tuple[Row, ...]) -> bool:
    """Whether performances are 0 to 100: one above 1 says so for the whole table."""
    return any((value := _number(row.values["Performance"])) is not None and value > 1 for row in rows)


def _row(row: Row, percent: bool, problems: Problems) -> tuple[WordingResult | None, bool]:
    values = {name: str(row.values.get(name) or "").strip() for name in COLUMNS}
    before = len(problems)
    included = _flag(values["Include?"], row.place, problems)
    performance = _performance(values["Performance"], percent, row.place, problems)
    shots = values["Shots"] or "0"
    if not shots.isdigit():
        problems.add(row.place, f"Shots: expected a number; got {quoted(shots)}")
    for name in ("Model", "Dataset", "ID"):
        if not values[name]:
            problems.add(row.place, f"{name}: expected a name; got nothing")
    if len(problems) > before:
        return None, False
    return _result(values, performance, int(shots)), included


def _result(values: Mapping[str, str], performance: float | None, shots: int) -> WordingResult:
    kind = values["Type"].lower()
    observed = True if kind in _OBSERVED else False if kind in _UNOBSERVED else None
    wording = f"{values['Collection']}/{values['ID']}" if values["Collection"] else values["ID"]
    return WordingResult(
        model=values["Model"],
        task=values["Dataset"],
        collection=values["Collection"] or "unknown",
        observed=observed,
        wording=wording,
        shots=shots,
        performance=performance,
        metric=values["Metric"],
    )


def _flag(text: str, place: str, problems: Problems) -> bool:
    if text.lower() in _FALSE:
        return False
    if text.lower() not in _TRUE | {""}:
        problems.add(place, f"Include?: expected TRUE or FALSE; got {quoted(text)}")
    return True


def _performance(text: str, percent: bool, place: str, problems: Problems) -> float | None:
    if text.lower() in _NEVER_RUN:
        return None
    value = _number(text)
    if value is None or not 0 <= value <= 100:
        problems.add(place, f"Performance: expected a number from 0 to 100, or PD; got {quoted(text)}")
        return None
    return value / 100 if percent else value


def _number(value: object) -> float | None:
    try:
        return float(str(value).strip().removesuffix("%"))
    except ValueError:
        return None
