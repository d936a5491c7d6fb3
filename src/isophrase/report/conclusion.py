"""One paragraph in plain words: what these numbers let one conclude, and what they do not.

Knows conditions and the test of the gap. Every sentence follows from a number; none is there without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from isophrase.report.numbers import count, hundredths, interval, with_interval
from isophrase.report.overview import Condition
from isophrase.statistics.contrast import Contrast

_FEW_TASKS = 5
_FEW_WORDINGS = 12
_UNSCORED = 0.02
_NO_LUCK = "chance in the choice of examples does not explain the differences"


def conclusion(condition: Condition, test: Contrast | None) -> str:
    """The paragraph."""
    return " ".join(_sentences(condition, test))


def _sentences(condition: Condition, test: Contrast | None) -> Iterator[str]:
    yield _wording(condition)
    yield from _gap(condition, test)
    yield from _over_tasks(condition)
    yield from _warnings(condition)


def _wording(condition: Condition) -> str:
    shown = [panel for panel in condition.compared if panel.summary.std.low > 0]
    total, number = len(condition.compared), len(shown)
    of = f"{number} of {count(total, 'task')}" if total > 1 else f"on {condition.compared[0].summary.task}"
    if not number:
        highest = max(panel.summary.std.high for panel in condition.compared)
        return (
            "These examples do not show that accuracy depends on the wording; a standard deviation over wordings of up "
            f"to {hundredths(highest, 0)} points is still possible."
        )
    if total == 1:
        return f"Accuracy depends on the wording {of}: {_NO_LUCK}."
    rest = "" if number == total else f" On the other {total - number} it may, but these examples do not show it."
    return f"Accuracy depends on the wording in {of}: {_NO_LUCK}.{rest}"


def _gap(condition: Condition, test: Contrast | None) -> Iterator[str]:
    overview = condition.overview
    if overview.gap is None or test is None:
        return
    estimate = overview.gap.these
    words = f"{with_interval(estimate)} points, permutation test p = {max(test.p_value, 1e-4):.2g}"
    if test.p_value < 1 - estimate.level and (estimate.low > 0 or estimate.high < 0):
        side = "better" if estimate.value > 0 else "worse"
        yield (
            f"Wordings seen in training do {side} than others ({words}); that being seen is the cause is not shown, "
            "since collections differ in style as well."
        )
    else:
        yield f"No difference between observed and unobserved wordings is shown ({words}); that is no proof of none."


def _over_tasks(condition: Condition) -> Iterator[str]:
    similar = condition.overview.std.similar
    number = len(condition.compared)
    if number < 2 or math.isnan(similar.low):
        yield "One task says nothing of other tasks."
        return
    yield (
        f"For tasks like these {number}, the standard deviation over wordings lies in {interval(similar)} points on "
        f"average{', which is wide, as few tasks say little' if number < _FEW_TASKS else ''}."
    )


def _warnings(condition: Condition) -> Iterator[str]:
    fewest = min(panel.summary.n_instructions for panel in condition.compared)
    if fewest < _FEW_WORDINGS:
        yield f"With {fewest} wordings, one that breaks the model once in ten times may well be missing."
    near = [panel.summary.task for panel in condition.compared if panel.summary.maximum.low <= panel.summary.chance]
    if near:
        names = f"{', '.join(near[:3])}{' and others' if len(near) > 3 else ''}"
        yield f"On {names} the model is near chance: wording can show little there."
    if any(panel.summary.unscored.value > _UNSCORED for panel in condition.panels):
        yield "Some cells are unscored, and those are no random part: wordings are then compared on different examples."
