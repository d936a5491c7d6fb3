"""How far a run is, on a terminal or in a log.

Knows rich's progress bar and plain lines: a bar with rate and time left on a terminal, else a line every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0


class Display(Protocol):
    """Where the steps of a command are shown."""

    def step(self, name: str, done: int, total: int) -> None:
        """`done` of `total` of the step called `name`; a total of 0 is unknown."""
        ...

    def note(self, text: str) -> None:
        """One line that the user should read."""
        ...


@dataclass
class Silent:
    """Shows nothing: what the library uses unless it is told otherwise."""

    def step(self, name: str, done: int, total: int) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""


@dataclass
class Bar:
    """A bar for each step, on a terminal."""

    progress: Progress
    bars: dict[str, tuple[TaskID, float, int]] = field(default_factory=dict)

    def step(self, name: str, done: int, total: int) -> None:
        """Move the step's bar; the rate counts what was done since this command began."""
        if name not in self.bars:
            self.bars[name] = (self.progress.add_task(name, total=total or None, rate=""), time.monotonic(), done)
        bar, began, first = self.bars[name]
        self.progress.update(bar, completed=done, total=total or None, rate=_rate(done - first, began))

    def note(self, text: str) -> None:
        """Print above the bars."""
        self.progress.console.print(Text(text))


@dataclass
class Lines:
    """A line now and then, for logs and pipes."""

    console: Console
    last: dict[str, float] = field(default_factory=dict)
    began: dict[str, tuple[float, int]] = field(default_factory=dict)

    def step(self, name: str, done: int, total: int) -> None:
        """Print a line if the last one is some seconds old, or the step is complete."""
        now = time.monotonic()
        start, first = self.began.setdefault(name, (now, done))
        if done != total and now - self.last.get(name, -_SECONDS_BETWEEN_LINES) < _SECONDS_BETWEEN_LINES:
            return
        self.last[name] = now
        rate = _rate(done - first, start)
        self.note(f"{name}: {done:,}{f' of {total:,}' if total else ''}{f', {rate}' if rate else ''}")

    def note(self, text: str) -> None:
        """Print one line."""
        self.console.print(Text(text), soft_wrap=True)


def _rate(done: int, began: float) -> str:
    seconds = time.monotonic() - began
    if done <= 0 or seconds < 1:
        return ""
    rate = done / seconds
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


@contextmanager
def display(console: Console) -> Iterator[Display]:
    """The display that fits the console."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield Bar(progress)
