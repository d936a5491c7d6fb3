"""The road of `check`: a table and an instruction -> re-phrasings -> gate -> grid -> verdict.

Holds no logic of its own beyond the order of the steps; everything that is written lies in one folder:
`wordings.yaml`, `audit.csv`, `verdict.json`, `junit.xml`, `report.html`, and the run folders `grid-…` and
`fragments-…`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isophrase.api.runs import evaluate, read, write_report
from isophrase.cache import cache_folder
from isophrase.check.criteria import Criterion
from isophrase.check.fragments import fragments, worst_first
from isophrase.check.outputs import junit, lines
from isophrase.check.verdict import CheckResult, Effect, conclude, fragment_effects
from isophrase.errors import ConfigError
from isophrase.experiment import Experiment, parse_experiment
from isophrase.files import write_atomically
from isophrase.models.writing import Writer
from isophrase.paraphrase.audit import Override, final_verdict, read_audit, write_audit
from isophrase.paraphrase.gate import Judge, Judgement, judge_all
from isophrase.paraphrase.generate import generate
from isophrase.paraphrase.pair import Pair, Verdict
from isophrase.paraphrase.plan import WritingPlan, wanted
from isophrase.paraphrase.registers import REFERENCE, in_registers, reference_of
from isophrase.progress import Display, Silent
from isophrase.prompts import check_fit
from isophrase.report.view import Panel, RunView
from isophrase.sources.documents import Document
from isophrase.sources.problems import Problems, listed
from isophrase.sources.resolve import load_instruction_set, load_tasks
from isophrase.sources.rows import as_text
from isophrase.sources.tables import read_table
from isophrase.sources.writing import write_instruction_set
from isophrase.types import Instruction, InstructionSet, Role, Task, digest
from isophrase.wording.lexicon import base_language

SET = "check"
_MOST_LABELS = 50


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check.

    Attributes:
        table: A csv, tsv, jsonl or parquet file.
        inputs: Columns that the model reads; a single one is the field `input`, unless the instruction names the
        column.
        label: The column with the right answer.
        instruction: The user's own instruction: a sentence, or a whole template with slots.
        model: Keys of a model in an experiment file.
        options: The labels in order; empty: those that occur, sorted.
        generation: Whether the answer is free text instead of one of the labels.
        language: Of the instruction.
        paraphrases: Wordings to try instead of our registers; empty: the registers.
        criteria: What must hold.
        limit: At most so many examples (seeded choice).
        fragments: Of how many of the worst wordings the fragments are measured; 0: of none.
        keep_doubtful: Whether wordings that the gate only doubts are measured.
        audit: An audit file whose overrides count.
        seed: Of every choice.
    """

    table: Path
    inputs: tuple[str, ...]
    label: str
    instruction: str
    model: Mapping[str, Any]
    options: tuple[str, ...] = ()
    generation: bool = False
    language: str = "en"
    paraphrases: tuple[Instruction, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    limit: int | None = None
    fragments: int = 2
    keep_doubtful: bool = False
    audit: Path | None = None
    seed: int = 0


def read_paraphrases(name: str) -> tuple[Instruction, ...]:
    """The wordings of a set (name, .yaml, .jsonl), or of a table with a column `template`, without controls.

    Raises:
        IsophraseError: It can't be read.
    """
    if Path(name).suffix.lower() in (".csv", ".tsv", ".parquet"):
        from isophrase.sources.collections.tables import read_wording_table

        found = read_wording_table(Path(name)).sets[0]
    else:
        found = load_instruction_set(name)
    return tuple(item for item in found.instructions if not item.role.is_control)


def check_prompt(
    request: CheckRequest, out: Path | None = None, shown: Display | None = None, *, judge: Judge | None = None
) -> tuple[CheckResult, Path]:
    """Measure how a prompt holds up when it is worded otherwise.

    Args:
        request: What to check.
        out: The folder for everything; default `runs/check-NAME`.
        shown: Where progress is shown.
        judge: A model that weighs paraphrases beside the gate's own signals.

    Returns:
        The result and the folder.

    Raises:
        IsophraseError: Something that the user can mend.
    """
    shown = shown or Silent()
    folder = out if out is not None else Path("runs") / f"check-{request.table.stem}"
    mapping = task_mapping(request)
    (loaded,) = load_tasks(mapping, base=Path(), cache=cache_folder())
    judged, overrides = gate(request, loaded.task, judge)
    wordings, left_out = _kept(request, loaded.task, judged, overrides)
    folder.mkdir(parents=True, exist_ok=True)
    write_audit(folder / "audit.csv", [(SET, item) for item in judged], overrides)
    view, panel = _measure(request, mapping, wordings, folder, "grid", shown)
    result = conclude(panel, request.criteria, f"{SET}/{REFERENCE}", seed=request.seed)
    effects = _effects(request, mapping, panel, folder, shown)
    result = replace(result, effects=effects, left_out=left_out, notes=(*loaded.notes, *view.notes))
    _write(result, view, folder)
    return result, folder


def written(
    request: CheckRequest, writer: Writer, count: int = 12, shown: Display | None = None
) -> tuple[Instruction, ...]:
    """Re-phrasings of the user's instruction by a model, to be given to the request as its `paraphrases`.

    Raises:
        IsophraseError: The table can't be read.
    """
    (loaded,) = load_tasks(task_mapping(request), base=Path(), cache=cache_folder())
    reference = reference_of(request.instruction, loaded.task, request.language)
    plan = WritingPlan(count, (base_language(request.language),), seed=request.seed)
    shown = shown or Silent()
    members, _, notes = generate(
        list(wanted([reference], plan)), writer, cache_folder(),
        notify=lambda done, total: shown.step("re-phrasings", done, total),
    )  # fmt: skip
    for note in notes:
        shown.note(f"no wording: {note}")
    if not members:
        raise ConfigError(
            "a re-phrasing", got=f"none from {writer.name}", remedy="try another writer, or our registers"
        )
    return tuple(members)


def task_mapping(request: CheckRequest) -> dict[str, Any]:
    """The task as the content of a task file.

    Raises:
        IsophraseError: The table can't be read, or its labels are no classes.
    """
    if not request.inputs:
        raise ConfigError("at least one --input column", got="none", remedy="name the column that the model reads")
    named = len(request.inputs) > 1 or (request.inputs[0] in request.instruction and "{{" in request.instruction)
    fields = {name: name for name in request.inputs} if named else {"input": request.inputs[0]}
    mapping: dict[str, Any] = {
        "name": request.table.stem, "kind": "classification", "data": str(request.table.absolute()),
        "fields": fields, "label": request.label, "bad_rows": "skip",
    }  # fmt: skip
    if request.generation:
        return {**mapping, "kind": "generation"}
    return {**mapping, "label_type": "text", "options": list(request.options or _labels(request))}


def _labels(request: CheckRequest) -> list[str]:
    problems = Problems(str(request.table))
    table = read_table(request.table, problems)
    problems.check()
    if request.label not in table.columns:
        raise ConfigError(
            f"a column {request.label!r} in {request.table.name}", got=listed(table.columns), remedy="correct --label"
        )
    values = [row.values.get(request.label) for row in table.rows]
    labels = sorted({as_text(value).strip() for value in values if value not in (None, "")})
    if not 2 <= len(labels) <= _MOST_LABELS:
        raise ConfigError(
            f"2 to {_MOST_LABELS} different labels in column {request.label!r}", got=str(len(labels)),
            remedy="name another column, or say --generation if the answer is free text",
        )  # fmt: skip
    return labels


def gate(request: CheckRequest, task: Task, judge: Judge | None = None) -> tuple[list[Judgement], dict[str, Override]]:
    """Every candidate with its judgement, and the overrides of the audit file."""
    reference = reference_of(request.instruction, task, request.language)
    check_fit(reference, task)
    candidates = request.paraphrases or in_registers(request.instruction, task, request.language)
    labels = task.examples[0].options if task.examples else ()
    pairs = [Pair(reference, replace(item, reference=REFERENCE, role=Role.PARAPHRASE), labels) for item in candidates]
    overrides = read_audit(request.audit)[1] if request.audit is not None else {}
    return judge_all(pairs, judge=judge), overrides


def _kept(
    request: CheckRequest, task: Task, judged: Sequence[Judgement], overrides: Mapping[str, Override]
) -> tuple[InstructionSet, dict[str, str]]:
    """The wordings that go through, with the user's own first, and why the others don't."""
    allowed = {Verdict.PASS, Verdict.DOUBT} if request.keep_doubtful else {Verdict.PASS}
    kept = [item.pair.candidate for item in judged if final_verdict(item, overrides) in allowed]
    left_out = {
        item.pair.candidate.id: "; ".join(map(str, item.reasons)) or "overridden"
        for item in judged
        if final_verdict(item, overrides) not in allowed
    }
    if not kept:
        reasons = listed(f"{name}: {reason}" for name, reason in left_out.items())
        raise ConfigError(
            "at least one paraphrase that passes the gate", got=f"none ({reasons})",
            remedy="give other paraphrases, or override the gate in an --audit file",
        )  # fmt: skip
    own = reference_of(request.instruction, task, request.language)
    return InstructionSet(SET, "1", (own, *kept)), left_out


def _measure(
    request: CheckRequest, mapping: Mapping[str, Any], wordings: InstructionSet, folder: Path, name: str, shown: Display
) -> tuple[RunView, Panel]:
    """Fill the grid of some wordings; a folder is named by what it holds, so that the same check goes on."""
    file = "wordings.yaml" if name == "grid" else f"{name}.yaml"
    write_instruction_set(folder / file, wordings)
    experiment = _experiment(request, mapping, folder / file)
    key = digest([digest(wordings), dict(experiment.identity), request.table.read_bytes().hex()])[:10]
    run = evaluate(experiment, folder / f"{name}-{key}", shown)
    view = read(run)
    return view, view.panels[0]


def _experiment(request: CheckRequest, mapping: Mapping[str, Any], wordings: Path) -> Experiment:
    content: dict[str, Any] = {
        "name": "check", "seed": request.seed, "models": [dict(request.model)],
        "tasks": [{"task": dict(mapping), "instructions": [str(wordings.absolute())]}],
    }  # fmt: skip
    if request.limit is not None:
        content["limit"] = request.limit
    return parse_experiment(Document("check", content), base=Path())


def _effects(
    request: CheckRequest, mapping: Mapping[str, Any], panel: Panel, folder: Path, shown: Display
) -> tuple[Effect, ...]:
    """Measure the worst wordings again, each without one of its fragments."""
    means = {item.instruction: item.mean.value for item in panel.summary.instructions}
    own = means[f"{SET}/{REFERENCE}"]
    harm = worst_first([means[item.id] - own for item in panel.instructions], request.fragments)
    parts = [part for row in harm for part in fragments(panel.instructions[row], request.instruction.strip())]
    if not parts:
        return ()
    name = "fragments"
    members = tuple(replace(part.instruction, id=part.instruction.id.rpartition("/")[2]) for part in parts)
    members = tuple({item.template: item for item in members}.values())
    ids = {item.template: item.id for item in members}
    _, without = _measure(request, mapping, InstructionSet(name, "1", members), folder, name, shown)
    rows = [(f"{name}/{ids[part.instruction.template]}", part.of, part.text) for part in parts]
    return fragment_effects(panel, without, rows, seed=request.seed)


def _write(result: CheckResult, view: RunView, folder: Path) -> None:
    write_atomically(folder / "verdict.json", json.dumps(result.to_json(), indent=2, ensure_ascii=False).encode())
    write_atomically(folder / "junit.xml", junit(result))
    write_report(folder, replace(view, notes=(*lines(replace(result, notes=())), *view.notes)))
