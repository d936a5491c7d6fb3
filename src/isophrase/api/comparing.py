"""Two run folders (or two models of one) compared on the cells that both measured.

Knows how panels are matched: by task, shots and prompt format; their rows by instruction, their columns by example,
each with equal content. Estimates nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from isophrase.errors import ConfigError
from isophrase.repairs import REPAIR_NOTE, repaired
from isophrase.report.comparison import ComparisonView, ConditionComparison
from isophrase.report.view import Panel, RunView
from isophrase.results import read_run
from isophrase.statistics.paired import Settings, compare
from isophrase.statistics.pairing import Pair, pair
from isophrase.statistics.reading import DropChange, ReadingPair, drop_changes
from isophrase.statistics.tables import OutcomeTable
from isophrase.types import Instruction, Role, Rule


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
    tasks: Sequence[str] = (),
) -> ComparisonView:
    """Compare two measurements on the same cells.

    Args:
        before: The first run (the model before a repair, or one model).
        after: The second run (the model after it, or another model).
        settings: Intervals and tests.
        leave_out_trained: Leave out wordings that the second model was trained on and the first was not, rather than
            refuse to compare.
        tasks: Only these tasks; empty: all.

    Raises:
        IsophraseError: A folder is no run, nothing matches, or wordings are not held out.
    """
    first, second = (item if isinstance(item, Side) else Side(Path(item)) for item in (before, after))
    return compare_views(
        of_tasks(side_view(first, "first"), tasks), of_tasks(side_view(second, "second"), tasks), settings=settings,
        leave_out_trained=leave_out_trained,
    )  # fmt: skip


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
    trained = {id(first): newly_seen(first.table, second.table) for first, second in matched}
    if any(trained.values()) and not leave_out_trained:
        _refuse([name for names in trained.values() for name in names])
    pairs: list[Pair] = []
    readings: dict[tuple[int, str], list[ReadingPair]] = {}
    for first, second in matched:
        item, found = _pair(first, second, trained[id(first)])
        notes += found
        if item.cells:
            pairs.append(item)
            if (reading := _reading(item, first, second)) is not None:
                readings.setdefault((item.before.shots, item.before.prompt_format), []).append(reading)
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
        ConditionComparison(*key, compare(group, settings), _drops(readings.get(key, ()), settings))
        for key, group in groups.items()
    )
    return ComparisonView(before.name, after.name, conditions, tuple(notes))


def newly_seen(before: OutcomeTable, after: OutcomeTable) -> tuple[str, ...]:
    """Wordings that the second model was trained on and the first was not: they are not held out from the repair."""
    known, seen = _seen(before), _seen(after)
    return tuple(name for name in before.instructions if name in seen - known)


def _seen(table: OutcomeTable) -> set[str]:
    masks = [rows for rows in (table.observed, table.aligned) if rows is not None]
    return {name for rows in masks for name, seen in zip(table.instructions, rows, strict=True) if seen}


def _changed(before: Sequence[Instruction], after: Sequence[Instruction]) -> list[str]:
    """Ids whose text differs between the runs."""
    templates = {item.id: item.template for item in after}
    return [item.id for item in before if templates.get(item.id, item.template) != item.template]


def _refuse(names: Sequence[str]) -> None:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    raise ConfigError(
        "wordings that are held out from the second model's training",
        got=f"{len(names)} that its record says it was trained on: {shown}",
        remedy="leave them out with --leave-out-trained, or measure other wordings",
    )


def of_tasks(view: RunView, tasks: Sequence[str]) -> RunView:
    """The view with the panels of these tasks; of all where none is named.

    Raises:
        ConfigError: It has not all of them.
    """
    known = list(dict.fromkeys(panel.summary.task for panel in view.panels))
    if unknown := [name for name in tasks if name not in known]:
        raise ConfigError(
            f"tasks of {view.name}: {', '.join(known)}", got=", ".join(unknown), remedy="correct the task's name"
        )  # fmt: skip
    return replace(view, panels=tuple(panel for panel in view.panels if not tasks or panel.summary.task in tasks))


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
    changed = _changed(before.instructions, after.instructions)
    contents = {item.id: (dict(item.fields), item.options, item.gold, item.references) for item in after.examples}
    other = {
        item.id
        for item in before.examples
        if contents.get(item.id, own := (dict(item.fields), item.options, item.gold, item.references)) != own
    }
    table = _of_examples(before.table, [name for name in before.table.examples if name not in other])
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


def _reading(item: Pair, before: Panel, after: Panel) -> ReadingPair | None:
    """References, trained on or not, beside negated wordings of equal text that not the second model alone has seen.

    None where one side has none of them.
    """
    if before.negated_table is None or after.negated_table is None:
        return None
    others = [one.id for one in before.instructions if one.role is not Role.REFERENCE]
    others += _changed(before.instructions, after.instructions)
    unfit = [*_changed(before.negated, after.negated), *newly_seen(before.negated_table, after.negated_table)]
    found = ReadingPair(
        item.before.task,
        pair(_of_examples(before.table, item.before.examples), after.table, others),
        pair(_of_examples(before.negated_table, item.before.examples), after.negated_table, unfit),
    )
    return found if found.references.cells and found.negated.cells else None


def _drops(readings: Sequence[ReadingPair], settings: Settings | None) -> tuple[DropChange, ...]:
    settings = settings or Settings()
    return drop_changes(readings, level=settings.level, resamples=settings.resamples, seed=settings.seed)


def _of_examples(table: OutcomeTable, names: Sequence[str]) -> OutcomeTable:
    places = [table.examples.index(name) for name in names]
    return replace(
        table, examples=tuple(names), values=table.values[:, places], choices=table.choices[:, places]
    )  # fmt: skip


def _content(view: RunView) -> str:
    found = [f"{item.summary.task} ({item.summary.shots}-shot, {item.summary.prompt_format})" for item in view.panels]
    return f"{view.name} with {', '.join(found[:4])}{', …' * (len(found) > 4)}"
