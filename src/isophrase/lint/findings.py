"""What a rule finds, and what it is given to look at.

Knows nouns only. A rule is a function from a subject to findings; the tables of rules are in `rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from isophrase.statistics.tables import OutcomeTable
from isophrase.types import Instruction, InstructionSet, Task, TaskKind


class Severity(StrEnum):
    """How sure a rule is that results will mislead."""

    ERROR = "error"
    """What is asked is not what is scored, or the data contradicts itself."""
    WARNING = "warning"
    """Worth a look."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    Attributes:
        rule: The rule's name.
        severity: How bad it is.
        place: The instruction (`set/id`), task or table that it speaks of.
        message: What was expected and what was found.
        remedy: What to do.
    """

    rule: str
    severity: Severity
    place: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity.value} [{self.rule}] {self.place}: {self.message}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Wordings:
    """What rules before measuring look at: a set, and the task that it is asked about if that is known."""

    instructions: InstructionSet
    task: Task | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The options that every example of the task has; empty where they differ or are unknown."""
        if self.task is None or self.task.kind is not TaskKind.CLASSIFICATION or not self.task.examples:
            return ()
        return self.task.examples[0].options

    def place(self, instruction: Instruction) -> str:
        """How findings name an instruction."""
        return f"{self.instructions.name}/{instruction.id}"

    @property
    def measured(self) -> tuple[Instruction, ...]:
        """The members that enter estimates: all but controls."""
        return tuple(item for item in self.instructions.instructions if not item.role.is_control)


@dataclass(frozen=True, slots=True)
class Measured:
    """What rules after measuring look at: one table, and the instructions of its rows.

    Attributes:
        table: The outcomes; NaN where a cell is unscored, or was not measured.
        instructions: Of its rows.
        unscored: For each row the share of its measured cells that have no score; None: of all its cells.
    """

    table: OutcomeTable
    instructions: tuple[Instruction, ...]
    unscored: tuple[float, ...] | None = None

    @property
    def place(self) -> str:
        """How findings name the table."""
        shots = f", {self.table.shots}-shot" if self.table.shots else ""
        return f"{self.table.task} ({self.table.model}{shots})"


WordingRule = Callable[[Wordings], Iterator[Finding]]
TaskRule = Callable[[Task], Iterator[Finding]]
MeasuredRule = Callable[[Measured], Iterator[Finding]]
