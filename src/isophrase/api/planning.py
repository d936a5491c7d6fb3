"""How much to measure next, from a run that serves as a pilot.

Knows which numbers of a run the plan starts from. Computes nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isophrase.errors import ConfigError
from isophrase.report.inference import pilot_components
from isophrase.report.overview import conditions
from isophrase.results import read_run
from isophrase.statistics.components import Components
from isophrase.statistics.power import Design, cheapest, needed_instructions, power

EXAMPLES = (25, 50, 100, 200, 400, 800)


@dataclass(frozen=True)
class Plan:
    """What it takes to see a gap with one condition of a pilot run.

    Attributes:
        condition: Model, and shots and format where there are several.
        pilot: The variance components that it starts from.
        rows: (examples a task, wordings of each kind a task or None, cells or None).
        best: The cheapest design; None where no number of wordings is enough.
        power: Of the cheapest design.
    """

    condition: str
    pilot: Components
    rows: tuple[tuple[int, int | None, int | None], ...]
    best: Design | None
    power: float


def plan_for_gap(
    folder: Path | str, gap: float, *, wanted: float = 0.8, tasks: int = 1, examples: Sequence[int] = EXAMPLES
) -> tuple[Plan, ...]:
    """How many wordings and examples it takes to see a gap between two kinds of wordings.

    Args:
        folder: The pilot run.
        gap: The gap, a share of 1.
        wanted: The probability with which it is to be seen.
        tasks: Tasks that will be measured.
        examples: Numbers of examples a task to plan for.

    Raises:
        IsophraseError: The folder is no run, or has no task with two wordings and two examples.
    """
    found = []
    for condition in conditions(read_run(Path(folder))):
        pilot = pilot_components(condition)
        if pilot is None:
            continue
        rows = []
        for count in examples:
            number = needed_instructions(pilot, gap, count, tasks=tasks, wanted=wanted)
            rows.append((count, number, None if number is None else 2 * number * count * tasks))
        best = cheapest(pilot, gap, examples, tasks=tasks, wanted=wanted)
        found.append(
            Plan(
                condition.label, pilot, tuple(rows), best, power(pilot, gap, best) if best is not None else float("nan")
            )
        )
    if not found:
        raise ConfigError(
            "a pilot run with at least two wordings and two examples of a task",
            got=f"none in {folder}",
            remedy="measure more",
        )
    return tuple(found)
