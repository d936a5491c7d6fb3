"""What a run says in one sentence for each model.

Knows which estimates over tasks make a sentence. Knows no medium.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from isophrase.report.numbers import count, hundredths, interval
from isophrase.report.view import Panel, RunView
from isophrase.statistics import intervals
from isophrase.statistics.overview import Overview, overview
from isophrase.statistics.tables import Estimate


@dataclass(frozen=True)
class Condition:
    """All tasks of one model × shots × format.

    Attributes:
        model: Model name.
        label: The model's name, with shots and format where the run has several of them.
        panels: One for each task, in the run's order.
    """

    model: str
    label: str
    panels: tuple[Panel, ...]

    @property
    def overview(self) -> Overview:
        """The estimates averaged over all tasks."""
        return _overview(self.panels)

    @property
    def spread(self) -> Estimate:
        """Best minus worst instruction, averaged over the tasks with at least two; undefined where there are none."""
        if not self.compared:
            return intervals.undefined(self.panels[0].summary.spread.level)
        return _overview(self.compared).spread.these

    @property
    def compared(self) -> tuple[Panel, ...]:
        """The panels with at least two instructions and a spread."""
        return tuple(
            panel
            for panel in self.panels
            if panel.summary.n_instructions > 1 and not math.isnan(panel.summary.spread.value)
        )

    @property
    def score_name(self) -> str:
        """What the metrics of all tasks are called together."""
        names = {panel.score_name for panel in self.panels}
        return names.pop() if len(names) == 1 else "score"

    @property
    def subject(self) -> str:
        """The same at the beginning of a sentence."""
        return "the score" if self.score_name == "score" else self.score_name

    @property
    def scope(self) -> str:
        """`averaged over 4 tasks`, or the one task's name."""
        if len(self.compared) == 1:
            return f"on {self.compared[0].summary.task}"
        return f"averaged over {count(len(self.compared), 'task')}"

    @property
    def gaps(self) -> tuple[Panel, ...]:
        """The panels in which the gap between observed and unobserved instructions is defined."""
        return tuple(panel for panel in self.panels if panel.summary.gap is not None)


def _overview(panels: Sequence[Panel]) -> Overview:
    return overview([panel.table for panel in panels], [panel.summary for panel in panels])


def conditions(view: RunView) -> tuple[Condition, ...]:
    """The conditions of a run, in the order in which they first appear."""
    groups: dict[tuple[str, int, str], list[Panel]] = {}
    for panel in view.panels:
        summary = panel.summary
        groups.setdefault((summary.model, summary.shots, summary.prompt_format), []).append(panel)
    several_shots = len({shots for _, shots, _ in groups}) > 1
    several_formats = len({name for _, _, name in groups}) > 1
    found = []
    for (model, shots, prompt_format), panels in groups.items():
        extra = [f"{shots}-shot"] * several_shots + [f"{prompt_format} prompts"] * several_formats
        label = f"{model} ({', '.join(extra)})" if extra else model
        found.append(Condition(model, label, tuple(panels)))
    return tuple(found)


def sentence(condition: Condition) -> str:
    """`NAME: accuracy moves by 31 points [25, 38] with the wording, averaged over 4 tasks`."""
    spread = condition.spread
    if math.isnan(spread.value):
        return f"{condition.label}: {why_no_spread(condition)}"
    brackets = interval(spread, 0)
    points = f"{hundredths(spread.value, 0)} points{' ' if brackets else ''}{brackets}"
    return f"{condition.label}: {condition.subject} moves by {points} with the wording, {condition.scope}"


def why_no_spread(condition: Condition) -> str:
    """Why nothing is said of the wording."""
    if all(panel.summary.n_instructions < 2 for panel in condition.panels):
        return "no task has two instructions, so nothing can be said of the wording"
    return "no task has two scored instructions, so nothing can be said of the wording"


def why_no_gap(condition: Condition) -> str:
    """Why a condition has no gap at all, in one sentence."""
    if all(panel.table.observed is None for panel in condition.panels):
        return (
            "The gap between observed and unobserved wordings is undefined: nothing is known of what "
            f"{condition.model} was tuned on."
        )
    return (
        "The gap between observed and unobserved wordings is undefined: no task has scored wordings of both kinds "
        f"for {condition.model}."
    )
