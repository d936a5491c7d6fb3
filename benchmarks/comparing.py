"""Side by side: both sides in turns on the same prompts, reported as ratios, with how far their answers agree.

Knows sides and workloads. Does not know what either side does inside.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.sides import Answer, Side
from benchmarks.workloads import Workload

_TIE = 1e-4
"""Options whose sums differ by less are a tie, which either side may break either way."""


@dataclass(frozen=True)
class Agreement:
    """How far two sides agree.

    Attributes:
        same: Share of prompts with the same prediction, ties aside.
        largest: Largest difference between two sums; None for generated text.
    """

    same: float
    largest: float | None


@dataclass(frozen=True)
class Comparison:
    """One workload, measured.

    Attributes:
        workload: What was asked.
        ours: Seconds of each round.
        theirs: Seconds of each round of the other side.
        agreement: Of the first round's answers.
    """

    workload: Workload
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    agreement: Agreement

    @property
    def ratios(self) -> list[float]:
        return sorted(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))

    def line(self) -> str:
        """The comparison in one line."""
        cells = len(self.workload.prompts)
        largest = "" if self.agreement.largest is None else f", sums within {self.agreement.largest:.1e}"
        return (
            f"({self.workload.name}) {self.workload.title}: {statistics.median(self.ratios):.2f}× "
            f"[{self.ratios[0]:.2f}, {self.ratios[-1]:.2f}]  {cells / statistics.median(self.ours):.2f} vs "
            f"{cells / statistics.median(self.theirs):.2f} cells/s over {cells} cells; "
            f"{100 * self.agreement.same:.2f} % of predictions equal{largest}"
        )


def compare(workload: Workload, ours: Side, theirs: Side, rounds: int) -> Comparison:
    """Times both sides in turns; who begins alternates."""
    seconds: dict[str, list[float]] = {ours.name: [], theirs.name: []}
    answers: dict[str, list[Answer]] = {}
    for number in range(rounds):
        for side in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            taken, found = timed(side, workload)
            seconds[side.name].append(taken)
            answers.setdefault(side.name, found)
    agreement = agree(answers[ours.name], answers[theirs.name])
    return Comparison(workload, tuple(seconds[ours.name]), tuple(seconds[theirs.name]), agreement)


def timed(side: Side, workload: Workload) -> tuple[float, list[Answer]]:
    """Seconds that a side takes for a workload, and its answers."""
    start = time.perf_counter()
    answers = side.ask(workload)
    return time.perf_counter() - start, answers


def agree(ours: Sequence[Answer], theirs: Sequence[Answer], tie: float = _TIE) -> Agreement:
    """How far two sides' answers agree."""
    same = sum(_same(one, other, tie) for one, other in zip(ours, theirs, strict=True))
    gaps = [
        abs(left - right)
        for one, other in zip(ours, theirs, strict=True)
        for left, right in zip(one.sums, other.sums, strict=True)
    ]
    return Agreement(same / len(ours), max(gaps, default=None))


def _same(one: Answer, other: Answer, tie: float) -> bool:
    if one.choice == other.choice:
        return True
    if not one.sums:
        return False
    best, runner_up = sorted(one.sums)[-1:-3:-1]
    return best - runner_up < tie
