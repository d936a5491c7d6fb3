"""From the estimates of one panel to what an engineer wants to know of a prompt.

Knows panels, criteria and intervals that hold for all wordings at once. Measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isophrase.check.criteria import ESTIMATES, YOURS, Criterion, Decision, decide
from isophrase.errors import ConfigError
from isophrase.report.view import Panel
from isophrase.statistics.simultaneous import simultaneous
from isophrase.statistics.tables import Estimate
from isophrase.types import plain


@dataclass(frozen=True, slots=True)
class JudgedWording:
    """One wording in the verdict.

    Attributes:
        id: Its id in the wordings file.
        register: Its manner.
        accuracy: With an interval that holds for all wordings at once.
        difference: Accuracy minus that of the user's own wording, on the same examples; likewise. None for the user's
        own.
        template: Its text.
    """

    id: str
    register: str
    accuracy: Estimate
    difference: Estimate | None
    template: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What leaving out one fragment of a wording changes.

    Attributes:
        wording: The wording's id.
        fragment: The words that were left out.
        change: Accuracy without them minus accuracy with them, on the same examples; simultaneous over all fragments.
    """

    wording: str
    fragment: str
    change: Estimate


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `isophrase check` found.

    Attributes:
        model: Model name.
        task: Task name.
        score: What `accuracy` is called for this task's metric.
        examples: How many were scored.
        decisions: Every criterion with its estimate.
        estimates: All estimates that criteria may name.
        wordings: All wordings, best first.
        harmful: Ids of wordings clearly worse than the user's own (their whole interval is below 0), worst first.
        better: Ids of wordings clearly better than the user's own, best first.
        effects: What the words of the worst wordings do, strongest first.
        left_out: Candidates that the gate did not let through, with its reasons.
        notes: What a reader should know.
    """

    model: str
    task: str
    score: str
    examples: int
    decisions: tuple[Decision, ...]
    estimates: Mapping[str, Estimate]
    wordings: tuple[JudgedWording, ...]
    harmful: tuple[str, ...]
    better: tuple[str, ...]
    effects: tuple[Effect, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every criterion is met."""
        return all(decision.met for decision in self.decisions)

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values; undefined numbers are null."""
        return {"passed": self.passed, **_without_nan(plain(self))}


def conclude(
    panel: Panel, criteria: Sequence[Criterion], reference: str, *, seed: int = 0, resamples: int = 2000
) -> CheckResult:
    """Judge one panel.

    Args:
        panel: The grid of all wordings.
        criteria: What is asked.
        reference: Row id of the user's own wording.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.

    Raises:
        ConfigError: The user's own wording has no score.
    """
    values, summary = panel.table.values, panel.summary
    row = panel.table.instructions.index(reference)
    if np.isnan(values[row]).all():
        raise ConfigError("a score of your own wording", got="none", remedy="see `isophrase report` for the reasons")
    level = summary.mean.level
    accuracies = [_cut(item) for item in simultaneous(values, level=level, resamples=resamples, seed=seed)]
    others = [index for index in range(len(values)) if index != row]
    found = simultaneous(values[others] - values[row], level=level, resamples=resamples, seed=seed)
    differences = dict(zip(others, found, strict=True))
    wordings = [
        JudgedWording(short_id(item.id), item.register, accuracies[index], differences.get(index), item.template)
        for index, item in enumerate(panel.instructions)
    ]
    ranked = tuple(sorted(wordings, key=lambda item: -np.nan_to_num(item.accuracy.value, nan=-1.0)))
    estimates = {name: get(summary) for name, get in ESTIMATES.items()}
    estimates[YOURS] = summary.instructions[row].mean
    return CheckResult(
        model=summary.model,
        task=summary.task,
        score=panel.score_name,
        examples=summary.n_examples,
        decisions=tuple(decide(item, estimates[item.name]) for item in criteria),
        estimates=estimates,
        wordings=ranked,
        harmful=tuple(item.id for item in reversed(ranked) if item.difference and item.difference.high < 0),
        better=tuple(item.id for item in ranked if item.difference and item.difference.low > 0),
    )


def fragment_effects(
    panel: Panel, without: Panel, fragments: Sequence[tuple[str, str, str]], *, seed: int = 0
) -> tuple[Effect, ...]:
    """What leaving out each fragment changes, strongest first.

    Args:
        panel: The grid of whole wordings.
        without: The grid of wordings that lack one fragment, on the same examples.
        fragments: (row id in `without`, row id in `panel`, words left out).
        seed: Of the bootstrap.
    """
    if panel.table.examples != without.table.examples:
        raise ValueError("both grids need the same examples")
    if not fragments:
        return ()
    rows = [
        without.table.values[without.table.instructions.index(part)]
        - panel.table.values[panel.table.instructions.index(whole)]
        for part, whole, _ in fragments
    ]
    found = simultaneous(np.array(rows), level=panel.summary.mean.level, seed=seed)
    effects = [
        Effect(short_id(whole), text, estimate) for (_, whole, text), estimate in zip(fragments, found, strict=True)
    ]
    return tuple(sorted(effects, key=lambda item: -np.nan_to_num(item.change.value)))


def short_id(name: str) -> str:
    """`polite` of `check/polite`: a row's id without its set."""
    return name.rpartition("/")[2]


def _cut(estimate: Estimate) -> Estimate:
    """The interval of a share stays within [0, 1]."""
    return replace(estimate, low=max(estimate.low, 0.0), high=min(estimate.high, 1.0))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
