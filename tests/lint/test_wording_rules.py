"""Each rule before measuring: what it finds, and what it leaves alone."""

from dataclasses import replace

import pytest

from isophrase.lint.findings import Severity
from isophrase.lint.rules import lint_task, lint_wordings
from isophrase.types import (
    Example,
    Instruction,
    InstructionSet,
    Metric,
    OptionLayout,
    OutputForm,
    Role,
    Task,
    TaskKind,
)  # fmt: skip

LABELS = ("positive", "negative")
TASK = Task(
    "mood", "1", TaskKind.CLASSIFICATION, Metric.ACCURACY,
    tuple(Example(str(i), {"input": f"text {i}"}, LABELS, (i % 2,)) for i in range(12)),
)  # fmt: skip
REFERENCE = Instruction(
    "ref", "Is this review positive or negative?\n\n{{ input }}\nAnswer:", "reference", OutputForm.LABEL,
    role=Role.REFERENCE,
)  # fmt: skip


def wording(template, name="one", **changes):
    return Instruction(name, template, "human", OutputForm.LABEL, reference="ref", **changes)


def found(*members, task=TASK):
    findings = lint_wordings(InstructionSet("set", "1", (REFERENCE, *members)), task)
    return [(finding.rule, finding.place, finding.severity.value) for finding in findings]


def test_a_good_set_has_no_finding():
    assert found(wording("{{ input }}\n\nWould you call that opinion negative, or is it positive?")) == []


@pytest.mark.parametrize(
    ("template", "changes", "rule"),
    [
        ("Is the opinion positive or negative? Give the letter.\n{{ input }}", {}, "form-of-answer"),
        ("Positive or negative? Explain your choice. {{ input }}", {}, "form-of-answer"),
        ("Tell me its text and not its letter.\n{{ input }}\n{{ options }}", {"output_form": OutputForm.LETTER},
         "form-of-answer"),
        ("Say whether the mood is positive. {{ input }}", {}, "label-words"),
        ("Say True, False or Neither. {{ input }} {{ options }}", {}, "foreign-labels"),
        ("Is a review positive or negative as a rule?", {}, "unused-slot"),
        ("Positive or negative? {{ text }}", {}, "unfit"),
        ("Welche Stimmung hat der folgende kurze Text, positive oder negative?\n{{ input }}", {}, "language"),
        ("Is this review positive or negative? {{ input }}\n\nAnswer:", {}, "near-copy"),
        ("Is this review positive or negative?\n\n{{ input }}\nAnswer: Now say it again, and take your time over it "
         "since it does matter a lot to all of us here.", {}, "concatenated"),
    ],
)  # fmt: skip
def test_each_rule_finds_its_fault(template, changes, rule):
    findings = found(replace(wording(template), **changes))
    assert (rule, "set/one", "error") in findings


def test_no_label_word_at_all_is_a_warning():
    assert ("label-words", "set/one", "warning") in found(wording("What is the mood of this? {{ input }}"))


def test_listed_options_and_answer_templates_are_left_alone():
    listed = wording("What is the mood? {{ input }} {{ options }}", option_layout=OptionLayout.INLINE)
    mapped = wording("Was it True or False that they liked it? {{ input }}", "two",
                     answer_template="{{ ['True', 'False'][index] }}")  # fmt: skip
    assert found(listed, mapped) == []


def test_controls_are_not_linted():
    assert found(replace(wording("Give the letter. {{ input }}"), role=Role.NEGATED)) == []


def test_a_wording_that_says_everything_twice():
    text = "Please tell me whether the review is positive or negative. {{ input }} "
    assert "concatenated" in [rule for rule, _, _ in found(wording(text + text))]


def test_without_a_task_only_what_the_text_shows_is_found():
    findings = lint_wordings(InstructionSet("set", "1", (REFERENCE, wording("Name the letter. {{ input }}"))))
    assert [finding.rule for finding in findings] == ["form-of-answer"]
    assert "remedy" not in str(findings[0])
    assert str(findings[0]).startswith("error [form-of-answer] set/one: asks for a letter")


def test_contradicting_examples_and_a_label_that_is_always_right():
    twice = (Example("a", {"input": "x"}, LABELS, (0,)), Example("b", {"input": "x"}, LABELS, (1,)))
    findings = lint_task(replace(TASK, examples=TASK.examples + twice))
    assert [(item.rule, item.severity) for item in findings] == [("contradictory-gold", Severity.ERROR)]
    unlabelled = replace(twice[1], gold=())
    assert not list(lint_task(replace(TASK, examples=(*TASK.examples, twice[0], unlabelled))))
    same = tuple(replace(item, gold=(0,)) for item in TASK.examples)
    assert [item.rule for item in lint_task(replace(TASK, examples=same))] == ["one-gold"]
    assert lint_task(TASK) == []
