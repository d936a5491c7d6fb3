"""Estimates averaged over tasks, for one model, shot count and prompt format.

Knows two questions and keeps them apart: how these tasks come out (new wordings and examples of them), and how tasks
like these would (the tasks are a sample too). Knows tables and their summaries; computes no task's estimate anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics import intervals
from isophrase.statistics.metrics import Floats, instruction_means
from isophrase.statistics.summary import TaskSummary, flips
from isophrase.statistics.tables import Estimate, OutcomeTable
from isophrase.statistics.variance import crossed


@dataclass(frozen=True)
class OverTasks:
    """A number averaged over tasks, each counting alike.

    Attributes:
        these: With the interval for these tasks.
        similar: The same value with the interval for tasks like these; no interval for fewer than two tasks.
        tasks: The tasks in which it is defined, in the order given.
    """

    these: Estimate
    similar: Estimate
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """What all tasks of one model, shot count and prompt format say together.

    Attributes:
        model: Model name.
        shots: Exemplars in each prompt.
        prompt_format: Frame around the instruction.
        mean: Of the tasks' means.
        std: Of their standard deviations over wordings.
        minimum: Of the accuracies of their worst wordings.
        spread: Of their spreads.
        flip_rate: Of their flip rates.
        gap: Of their observed-unobserved gaps; None where no task has one.
    """

    model: str
    shots: int
    prompt_format: str
    mean: OverTasks
    std: OverTasks
    minimum: OverTasks
    spread: OverTasks
    flip_rate: OverTasks
    gap: OverTasks | None


def overview(tables: Sequence[OutcomeTable], summaries: Sequence[TaskSummary]) -> Overview:
    """Averages over tasks.

    Args:
        tables: One for each task, at least one; all of one model, shot count and prompt format.
        summaries: Of the tables, same order.

    Returns:
        The averages over those tasks in which a number is defined.
    """
    first = summaries[0]
    ids = [table.instructions for table in tables]

    def over(estimates: Sequence[Estimate | None], parts: Sequence[Floats] = (), lowest: float = 0.0) -> OverTasks:
        return over_tasks([item.task for item in summaries], estimates, Shares(ids, parts), lowest)

    gaps = [summary.gap for summary in summaries]
    return Overview(
        model=first.model,
        shots=first.shots,
        prompt_format=first.prompt_format,
        mean=over([item.mean for item in summaries], [crossed(table.values).row_parts for table in tables]),
        std=over([item.std for item in summaries], [std_parts(table) for table in tables]),
        minimum=over([item.minimum for item in summaries]),
        spread=over([item.spread for item in summaries]),
        flip_rate=over([item.flip_rate for item in summaries], [2.0 * flips(table).row_parts for table in tables]),
        gap=over(gaps, [_gap_parts(table) for table in tables], -1.0) if any(gaps) else None,
    )


@dataclass(frozen=True)
class Shares:
    """What each instruction of each task adds to its task's estimate, with the instructions' ids.

    Without parts, the instructions are taken as given and add nothing.
    """

    ids: Sequence[tuple[str, ...]]
    parts: Sequence[Floats]

    def covariances(self, chosen: Sequence[int]) -> Floats:
        """Between tasks, from instructions that they share; the diagonal is 0."""
        found = np.zeros((len(chosen), len(chosen)))
        if not self.parts:
            return found
        named = [dict(zip(self.ids[task], self.parts[task], strict=True)) for task in chosen]
        for row, first in enumerate(named):
            for column, second in enumerate(named[:row]):
                shared = first.keys() & second.keys()
                found[row, column] = found[column, row] = sum(float(first[name] * second[name]) for name in shared)
        return found


def over_tasks(tasks: Sequence[str], estimates: Sequence[Estimate | None], shares: Shares, lowest: float) -> OverTasks:
    """The average over those tasks in which a number is defined.

    Args:
        tasks: Their names.
        estimates: One for each task; None or NaN where undefined.
        shares: What instructions that several tasks have in common add.
        lowest: The smallest value that is possible.
    """
    chosen = [index for index, item in enumerate(estimates) if item is not None and not math.isnan(item.value)]
    known = [item for index in chosen if (item := estimates[index]) is not None]
    named = tuple(tasks[index] for index in chosen)
    level = next((item.level for item in estimates if item is not None), math.nan)
    if not known:
        return OverTasks(intervals.undefined(level), intervals.undefined(level), ())
    covariances = shares.covariances(chosen)
    if covariances.sum() < 0:
        covariances = np.zeros_like(covariances)
    these = intervals.of_average(known, _correlations(covariances, known))
    return OverTasks(these, _similar(these, known, float(covariances.sum()), lowest), named)


def _correlations(covariances: Floats, estimates: Sequence[Estimate]) -> Floats:
    """Covariances on the scale of the estimates' own intervals, taken as symmetric for this."""
    quantile = intervals.normal_quantile(estimates[0].level)
    errors = np.array([(item.high - item.low) / 2.0 / quantile for item in estimates])
    scale = np.outer(errors, errors)
    found = np.divide(covariances, scale, out=np.zeros_like(covariances), where=scale > 0)
    return np.clip(found, -1.0, 1.0) + np.eye(len(estimates))


def _similar(these: Estimate, estimates: Sequence[Estimate], covariance: float, lowest: float) -> Estimate:
    """The t interval from the scatter between tasks, plus what shared instructions add to all of them alike."""
    count = len(estimates)
    if count < 2:
        return intervals.undefined(these.level, these.value)
    values = np.array([item.value for item in estimates])
    error = math.sqrt(float(values.var(ddof=1)) / count + covariance / count**2)
    half = intervals.t_quantile(these.level, count - 1) * error
    return replace(these, low=max(these.value - half, lowest), high=min(these.value + half, 1.0))


def _gap_parts(table: OutcomeTable) -> Floats:
    """What each instruction adds to the gap, to first order."""
    found = np.zeros(len(table.instructions))
    if table.observed is None:
        return found
    for side, sign in ((table.observed, 1.0), (~table.observed, -1.0)):
        found[side] = sign * crossed(table.values[side]).row_parts if side.any() else 0.0
    return found


def std_parts(table: OutcomeTable) -> Floats:
    """What each instruction adds to the standard deviation, to first order: ((A_i - A)^2 - S^2) / (2 S (R - 1))."""
    means = instruction_means(table.values)
    known: NDArray[np.bool_] = ~np.isnan(means)
    found = np.zeros(len(means))
    if known.sum() < 2 or (deviation := float(means[known].std(ddof=1))) <= 0:
        return found
    squares = (means[known] - means[known].mean()) ** 2
    found[known] = (squares - squares.mean()) / (2.0 * deviation * (int(known.sum()) - 1))
    return found
