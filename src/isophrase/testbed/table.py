"""The testbed's table: what each method repairs, with intervals over seeds, wordings and inputs.

Knows kept rows, and what they are compared with: it counts on a row's runs, wordings and inputs alone. Does not know
how rows came about, the formulas of figures or how intervals are made.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isophrase.statistics.tables import Estimate
from isophrase.testbed.figures import SHARES, Pair, ahead, below_chance
from isophrase.testbed.inputs import ALIGNED
from isophrase.testbed.intervals import estimates, even
from isophrase.testbed.measuring import Exposure, TaskResult, within
from isophrase.testbed.rows import RowResult

_NO_SPREAD = ("ensemble-5",)
"""Methods whose wordings are averages over several: their std and worst are no other method's."""


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        method: Its name.
        runs: Number of seeds × tuned models.
        figures: Name -> estimate, in [0, 1]; see `FIGURES`.
        parameters: Numbers trained.
        minutes: Median time in steps.
        versus: One-sided p of a higher unobserved accuracy than `pt`, paired over runs, not adjusted for the number of
            lines; with n pairs it is at least 1 / 2^n. None without pairs.
        paired: Runs that `pt` has as well.
    """

    method: str
    runs: int
    figures: Mapping[str, Estimate]
    parameters: int
    minutes: float
    versus: float | None
    paired: int


def figure_text(line: Line, name: str) -> str:
    """A figure as it is printed, with its interval: in points, or in % of what it is a share of; or a dash."""
    estimate = line.figures[name]
    share = any(name in names for names in SHARES.values())
    change = "change" in name or " - " in name
    if math.isnan(estimate.value) or (line.method == "none" and (share or name.endswith("change"))):
        return "–"
    if line.method in _NO_SPREAD and ("std" in name or "worst" in name):
        return "–"
    value = f"{100 * estimate.value:{'+' if change else ''}.1f}{' %' if share else ''}"
    return f"{value} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def versus_text(line: Line) -> str:
    """The p against `pt`, with its pairs where these are not all runs; a dash where there are none."""
    if line.versus is None:
        return "–"
    return f"{line.versus:.3f}" + (f" (of {line.paired} runs)" if line.paired < line.runs else "")


def pairs_of(rows: Sequence[RowResult]) -> dict[str, list[Pair]]:
    """Each method's runs beside no repair of the same tuned model, and beside `pt` of the same run."""
    before = {row.fingerprint: row for row in rows if row.method == "none"}
    rivals = {(row.seed, row.fingerprint): row for row in rows if row.method == "pt"}
    found: dict[str, list[Pair]] = {}
    for row in rows:
        if row.fingerprint not in before:
            continue
        rival = None if row.method in ("none", "pt") else rivals.get((row.seed, row.fingerprint))
        pair = Pair(_within(before[row.fingerprint], row), row, rival and _within(rival, row))
        found.setdefault(row.method, []).append(pair)
    return found


def beside(rows: Sequence[RowResult], others: Sequence[RowResult]) -> list[RowResult]:
    """Other rows of the same runs, as far as they are about the same wordings and inputs.

    Args:
        rows: Rows of one quota.
        others: Rows that were measured on more.
    """
    runs = {(row.seed, row.fingerprint) for row in rows}
    models = {row.fingerprint for row in rows}
    return [
        _within(row, rows[0])
        for row in others
        if (row.seed, row.fingerprint) in runs or (row.method == "none" and row.fingerprint in models)
    ]


def without_turned(rows: Sequence[RowResult]) -> list[RowResult]:
    """The rows without the wordings that the unrepaired model answers significantly worse than a guess."""
    before = {row.fingerprint: row for row in rows if row.method == "none"}
    return [
        replace(row, tasks={name: _kept(name, task, before[row.fingerprint]) for name, task in row.tasks.items()})
        for row in rows
        if row.fingerprint in before
    ]


def _kept(name: str, task: TaskResult, before: RowResult) -> TaskResult:
    unrepaired = before.tasks[name]
    asked = np.array([len(marks) - marks.count("-") for marks in unrepaired.right], dtype=np.float64)
    means = np.array([marks.count("1") for marks in unrepaired.right]) / np.maximum(asked, 1)
    turned = below_chance(name.removeprefix("testbed-"), means, asked)
    left = tuple(
        wording
        for wording, exposure, below in zip(unrepaired.wordings, unrepaired.exposures, turned, strict=True)
        if exposure is not Exposure.UNOBSERVED or not below
    )
    return within(task, replace(unrepaired, wordings=left))


def _within(row: RowResult, other: RowResult) -> RowResult:
    return replace(row, tasks={name: within(task, other.tasks[name]) for name, task in row.tasks.items()})


def table(
    rows: Sequence[RowResult],
    tasks: Sequence[str] = ALIGNED,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Line]:
    """All lines.

    Args:
        rows: Kept rows of one source.
        tasks: The aligned tasks that figures are of.
        resamples: Bootstrap draws.
        level: Of the intervals.
        seed: Of the draws.
    """
    return [_line(method, found, tasks, resamples, level, seed) for method, found in pairs_of(rows).items()]


def _line(method: str, pairs: Sequence[Pair], tasks: Sequence[str], resamples: int, level: float, seed: int) -> Line:
    return Line(
        method, len(pairs), estimates(pairs, tasks, resamples=resamples, level=level, seed=seed),
        pairs[0].after.parameters, float(np.median([pair.after.minutes for pair in pairs])), _versus(pairs, tasks),
        sum(pair.rival is not None for pair in pairs),
    )  # fmt: skip


def _versus(pairs: Sequence[Pair], tasks: Sequence[str]) -> float | None:
    """Exact sign-flip test over runs that both methods have, one-sided for a higher unobserved accuracy."""
    found = np.array([ahead(pair, tasks, even(pairs))[0] for pair in pairs if pair.rival is not None])
    if not len(found):
        return None
    flips = np.array(list(itertools.product([1, -1], repeat=len(found))))
    return float(((flips * found).mean(axis=1) >= found.mean() - 1e-12).mean())
