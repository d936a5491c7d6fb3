"""What the gate weighs: a reference with a candidate that should mean the same, and what speaks against it.

Knows nouns only. A signal is a function from a pair to reasons; the table of signals is in `gate.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from isophrase.types import Instruction
from isophrase.wording.sense import Sense, sense


class Verdict(StrEnum):
    """What becomes of a candidate. Only `pass` goes through the gate by itself."""

    PASS = "pass"
    DOUBT = "doubt"
    """Nothing proves that it means something else; a person or a model should look."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Reason:
    """What one signal has against a candidate.

    Attributes:
        signal: The signal's name.
        verdict: `doubt` or `fail`.
        text: What it found.
    """

    signal: str
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.signal}: {self.text}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A reference and a candidate.

    Attributes:
        reference: The wording whose meaning is right.
        candidate: The wording that is to mean the same; its `language` says which language it should be in.
        labels: The task's label words, where every example has the same; else empty.
    """

    reference: Instruction
    candidate: Instruction
    labels: tuple[str, ...] = ()

    @property
    def of_reference(self) -> Sense:
        """What the reference says."""
        return sense(self.reference.template, self.reference.language, self.labels)

    @property
    def of_candidate(self) -> Sense:
        """What the candidate says."""
        return sense(self.candidate.template, self.candidate.language, self.labels)

    @property
    def translated(self) -> bool:
        """Whether the two are in different languages, as they say themselves."""
        return self.reference.language.split("-")[0] != self.candidate.language.split("-")[0]


Signal = Callable[[Pair], Iterator[Reason]]
