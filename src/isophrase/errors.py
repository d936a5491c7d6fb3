"""The one tree of errors: each message says what was expected, what was got, and the remedy.

Knows nothing of the rest of the project. The command line prints `str(error)` on one line and exits with
`error.exit_code`; a library user catches `IsophraseError`.
"""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 20


def first_of(problems: Sequence[str]) -> list[str]:
    """The first problems, one a line, and how many more there are."""
    rest = len(problems) - _SHOWN
    return [*problems[:_SHOWN], *([f"and {rest} more, not shown"] if rest > 0 else [])]


class IsophraseError(Exception):
    """Something that the user can mend.

    Args:
        expected: What would have been right.
        got: What was found instead, with the place (file, line, key).
        remedy: What to do now.
    """

    exit_code = 1

    def __init__(self, expected: str, *, got: str, remedy: str) -> None:
        self.expected = expected
        self.got = got
        self.remedy = remedy
        super().__init__(f"expected {expected}; got {got}; {remedy}")


class ConfigError(IsophraseError):
    """An experiment file or an argument that cannot be used."""

    exit_code = 2


class SourceError(IsophraseError):
    """A task, an instruction set or another input file that cannot be read."""

    exit_code = 3


class TemplateError(SourceError):
    """An instruction whose template cannot be rendered for its task."""


class ModelError(IsophraseError):
    """A model that cannot be had, loaded or used as asked."""

    exit_code = 4


class StoreError(IsophraseError):
    """A run folder that cannot be read, written or continued."""

    exit_code = 5


class ManyErrors(IsophraseError):
    """All that is wrong with one input, found in one pass.

    Args:
        where: The input (a file's path).
        problems: One line for each problem; the message shows the first twenty.
        exit_code: That of the kind of input.
    """

    def __init__(self, where: str, problems: Sequence[str], *, exit_code: int) -> None:
        self.exit_code = exit_code
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__(f"{where} without a problem", got=count, remedy="mend each")
        lines = [f"{where} has {count}:", *(f"  - {problem}" for problem in first_of(self.problems))]
        self.message = "\n".join(lines)

    def __str__(self) -> str:
        return self.message
