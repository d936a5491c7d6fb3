"""The one tree of errors: each message says what was expected, what was got, and the remedy.

Knows nothing of the rest of the project. The command line prints `str(error)` on one line and exits with
`error.exit_code`; a library user catches `IsophraseError`.
"""

from __future__ import annotations

from collections.abc import Sequence


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


class ManyErrors(ConfigError):
    """All that is wrong with one input, found in one pass.

    Args:
        where: The input (a file's path).
        problems: One line for each problem.
    """

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__(f"{where} without a problem", got=count, remedy="mend each")
        self.message = "\n".join([f"{where} has {count}:", *(f"  - {problem}" for problem in self.problems)])

    def __str__(self) -> str:
        return self.message
