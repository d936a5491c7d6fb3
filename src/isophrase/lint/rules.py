"""The tables of rules, and what runs them.

Adding a rule: one function in a file of this package, one line here, one test. Knows no rule's inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isophrase.lint import asked, copies, data, outcomes
from isophrase.lint.findings import Finding, Measured, MeasuredRule, Severity, TaskRule, WordingRule, Wordings
from isophrase.types import InstructionSet, Task

WORDING_RULES: Sequence[WordingRule] = (
    asked.form_of_answer,
    asked.label_words,
    asked.foreign_labels,
    asked.unused_slots,
    asked.unfit,
    asked.language,
    copies.near_copies,
    copies.concatenated,
)
TASK_RULES: Sequence[TaskRule] = (data.contradictory_gold, data.one_gold)
MEASURED_RULES: Sequence[MeasuredRule] = (
    outcomes.noisy_gold,
    outcomes.one_perfect_collection,
    outcomes.constant_answer,
    outcomes.unscored,
    outcomes.suspect_gold,
)


def lint_wordings(instructions: InstructionSet, task: Task | None = None) -> list[Finding]:
    """What is wrong with a set, by itself or for a task, before anything is measured."""
    subject = Wordings(instructions, task)
    return _ordered(finding for rule in WORDING_RULES for finding in rule(subject))


def lint_task(task: Task) -> list[Finding]:
    """What is wrong with a task's data, before anything is measured."""
    return _ordered(finding for rule in TASK_RULES for finding in rule(task))


def lint_measured(tables: Iterable[Measured]) -> list[Finding]:
    """What the results of a run say of its data."""
    return _ordered(finding for table in tables for rule in MEASURED_RULES for finding in rule(table))


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, otherwise in the order of the rules."""
    return sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
