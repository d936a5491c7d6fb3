"""A run folder read back: scores -> outcomes -> tables -> estimates, ready for a report.

Knows the snapshot of what was asked and how the parts fit together. Measures nothing, and estimates nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from isophrase.budgeted import budget_note, unmeasured, with_budget
from isophrase.errors import StoreError, first_of
from isophrase.geometry import with_geometry
from isophrase.imported import is_imported, read_imported
from isophrase.lint.findings import Measured
from isophrase.lint.rules import lint_measured
from isophrase.manifest import Manifest
from isophrase.plan import Asked
from isophrase.report.view import Panel, RunView
from isophrase.scoring.outcomes import answer_of, chance, outcomes
from isophrase.statistics.further import further
from isophrase.statistics.observed import observed_rows
from isophrase.statistics.summary import TaskSummary, summarise
from isophrase.statistics.tables import OptionTable, OutcomeTable
from isophrase.store import INPUTS, PanelKey, Store, existing_run
from isophrase.types import Example, Instruction, Measurement, ModelSpec, Outcome, Role, Rule, plain


@dataclass(frozen=True, slots=True)
class Reading:
    """How scores become estimates."""

    rule: Rule = Rule.SUM
    level: float = 0.95
    resamples: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """The snapshot of a run: what was asked of which models (resolved), so that a report needs nothing else."""

    models: tuple[ModelSpec, ...]
    asked: tuple[Asked, ...]
    cells: int
    reading: Reading

    def to_json(self) -> Mapping[str, Any]:
        """As JSON-ready values."""
        return dict(plain(self))


@cache
def _inputs_adapter() -> TypeAdapter[Inputs]:
    return TypeAdapter(Inputs)


def read_run(
    folder: Path, *, rule: Rule | None = None, level: float | None = None, leave_out: frozenset[str] = frozenset()
) -> RunView:
    """Everything that a report shows of a run, which may still be incomplete.

    Args:
        folder: The run folder.
        rule: How options are compared, if not as the experiment says.
        level: Confidence level, if not as the experiment says.
        leave_out: Instructions (`set/id`) that are taken for not measured: those that an audit doubts.

    Raises:
        StoreError: The folder is not a run, is damaged, or holds no score yet.
    """
    if is_imported(folder):
        return read_imported(folder, level)
    store, manifest = existing_run(folder)
    damaged = store.check_parts()
    inputs = _without(read_inputs(store), leave_out)
    reading = replace(inputs.reading, rule=rule or inputs.reading.rule, level=level or inputs.reading.level)
    keys = store.panels()
    if not keys:
        raise StoreError("a run with scores", got=f"none yet in {folder}", remedy="run the experiment first")
    measured = with_budget([_panel(store, key, inputs, reading) for key in keys], manifest.choices, reading.seed)
    panels, distances, remarks = with_geometry(folder, keys, measured, reading.level, reading.seed)
    # Left out, a cell is not missing.
    missing = 0 if leave_out else unmeasured(panels, manifest.choices, inputs.cells)
    found = [str(item) for item in lint_measured(map(as_measured, panels))]
    notes = [*first_of(found), *manifest.notes]
    notes += [*(f"{item.part} was damaged ({item.reason}): set aside" for item in damaged), *remarks]
    notes += _notes(panels, manifest, missing)
    return RunView(manifest.name, _facts(manifest, reading), tuple(notes), panels, distances)


def as_measured(panel: Panel) -> Measured:
    """A panel as lint looks at it: a cell that was not asked yet is not unscored."""
    asked = Counter(name for name, _ in panel.measurements)
    failed = Counter(name for (name, _), found in panel.measurements.items() if found.unscored is not None)
    shares = tuple(failed[item.id] / max(asked[item.id], 1) for item in panel.instructions)
    return Measured(panel.table, panel.instructions, shares)


def _without(inputs: Inputs, leave_out: frozenset[str]) -> Inputs:
    """What was asked, less some instructions.

    Raises:
        StoreError: Nothing would be left of a task.
    """
    if not leave_out:
        return inputs
    asked = tuple(
        replace(item, instructions=tuple(one for one in item.instructions if one.id not in leave_out))
        for item in inputs.asked
    )
    empty = [item.task.name for item in asked if all(one.role.is_control for one in item.instructions)]
    if empty:
        raise StoreError(
            "an instruction that is left", got=f"none of {', '.join(empty)}", remedy="leave out fewer instructions"
        )
    return replace(inputs, asked=asked)


def read_inputs(store: Store) -> Inputs:
    """The snapshot of a run.

    Raises:
        StoreError: It is damaged, or of another version.
    """
    try:
        return _inputs_adapter().validate_python(store.inputs())
    except ValidationError as error:
        raise StoreError(
            f"an {INPUTS} of this version",
            got=f"{error.error_count()} values in {store.folder / INPUTS} that do not fit",
            remedy="run the experiment again with the same --out: it is written anew and no score is lost",
        ) from None


def _panel(store: Store, key: PanelKey, inputs: Inputs, reading: Reading) -> Panel:
    asked = next(item for item in inputs.asked if item.task.name == key.task)
    model = next(item for item in inputs.models if item.name == key.model)
    by_id = {example.id: example for example in asked.examples}
    names = {item.id for item in asked.instructions}
    scores = [score for score in store.scores(key) if score.cell.instruction in names]
    found_cells = {(score.cell.instruction, score.cell.example): score.measurement for score in scores}
    measurements = {cell: item for cell, item in found_cells.items() if cell[1] in by_id}
    asked_examples = [by_id[example] for _, example in measurements]
    found = outcomes(list(measurements.values()), asked_examples, asked.task.metric, reading.rule)
    results = dict(zip(measurements, found, strict=True))
    chosen = {
        cell: answer
        for cell, example in zip(measurements, asked_examples, strict=True)
        if (answer := answer_of(measurements[cell], results[cell], example)) is not None
    }
    rows = tuple(item for item in asked.instructions if not item.role.is_control)
    controls = tuple(item for item in asked.instructions if item.role.is_control)
    negated = tuple(item for item in controls if item.role is Role.NEGATED)

    def estimate(of: Sequence[Instruction]) -> tuple[OutcomeTable, TaskSummary]:
        table = _table(key, asked, of, model, results, chosen)
        return table, summarise(table, level=reading.level, resamples=reading.resamples, seed=reading.seed)

    table, summary = estimate(rows)
    return Panel(
        summary=summary,
        table=table,
        instructions=rows,
        controls=estimate(controls)[1].instructions if controls else (),
        examples=asked.examples,
        measurements=measurements,
        chosen=chosen,
        metric=asked.task.metric,
        description=asked.task.description,
        negated=negated,
        negated_table=_table(key, asked, negated, model, results, chosen) if negated else None,
        content_free={cell: item for cell, item in found_cells.items() if cell[1] not in by_id},
        further=further(
            table,
            options_table(table, asked.examples, measurements),
            level=reading.level,
            resamples=reading.resamples,
            seed=reading.seed,
        ),
    )


def options_table(
    table: OutcomeTable, examples: Sequence[Example], measurements: Mapping[tuple[str, str], Measurement]
) -> OptionTable | None:
    """The option scores behind a table; None where there are none (generated text)."""
    most = max((len(item.options) for item in examples), default=0)
    if not most:
        return None
    shape = (*table.values.shape, most)
    logprobs, tokens = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for row, instruction in enumerate(table.instructions):
        for column, example in enumerate(examples):
            measured = measurements.get((instruction, example.id))
            if measured is not None and measured.unscored is None:
                logprobs[row, column, : len(measured.logprobs)] = measured.logprobs
                tokens[row, column, : len(measured.tokens)] = measured.tokens
    gold = np.zeros((len(examples), most), dtype=np.bool_)
    for column, example in enumerate(examples):
        gold[column, list(example.gold)] = True
    return OptionTable(logprobs, tokens, gold, len({item.options for item in examples}) == 1)


def _table(
    key: PanelKey,
    asked: Asked,
    rows: Sequence[Instruction],
    model: ModelSpec,
    results: Mapping[tuple[str, str], Outcome],
    chosen: Mapping[tuple[str, str], str],
) -> OutcomeTable:
    codes = {answer: code for code, answer in enumerate(sorted(set(chosen.values())))}
    values = np.full((len(rows), len(asked.examples)), np.nan)
    choices = np.full(values.shape, -1, dtype=np.int64)
    for row, instruction in enumerate(rows):
        for column, example in enumerate(asked.examples):
            cell = (instruction.id, example.id)
            if cell in chosen:
                choices[row, column] = codes[chosen[cell]]
                value = results[cell].value
                values[row, column] = np.nan if value is None else value
    return OutcomeTable(
        model=key.model,
        task=key.task,
        shots=key.shots,
        prompt_format=key.prompt_format,
        instructions=tuple(item.id for item in rows),
        examples=tuple(item.id for item in asked.examples),
        values=values,
        choices=choices,
        observed=observed_rows(rows, model.trained_on),
        chance=chance(asked.task.kind, asked.examples),
        aligned=observed_rows(rows, model.aligned_on),
    )


def _facts(manifest: Manifest, reading: Reading) -> dict[str, str]:
    facts = {"experiment": manifest.name, "begun": manifest.created, "seed": str(manifest.identity["config"]["seed"])}
    for name, identity in manifest.identity["models"].items():
        facts |= {f"model {name}: {key}": str(value) for key, value in identity.items()}
    for kind in ("tasks", "instructions"):
        facts |= {f"{kind}: {name}": value for name, value in manifest.identity["digests"][kind].items()}
    for index, environment in enumerate(manifest.environments, 1):
        facts[f"environment {index}"] = ", ".join(f"{key} {value}" for key, value in environment.items())
    facts["choice of an option by"] = reading.rule.value
    facts["intervals"] = f"{reading.level:.0%}, {reading.resamples} resamples, seed {reading.seed}"
    return facts


def _notes(panels: Sequence[Panel], manifest: Manifest, missing: int) -> Iterator[str]:
    if missing:
        yield f"{missing:,} cells are not measured yet and count as unscored: run the experiment again to go on"
    if len(manifest.environments) > 1:
        yield f"measured under {len(manifest.environments)} different environments (see what identifies this run)"
    for panel in panels:
        name = f"{panel.summary.task} ({panel.summary.model}, {panel.summary.shots}-shot)"
        yield from _panel_notes(name, panel)


def _panel_notes(name: str, panel: Panel) -> Iterator[str]:
    merged = sum(item.merged for item in panel.measurements.values())
    if merged:
        yield f"{name}: {merged:,} cells scored on joined tokens (the tokenizer merges prompt and answer at their seam)"
    reasons: dict[str, int] = {}
    for item in panel.measurements.values():
        if item.unscored is not None:
            reasons[item.unscored] = reasons.get(item.unscored, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda entry: -entry[1])[:3]:
        yield f"{name}: {count:,} cells unscored: {reason}"
    if panel.budget is not None:
        yield budget_note(panel, panel.budget)
    best = panel.summary.maximum
    if best.low <= panel.summary.chance:
        yield f"{name}: even the best wording is not clearly above chance, so its wordings can hardly differ"
    if panel.summary.n_instructions < 2:
        yield f"{name}: one instruction only, so nothing can be said about wording"
