"""What the catalogue promises: size, languages, controls, no near duplicates, clean under lint and through the gate."""

from collections import Counter

import pytest

from benchmarks.gate.catalogue import AUDIT, controls_judged, judged
from isophrase.duplicates import near_duplicates
from isophrase.lint.findings import Severity
from isophrase.lint.rules import lint_wordings
from isophrase.paraphrase.audit import final_verdict, read_audit
from isophrase.paraphrase.pair import Verdict
from isophrase.prompts import check_fit
from isophrase.sources.bigbench import BIGBENCH_LITE
from isophrase.sources.bundled import bundled_sets, bundled_tasks, catalogue_sets, load_bundled_set, load_bundled_task
from isophrase.sources.resolve import load_instruction_set
from isophrase.types import Example, Metric, OutputForm, Role, Task, TaskKind

GENERAL = {
    "multiple-choice", "binary-classification", "multi-class-classification", "entailment", "extraction",
    "summarisation", "generation", "mmlu", "mmlu-stem", "mmlu-humanities", "mmlu-social-sciences", "mmlu-other",
}  # fmt: skip
CONTROLS = {Role.NEGATED, Role.WRONG_TASK, Role.NONSENSE}
all_sets = pytest.mark.parametrize("name", catalogue_sets())


def members(name):
    return load_bundled_set(name).instructions


def wordings(name):
    return [item for item in members(name) if not item.role.is_control]


def task_for(name):
    """A task of the kind that a set is for, with every field that any of its wordings names."""
    bare = name.removeprefix("catalogue/")
    fields = {"entailment": ("premise", "hypothesis"), "extraction": ("input", "question")}.get(bare, ("input",))
    if bare.startswith("bbl/"):
        fields = ("input", "task_prefix", "native")
    form = {item.output_form for item in wordings(name)}
    example = {field: f"some {field}" for field in fields}
    if OutputForm.TEXT in form:
        return Task("t", "1", TaskKind.GENERATION, Metric.EXACT_MATCH, (Example("1", example, references=("x",)),))
    one = Example("1", example, ("one", "two", "three"), (0,))
    return Task("t", "1", TaskKind.MULTIPLE_CHOICE, Metric.ACCURACY, (one,))


def test_size_and_languages():
    everything = [item for name in catalogue_sets() for item in wordings(name)]
    languages = Counter(item.language for item in everything)
    assert len(everything) >= 1000
    assert len(languages) >= 8
    assert languages["en"] >= 400
    assert min(languages.values()) >= 20
    assert all(item.register and item.author == "isophrase" for item in everything)


def test_every_promised_set_is_there_and_found_by_name():
    names = set(catalogue_sets())
    assert {f"catalogue/{name}" for name in GENERAL} <= names
    assert {f"catalogue/bbl/{name}" for name in BIGBENCH_LITE} <= names
    assert load_instruction_set("catalogue/mmlu").name == "catalogue/mmlu"
    assert load_instruction_set("catalogue/bbl/strategyqa").tasks == ("bigbench/strategyqa",)
    assert not names & set(bundled_sets())


@all_sets
def test_a_set_has_references_controls_and_an_origin(name):
    found = load_bundled_set(name)
    assert found.name == name
    assert "Isophrase" in found.origin
    assert "copied" not in found.origin
    roles = Counter(item.role for item in found.instructions)
    assert roles[Role.REFERENCE] >= 1
    assert set(roles) >= CONTROLS
    by_id = {item.id: item for item in found.instructions}
    for item in wordings(name):
        if item.role is Role.PARAPHRASE:
            assert by_id[item.reference].role is Role.REFERENCE
            assert by_id[item.reference].output_form is item.output_form


@all_sets
def test_every_wording_renders_for_a_task_of_its_kind(name):
    task = task_for(name)
    for item in members(name):
        check_fit(item, task)


def test_general_sets_fit_the_bundled_tasks():
    for bundled in bundled_tasks():
        task = load_bundled_task(bundled).task
        if task.kind is TaskKind.CLASSIFICATION and task.field_names >= {"input"}:
            for item in members("catalogue/multi-class-classification"):
                check_fit(item, task)


@all_sets
def test_no_two_wordings_of_a_set_are_near_duplicates(name):
    assert near_duplicates({item.id: item.template for item in wordings(name)}) == []


@all_sets
def test_lint_finds_nothing(name):
    assert [str(item) for item in lint_wordings(load_bundled_set(name)) if item.severity is Severity.ERROR] == []


def test_every_wording_passes_the_gate_against_its_reference():
    """By the gate alone, or by a reader's override in the catalogue's audit file; few need one."""
    found, (entries, overrides) = list(judged()), read_audit(AUDIT)
    assert [f"{name}/{item.pair.candidate.id}: {'; '.join(map(str, item.reasons))}" for name, item in found
            if final_verdict(item, overrides) is not Verdict.PASS] == []  # fmt: skip
    by_reading = sum(item.verdict is not Verdict.PASS for _, item in found)
    assert by_reading <= 0.1 * len(found)
    assert len(entries) == by_reading, "the audit file is out of date: python -m benchmarks.gate.catalogue"


def test_the_gate_stops_nearly_all_controls():
    """They are no re-phrasings: their text is weighed as if it claimed to be one. docs/gate.md has the numbers."""
    passed = Counter((role, ok) for role, ok in controls_judged())
    for role in CONTROLS:
        assert passed[role, False] / (passed[role, False] + passed[role, True]) >= 0.9, role
