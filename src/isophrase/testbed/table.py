"""The testbed's table: what each method repairs, with intervals over seeds, wordings and inputs.

Knows kept rows. What a row is compared with counts on that row's wordings and inputs alone. Intervals are percentile
bootstrap: seeds with their tuned models, registers of wordings and inputs (both the same in all tasks) are drawn anew
together; the worst wording is that of all registers in every draw, as a minimum over fewer would be another figure.
Runs that share a tuned model count as independent, so intervals and p speak of alignment seeds and texts, hardly of
other tuned models. Does not know how rows came about.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics.tables import Estimate
from isophrase.testbed.inputs import ALIGNED, HELD_OUT
from isophrase.testbed.measuring import Exposure, TaskResult, within
from isophrase.testbed.rows import RowResult

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A repaired model with the tuned model that it was made of."""

    before: RowResult
    after: RowResult


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        method: Its name.
        runs: Number of seeds × tuned models.
        figures: Name -> estimate, in [0, 1] unless the name says otherwise; see `FIGURES`.
        parameters: Numbers trained.
        minutes: Median time in steps.
        versus: One-sided p of a higher unobserved accuracy than `pt`, paired over runs, not adjusted for the number of
            lines; with n runs it is at least 1 / 2^n. None without pairs.
    """

    method: str
    runs: int
    figures: Mapping[str, Estimate]
    parameters: int
    minutes: float
    versus: float | None


FIGURES = (
    "observed", "unobserved", "unobserved std", "worst", "gap closed", "gap closed (observed after)", "std change",
    "worst change", "observed change", "trained - unobserved", "negation drop change", "negation drop kept",
    "held-out change",
)  # fmt: skip


_SHARES = {
    "gap": ("gap closed", "gap closed (observed after)"),
    "drop": ("negation drop kept",),
    "std before": ("std change",),
}
"""What shares are taken of."""


@dataclass(frozen=True)
class _Draw:
    """How often each run, register and input counts."""

    runs: Floats
    registers: Mapping[str, float]
    inputs: Floats
    noise: float
    """How many times the luck of the inputs is in a variance: 1 as measured, 2 in a resample."""


def figure_text(line: Line, name: str) -> str:
    """A figure as it is printed: in points or per cent, with its interval; a dash where there is nothing to compare."""
    estimate = line.figures[name]
    compared = any(word in name for word in ("change", "closed", "kept"))
    if math.isnan(estimate.value) or (line.method == "none" and compared):
        return "–"
    value = f"{100 * estimate.value:{'+' if 'change' in name else ''}.1f}"
    return f"{value} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def pairs_of(rows: Sequence[RowResult]) -> dict[str, list[Pair]]:
    """Each method's runs beside no repair of the same tuned model."""
    before = {row.fingerprint: row for row in rows if row.method == "none"}
    found: dict[str, list[Pair]] = {}
    for row in rows:
        if row.fingerprint in before:
            found.setdefault(row.method, []).append(Pair(_within(before[row.fingerprint], row), row))
    return found


def _within(row: RowResult, other: RowResult) -> RowResult:
    return replace(row, tasks={name: within(task, other.tasks[name]) for name, task in row.tasks.items()})


def table(rows: Sequence[RowResult], *, resamples: int = 2000, level: float = 0.95, seed: int = 0) -> list[Line]:
    """All lines.

    Args:
        rows: Kept rows of one source.
        resamples: Bootstrap draws.
        level: Of the intervals.
        seed: Of the draws.
    """
    pairs = pairs_of(rows)
    return [_line(method, found, pairs.get("pt", []), resamples, level, seed) for method, found in pairs.items()]


