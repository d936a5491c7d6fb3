"""The figures of one method on the testbed, when runs, wordings and inputs count as often as asked.

Knows formulas. Does not know where the counts come from, or what an interval is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from isophrase.testbed.inputs import HELD_OUT, RULES
from isophrase.testbed.measuring import Exposure, TaskResult
from isophrase.testbed.rows import RowResult

Floats = NDArray[np.float64]

FIGURES = (
    "observed", "unobserved", "unobserved std", "worst", "below chance", "gap closed", "gap closed (observed after)",
    "std change", "worst change", "observed change", "trained - unobserved", "negation drop change",
    "negation drop kept", "held-out unobserved change", "held-out observed change", "held-out negation drop kept",
    "unobserved - pt",
)  # fmt: skip
"""Names, in the order of the table. `below chance` is the share of unobserved wordings that are significantly so."""
SHARES = {
    "gap": ("gap closed",),
    "gap to observed after": ("gap closed (observed after)",),
    "drop": ("negation drop kept",),
    "held-out drop": ("held-out negation drop kept",),
    "std before": ("std change",),
}
"""Figures that are shares, by what they are shares of."""
_ONE_SIDED = 1.645
"""Standard errors below chance at which a wording is significantly so, at 5 %."""


@dataclass(frozen=True)
class Pair:
    """A repaired model with the tuned model that it was made of, and `pt` of the same run where there is one."""

    before: RowResult
    after: RowResult
    rival: RowResult | None = None


@dataclass(frozen=True)
class Counts:
    """How often each run, wording and input counts, in one or many draws at once.

    Attributes:
        runs: [draws, pairs].
        registers: Of unobserved wordings, [draws] each; those that are not named count once.
        wordings: Of observed, trained and negated wordings, by task and exposure, [draws, wordings]; where none is
            given each counts once.
        inputs: [draws, inputs].
        noise: How many times the luck of the inputs is in a variance: 1 as measured, 2 in a resample.
    """

    runs: Floats
    registers: Mapping[str, Floats]
    wordings: Mapping[tuple[str, Exposure], Floats]
    inputs: Floats
    noise: float


@dataclass(frozen=True)
class _Side:
    """A model's figures in each draw, averaged over tasks; `variance_here` and `worst` count each wording once."""

    observed: Floats
    unobserved: Floats
    trained: Floats
    negated: Floats
    variance: Floats
    variance_here: Floats
    worst: Floats
    below: Floats


def figures(pairs: Sequence[Pair], tasks: Sequence[str], counts: Counts) -> dict[str, Floats]:
    """All figures and what shares are of, [draws] each, in [0, 1]; NaN where there is nothing to compare.

    Args:
        pairs: A method's runs.
        tasks: The aligned tasks that they are of.
        counts: How often what counts.
    """
    before, after = _sides(pairs, tasks, counts)
    held_before, held_after = _sides(pairs, HELD_OUT, counts)
    gap = before.observed - before.unobserved
    stds = [np.sqrt(np.maximum(side.variance, 0)) for side in (before, after)]
    drops, held_drops = (
        [side.observed - side.negated for side in both] for both in ((before, after), (held_before, held_after))
    )
    return {
        "gap": gap,
        "gap to observed after": after.observed - before.unobserved,
        "drop": drops[0],
        "held-out drop": held_drops[0],
        "std before": stds[0],
        "unobserved variance": after.variance_here,
        "observed": after.observed,
        "unobserved": after.unobserved,
        "unobserved std": np.sqrt(np.maximum(after.variance_here, 0)),
        "worst": after.worst,
        "below chance": after.below,
        "gap closed": _share(after.unobserved - before.unobserved, gap),
        "gap closed (observed after)": _share(after.unobserved - before.unobserved, after.observed - before.unobserved),
        "std change": _share(stds[1], stds[0]) - 1,
        "worst change": after.worst - before.worst,
        "observed change": after.observed - before.observed,
        "trained - unobserved": after.trained - after.unobserved,
        "negation drop change": drops[1] - drops[0],
        "negation drop kept": _share(drops[1], drops[0]),
        "held-out unobserved change": held_after.unobserved - held_before.unobserved,
        "held-out observed change": held_after.observed - held_before.observed,
        "held-out negation drop kept": _share(held_drops[1], held_drops[0]),
        "unobserved - pt": _ahead(pairs, tasks, counts),
    }


