"""Prints a run's estimates as a Markdown table: how the tables in docs/results.md are made.

Usage: python docs/table.py runs/bbl-small
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import isophrase
from isophrase.report.numbers import hundredths, with_interval
from isophrase.report.view import RunView


def lines(view: RunView) -> Iterator[str]:
    """The table, one row for each task."""
    yield "| Task | Chance | Mean | Std | Worst | Best | Spread | Flip rate |"
    yield "|---|---|---|---|---|---|---|---|"
    for panel in view.panels:
        found = panel.summary
        columns = (found.mean, found.std, found.minimum, found.maximum, found.spread, found.flip_rate)
        cells = [found.task, hundredths(found.chance), *map(with_interval, columns)]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(lines(isophrase.read(Path(sys.argv[1])))))