def _line(method: str, pairs: Sequence[Pair], rivals: Sequence[Pair], resamples: int, level: float, seed: int) -> Line:
    registers = sorted(
        {
            register
            for task in _tasks(pairs[0].after, ALIGNED)
            for register, exposure in zip(task.registers, task.exposures, strict=True)
            if exposure is Exposure.UNOBSERVED
        }
    )
    inputs = len(_tasks(pairs[0].after, ALIGNED)[0].inputs)
    even = _Draw(np.ones(len(pairs)), dict.fromkeys(registers, 1.0), np.ones(inputs), 1.0)
    point = _figures(pairs, even)
    random = np.random.default_rng(seed)
    draws = [_figures(pairs, _resample(random, len(pairs), registers, inputs)) for _ in range(resamples)]
    tail = (1 - level) / 2
    figures = {}
    for name in FIGURES:
        values = np.array([draw[name] for draw in draws])
        known = values[~np.isnan(values)]  # a share has no value in the rare draw where there is nothing to share
        low, high = np.quantile(known, [tail, 1 - tail]) if len(known) else (np.nan, np.nan)
        figures[name] = Estimate(point[name], float(low), float(high), level)
    for whole, shares in _SHARES.items():  # a share of what may well be nothing is no number
        if np.quantile([draw[whole] for draw in draws], tail) <= 0:
            figures |= dict.fromkeys(shares, Estimate(float("nan"), float("nan"), float("nan"), level))
    return Line(
        method, len(pairs), figures, pairs[0].after.parameters,
        float(np.median([pair.after.minutes for pair in pairs])), _versus(pairs, rivals),
    )  # fmt: skip


def _tasks(row: RowResult, names: Sequence[str]) -> list[TaskResult]:
    return [row.tasks[f"testbed-{name}"] for name in names]


def _resample(random: np.random.Generator, runs: int, registers: Sequence[str], inputs: int) -> _Draw:
    drawn = random.multinomial(len(registers), np.full(len(registers), 1 / len(registers)))
    return _Draw(
        random.multinomial(runs, np.full(runs, 1 / runs)).astype(np.float64),
        dict(zip(registers, drawn.astype(np.float64), strict=True)),
        random.multinomial(inputs, np.full(inputs, 1 / inputs)).astype(np.float64),
        2.0,
    )


@dataclass(frozen=True)
class _Side:
    """One model's figures, averaged over tasks."""

    observed: float
    unobserved: float
    trained: float
    negated: float
    variance: float
    worst: float


def _figures(pairs: Sequence[Pair], draw: _Draw) -> dict[str, float]:
    before = _average([_side(pair.before, ALIGNED, draw) for pair in pairs], draw.runs)
    after = _average([_side(pair.after, ALIGNED, draw) for pair in pairs], draw.runs)
    held = [
        _side(pair.after, HELD_OUT, draw).unobserved - _side(pair.before, HELD_OUT, draw).unobserved for pair in pairs
    ]
    gap = before.observed - before.unobserved
    stds = [np.sqrt(max(side.variance, 0.0)) for side in (before, after)]
    drops = [side.observed - side.negated for side in (before, after)]
    gained = after.unobserved - before.unobserved
    return {
        "gap": gap,
        "drop": drops[0],
        "std before": float(stds[0]),
        "observed": after.observed,
        "unobserved": after.unobserved,
        "unobserved std": float(stds[1]),
        "worst": after.worst,
        "gap closed": gained / gap if gap else np.nan,
        "gap closed (observed after)": 1 - (after.observed - after.unobserved) / gap if gap else np.nan,
        "std change": float(stds[1] / stds[0] - 1) if stds[0] else np.nan,
        "worst change": after.worst - before.worst,
        "observed change": after.observed - before.observed,
        "trained - unobserved": after.trained - after.unobserved,
        "negation drop change": drops[1] - drops[0],
        "negation drop kept": drops[1] / drops[0] if drops[0] else np.nan,
        "held-out change": float(np.average(held, weights=draw.runs)),
    }


def _average(sides: Sequence[_Side], weights: Floats) -> _Side:
    return _Side(*(float(np.average([vars(side)[name] for side in sides], weights=weights)) for name in vars(sides[0])))