def ahead(pair: Pair, tasks: Sequence[str], counts: Counts) -> Floats:
    """How much higher the unobserved accuracy is than `pt`'s in the same run, [draws]; NaN where that is missing."""
    if pair.rival is None:
        return np.full(len(counts.runs), np.nan)
    return _side(pair.after, tasks, counts).unobserved - _side(pair.rival, tasks, counts).unobserved


def _ahead(pairs: Sequence[Pair], tasks: Sequence[str], counts: Counts) -> Floats:
    known = [place for place, pair in enumerate(pairs) if pair.rival is not None]
    if not known:
        return np.full(len(counts.runs), np.nan)
    return _weighted(np.array([ahead(pairs[place], tasks, counts) for place in known]).T, counts.runs[:, known])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole != 0)


def _weighted(values: Floats, weights: Floats) -> Floats:
    """Weighted means of rows, [draws]; NaN where nothing counts."""
    return _share((values * weights).sum(axis=1), np.broadcast_to(weights, values.shape).sum(axis=1))


def _sides(pairs: Sequence[Pair], tasks: Sequence[str], counts: Counts) -> tuple[_Side, _Side]:
    """Before and after, averaged over runs."""
    before = _average([_side(pair.before, tasks, counts) for pair in pairs], counts.runs)
    return before, _average([_side(pair.after, tasks, counts) for pair in pairs], counts.runs)


def _average(sides: Sequence[_Side], weights: Floats) -> _Side:
    return _Side(*(_weighted(np.array([vars(side)[name] for side in sides]).T, weights) for name in vars(sides[0])))


def _side(row: RowResult, tasks: Sequence[str], counts: Counts) -> _Side:
    found = [_of_task(name, row.tasks[f"testbed-{name}"], counts) for name in tasks]
    return _Side(*(np.mean([vars(side)[name] for side in found], axis=0) for name in vars(found[0])))


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


def _of_task(name: str, task: TaskResult, counts: Counts) -> _Side:
    parsed = _parse(task)
    inputs = _or_even(counts.inputs[:, : parsed.values.shape[1]])
    asked = np.maximum(inputs @ parsed.scored.T, 1e-12)
    means = inputs @ parsed.values.T / asked

    def mean(exposure: Exposure) -> Floats:
        chosen = means[:, parsed.places[exposure]]
        return _weighted(chosen, counts.wordings.get((name, exposure), np.ones_like(chosen)))

    draws = np.ones(len(inputs))
    registers = _or_even(np.stack([counts.registers.get(one, draws) for one in parsed.registers], axis=1))
    unseen = means[:, parsed.places[Exposure.UNOBSERVED]]
    noise = counts.noise * parsed.noise
    return _Side(
        observed=mean(Exposure.OBSERVED), trained=mean(Exposure.TRAINED), negated=mean(Exposure.NEGATED),
        unobserved=_weighted(unseen, registers),
        variance=_variance(unseen, registers) - noise, variance_here=unseen.var(axis=1, ddof=1) - noise,
        worst=unseen.min(axis=1),
        below=below_chance(name, unseen, asked[:, parsed.places[Exposure.UNOBSERVED]]).mean(axis=1),
    )  # fmt: skip


def _or_even(weights: Floats) -> Floats:
    """The weights, even in a draw in which none of these is."""
    return np.where(weights.any(axis=1, keepdims=True), weights, 1.0)


def below_chance(name: str, means: Floats, asked: Floats) -> NDArray[np.bool_]:
    """Which wordings of a task are answered significantly worse than by a guess (normal approximation, 5 %).

    Args:
        name: The task's, without its prefix.
        means: Accuracies, [..., wordings].
        asked: Inputs scored, of the same shape.
    """
    chance = 1 / len(RULES[name][0])
    return means < chance - _ONE_SIDED * np.sqrt(chance * (1 - chance) / asked)


def _variance(means: Floats, weights: Floats) -> Floats:
    deviations = means - _weighted(means, weights)[:, None]
    found: Floats = (weights * deviations**2).sum(axis=1) / np.maximum(weights.sum(axis=1) - 1, 1)
    return found


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
