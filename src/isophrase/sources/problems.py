"""All that is wrong with one input, collected in one pass.

Knows how problems are worded, capped and raised. Does not know what is checked.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from isophrase.errors import ManyErrors, SourceError, first_of


class Problems:
    """Problems with one input, in the order in which they are found.

    Args:
        where: The input, as the error names it (a file's path).
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._lines: list[str] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, place: str, text: str) -> None:
        """Note one problem; `place` is a file with its line, or empty."""
        self._lines.append(f"{place}: {text}" if place else text)

    def all(self) -> list[str]:
        """Every problem, one a line."""
        return list(self._lines)

    def shown(self) -> list[str]:
        """The first problems, one a line, and how many more there are."""
        return first_of(self._lines)

    def check(self, exit_code: int = SourceError.exit_code) -> None:
        """Go on only if nothing is wrong.

        Args:
            exit_code: What the command line exits with.

        Raises:
            ManyErrors: All problems.
        """
        if self._lines:
            raise ManyErrors(self.where, self._lines, exit_code=exit_code)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a message: `a, b, c, … (40 in all)`."""
    names = list(names)
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text}, … ({len(names)} in all)"


def meant(name: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?` where a known name is close, else nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def quoted(value: object, most: int = 60) -> str:
    """A value for a message, on one line and not too long."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
