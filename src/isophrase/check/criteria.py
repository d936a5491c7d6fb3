"""What a check asks of a prompt: thresholds on estimates, and whether they are met.

Knows names of estimates and their sides. Does not know how an estimate was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from isophrase.errors import ConfigError
from isophrase.sources.problems import meant
from isophrase.statistics.summary import TaskSummary
from isophrase.statistics.tables import Estimate

ESTIMATES: Mapping[str, Callable[[TaskSummary], Estimate]] = {
    "mean": lambda summary: summary.mean,
    "worst": lambda summary: summary.minimum,
    "best": lambda summary: summary.maximum,
    "spread": lambda summary: summary.spread,
    "std": lambda summary: summary.std,
    "flip": lambda summary: summary.flip_rate,
    "unscored": lambda summary: summary.unscored,
}
"""Name -> estimate."""

YOURS = "yours"
"""The name of the user's own wording's estimate, which is taken from its row."""

NAMES = (*ESTIMATES, YOURS)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One threshold.

    Attributes:
        name: Which estimate.
        threshold: In [0, 1].
        at_least: Whether the estimate must be at least (`--fail-under`) or at most (`--fail-over`) that much.
    """

    name: str
    threshold: float
    at_least: bool

    def __str__(self) -> str:
        return f"{self.name} {'≥' if self.at_least else '≤'} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A criterion with what was measured.

    Attributes:
        criterion: What was asked.
        estimate: What was measured.
        met: Whether the point estimate meets it; an undefined estimate meets nothing.
        sure: Whether the whole interval is on the same side as the point estimate.
    """

    criterion: Criterion
    estimate: Estimate
    met: bool
    sure: bool

    def __str__(self) -> str:
        value, low, high = (f"{number:.3f}" for number in (self.estimate.value, self.estimate.low, self.estimate.high))
        word = "met" if self.met else "NOT met"
        unsure = "" if self.sure else "; the interval holds the threshold, so more examples could decide otherwise"
        return f"{self.criterion}: {word}, measured {value} [{low}, {high}]{unsure}"


def parse_criteria(under: Sequence[str], over: Sequence[str]) -> tuple[Criterion, ...]:
    """Criteria from `name=number` texts; several may stand in one text, with commas.

    Args:
        under: Of `--fail-under`.
        over: Of `--fail-over`.

    Raises:
        ConfigError: One is not of that form.
    """
    return tuple(
        _criterion(part.strip(), at_least)
        for texts, at_least in ((under, True), (over, False))
        for text in texts
        for part in text.split(",")
    )


def _criterion(text: str, at_least: bool) -> Criterion:
    name, equals, number = text.partition("=")
    option = "--fail-under" if at_least else "--fail-over"
    if not equals or name not in NAMES:
        close = meant(name, NAMES).removeprefix("; ")
        raise ConfigError(
            f"{option} NAME=NUMBER with one of {', '.join(NAMES)}", got=repr(text), remedy=close or "correct it"
        )
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold <= 1:
        raise ConfigError(f"{option} {name}= a share between 0 and 1", got=repr(number), remedy="80 % is 0.8")
    return Criterion(name, threshold, at_least)


def decide(criterion: Criterion, estimate: Estimate) -> Decision:
    """Whether an estimate meets a criterion."""
    if math.isnan(estimate.value):
        return Decision(criterion, estimate, met=False, sure=False)

    def meets(value: float) -> bool:
        return value >= criterion.threshold if criterion.at_least else value <= criterion.threshold

    met = meets(estimate.value)
    ends = [end for end in (estimate.low, estimate.high) if not math.isnan(end)]
    return Decision(criterion, estimate, met, sure=bool(ends) and all(meets(end) == met for end in ends))
