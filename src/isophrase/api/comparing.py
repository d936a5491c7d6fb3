"""Two run folders (or two models of one) compared on the cells that both measured.

Knows how panels are matched: by task, shots and prompt format; their rows by instruction, their columns by example,
each with equal content. Estimates nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isophrase.errors import ConfigError
from isophrase.repairs import REPAIR_NOTE, repaired
from isophrase.report.comparison import ComparisonView, ConditionComparison
from isophrase.report.view import Panel, RunView
from isophrase.results import read_run
from isophrase.statistics.paired import Settings, compare
from isophrase.statistics.pairing import Pair, pair
from isophrase.types import Rule


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        folder: A run folder.
        model: Which of its models; None: its only one.
        rule: How options are compared; None: as its experiment says.
        repair: A repair without training that its stored option scores are read with: `batch`, `contextual`,
            `ensemble-N`; None: as measured.
    """

    folder: Path
    model: str | None = None
    rule: Rule | None = None
    repair: str | None = None


def compare_runs(
    before: Side | Path | str,
    after: Side | Path | str,
    *,
    settings: Settings | None = None,
    leave_out_trained: bool = False,
) -> ComparisonView:
    """Compare two measurements on the same cells.

    Args:
        before: The first run (the model before a repair, or one model).
        after: The second run (the model after it, or another model).
        settings: Intervals and tests.
        leave_out_trained: Leave out wordings that the second model was trained on and the first was not, rather than
            refuse to compare.

    Raises:
        IsophraseError: A folder is no run, nothing matches, or wordings are not held out.
    """
    first, second = (item if isinstance(item, Side) else Side(Path(item)) for item in (before, after))
    return compare_views(
        side_view(first, "first"), side_view(second, "second"), settings=settings, leave_out_trained=leave_out_trained
    )


def compare_views(
    before: RunView, after: RunView, *, settings: Settings | None = None, leave_out_trained: bool = False
) -> ComparisonView:
    """The same of two views, each with panels of one model."""
    others = {_key(panel): panel for panel in after.panels}
    matched = [(panel, others[_key(panel)]) for panel in before.panels if _key(panel) in others]
    keys = {_key(panel) for panel, _ in matched}
    notes = [note for note in after.notes if note.startswith(REPAIR_NOTE)]
    notes += [
        f"only in the {side}: {panel.summary.task} ({panel.summary.shots}-shot, {panel.summary.prompt_format})"
        for side, view in (("first", before), ("second", after))
        for panel in view.panels
        if _key(panel) not in keys
    ]
    trained = {id(first): trained_on(first, second) for first, second in matched}
    if any(trained.values()) and not leave_out_trained:
        _refuse([name for names in trained.values() for name in names])
    pairs: list[Pair] = []
    for first, second in matched:
        item, found = _pair(first, second, trained[id(first)])
        notes += found
        if item.cells:
            pairs.append(item)
    if not pairs:
        raise ConfigError(
            "two runs with cells in common (equal task, instruction, example, shots and format)",
            got=f"none: {_content(before)} and {_content(after)}",
            remedy="measure both models with one experiment file, or compare runs of the same tasks",
        )
    groups: dict[tuple[int, str], list[Pair]] = {}
    for item in pairs:
        groups.setdefault((item.before.shots, item.before.prompt_format), []).append(item)
    conditions = tuple(
        ConditionComparison(shots, prompt_format, compare(group, settings))
        for (shots, prompt_format), group in groups.items()
    )
    return ComparisonView(before.name, after.name, conditions, tuple(notes))


def trained_on(before: Panel, after: Panel) -> tuple[str, ...]:
    """Wordings that the second model was trained on and the first was not: they are not held out from the repair."""
    known = {*_seen(before, before.table.observed), *_seen(before, before.table.aligned)}
    seen = {*_seen(after, after.table.observed), *_seen(after, after.table.aligned)}
    return tuple(name for name in before.table.instructions if name in seen - known)


def _seen(panel: Panel, rows: NDArray[np.bool_] | None) -> list[str]:
    return [] if rows is None else [name for name, seen in zip(panel.table.instructions, rows, strict=True) if seen]


def _refuse(names: Sequence[str]) -> None:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    raise ConfigError(
        "wordings that are held out from the second model's training",
        got=f"{len(names)} that its record says it was trained on: {shown}",
        remedy="leave them out with --leave-out-trained, or measure other wordings",
    )


def side_view(side: Side, place: str) -> RunView:
    """One side's run, with the panels of one model.

    Raises:
        ConfigError: The run holds several models and none is named, or not the named one.
    """
    view = read_run(side.folder, rule=side.rule)
    names = list(dict.fromkeys(panel.summary.model for panel in view.panels))
    if side.model is None and len(names) > 1:
        raise ConfigError(
            f"the {place} run to hold one model, or its name",
            got=f"{', '.join(names)} in {side.folder}",
            remedy=f"say which with --{place}-model",
        )
    if side.model is not None and side.model not in names:
        raise ConfigError(
            f"a model of {side.folder}: {', '.join(names)}", got=repr(side.model), remedy="correct the name"
        )
    panels = tuple(panel for panel in view.panels if panel.summary.model == (side.model or names[0]))
    view = replace(view, panels=panels)
    return view if side.repair is None else repaired(view, side.repair)


def _key(panel: Panel) -> tuple[str, int, str]:
    return panel.summary.task, panel.summary.shots, panel.summary.prompt_format


def _pair(before: Panel, after: Panel, without: Sequence[str]) -> tuple[Pair, list[str]]:
    """Rows and columns of equal id and equal content; and what did not match, in words."""
    task = before.summary.task
    templates = {item.id: item.template for item in after.instructions}
    changed = [item.id for item in before.instructions if templates.get(item.id, item.template) != item.template]
    contents = {item.id: (dict(item.fields), item.options, item.gold, item.references) for item in after.examples}
    other = {
        item.id
        for item in before.examples
        if contents.get(item.id, own := (dict(item.fields), item.options, item.gold, item.references)) != own
    }
    kept = [index for index, name in enumerate(before.table.examples) if name not in other]
    table = replace(
        before.table,
        examples=tuple(before.table.examples[index] for index in kept),
        values=before.table.values[:, kept],
        choices=before.table.choices[:, kept],
    )
    found = pair(table, after.table, [*changed, *without])
    notes = []
    rest = [name for name in found.instructions_left_out if name not in {*changed, *without}]
    for names, what in (
        (rest, "wordings that only one run has"),
        (changed, "wordings whose text differs between the runs"),
        (without, "wordings that the second model was trained on"),
        ([name for name in found.examples_left_out if name not in other], "examples that only one run has"),
        (sorted(other), "examples whose content differs between the runs"),
    ):
        if names:
            notes.append(
                f"{task}: left out {len(names)} {what} ({', '.join(list(names)[:3])}{', …' * (len(names) > 3)})"
            )
    if found.unscored:
        notes.append(f"{task}: left out {found.unscored:,} cells that are unscored on at least one side")
    return found, notes


def _content(view: RunView) -> str:
    found = [f"{item.summary.task} ({item.summary.shots}-shot, {item.summary.prompt_format})" for item in view.panels]
    return f"{view.name} with {', '.join(found[:4])}{', …' * (len(found) > 4)}"