def _side(row: RowResult, names: Sequence[str], draw: _Draw) -> _Side:
    found = [_of_task(task, draw) for task in _tasks(row, names)]
    return _Side(*(float(np.mean([vars(side)[name] for side in found])) for name in vars(found[0])))


@dataclass(frozen=True)
class _Parsed:
    """A task's answers as arrays: values with 0 where unscored, and which are scored; which wordings are what."""

    values: Floats
    scored: Floats
    places: Mapping[Exposure, NDArray[np.bool_]]
    registers: tuple[str, ...]
    noise: float


@cache
def _parse(task: TaskResult) -> _Parsed:
    values = np.array([[{"1": 1.0, "0": 0.0, "-": np.nan}[mark] for mark in row] for row in task.right])
    places = {kind: np.array([one is kind for one in task.exposures]) for kind in Exposure}
    unseen = places[Exposure.UNOBSERVED]
    registers = tuple(name for name, one in zip(task.registers, unseen, strict=True) if one)
    scored = ~np.isnan(values)
    return _Parsed(np.where(scored, values, 0.0), scored.astype(np.float64), places, registers, _noise(values[unseen]))


def _of_task(task: TaskResult, draw: _Draw) -> _Side:
    parsed = _parse(task)
    weights = draw.inputs[: parsed.values.shape[1]]
    if not weights.any():
        weights = np.ones_like(weights)
    means = parsed.values @ weights / np.maximum(parsed.scored @ weights, 1e-12)

    def mean(exposure: Exposure) -> float:
        chosen = means[parsed.places[exposure]]
        return float(chosen.mean()) if len(chosen) else np.nan

    counts = np.array([draw.registers.get(name, 0.0) for name in parsed.registers])
    if not counts.any():
        counts = np.ones_like(counts)
    chosen = means[parsed.places[Exposure.UNOBSERVED]]
    average = float(counts @ chosen / counts.sum())
    variance = float(counts @ (chosen - average) ** 2 / max(counts.sum() - 1, 1))
    return _Side(
        mean(Exposure.OBSERVED), average, mean(Exposure.TRAINED), mean(Exposure.NEGATED),
        variance - draw.noise * parsed.noise, float(chosen.min()),
    )  # fmt: skip


def _noise(values: Floats) -> float:
    """The variance of a wording's mean that is the luck of the inputs: residuals of the two-way model over inputs."""
    rows, columns = values.shape
    residuals = (
        values
        - np.nanmean(values, axis=1, keepdims=True)
        - np.nanmean(values, axis=0, keepdims=True)
        + np.nanmean(values)
    )
    return float(np.nansum(residuals**2) / ((rows - 1) * (columns - 1)) / columns)


def _versus(pairs: Sequence[Pair], rivals: Sequence[Pair]) -> float | None:
    """Exact sign-flip test over runs that both methods have, one-sided for a higher unobserved accuracy."""
    theirs = {(pair.after.seed, pair.after.fingerprint): pair.after for pair in rivals}
    differences = []
    for pair in pairs:
        rival = theirs.get((pair.after.seed, pair.after.fingerprint))
        if rival is None or rival is pair.after or rival.method == pair.after.method:
            continue
        registers = {name: 1.0 for task in pair.after.tasks.values() for name in task.registers}
        inputs = len(_tasks(pair.after, ALIGNED)[0].inputs)
        even = _Draw(np.ones(1), registers, np.ones(inputs), 1.0)
        theirs_here = _within(rival, pair.after)
        differences.append(_side(pair.after, ALIGNED, even).unobserved - _side(theirs_here, ALIGNED, even).unobserved)
    if not differences:
        return None
    found = np.array(differences)
    flips = np.array(list(itertools.product([1, -1], repeat=len(found))))
    return float(((flips * found).mean(axis=1) >= found.mean() - 1e-12).mean())
