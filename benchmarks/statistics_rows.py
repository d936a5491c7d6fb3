"""Two million score rows: how long all estimates take, and how much memory. No model, no network.

    python -m benchmarks.statistics_rows

Ten tasks of 100 wordings × 2,000 examples with four options each. Prints seconds of each step and the peak of the
process.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from isophrase.statistics.calibration import normalised, outcomes
from isophrase.statistics.contrast import contrast
from isophrase.statistics.further import further
from isophrase.statistics.overview import overview
from isophrase.statistics.summary import summarise
from isophrase.statistics.tables import OptionTable, OutcomeTable

TASKS, ROWS, COLUMNS, OPTIONS = 10, 100, 2000, 4


@contextmanager
def timed(name: str) -> Iterator[None]:
    start, busy = time.perf_counter(), time.process_time()
    yield
    print(_line(name, start, busy), flush=True)


def draw(task: int) -> tuple[OutcomeTable, OptionTable]:
    """One task's answers: wordings lean towards options and differ in how well they work."""
    generator = np.random.default_rng(task)
    gold = np.eye(OPTIONS, dtype=bool)[generator.integers(OPTIONS, size=COLUMNS)]
    strength = 1.0 + 0.4 * generator.normal(size=(ROWS, 1, 1)) + generator.normal(size=(1, COLUMNS, 1))
    lean = 0.6 * generator.normal(size=(ROWS, 1, OPTIONS))
    scores = strength * gold + lean + generator.gumbel(size=(ROWS, COLUMNS, OPTIONS))
    options = OptionTable(normalised(scores), np.ones((ROWS, COLUMNS, OPTIONS), dtype=np.int64), gold, True)
    blank = OutcomeTable(
        model="simulated",
        task=f"task-{task}",
        shots=0,
        prompt_format="plain",
        instructions=tuple(f"wording-{row}" for row in range(ROWS)),
        examples=tuple(f"{task}-{column}" for column in range(COLUMNS)),
        values=np.zeros((ROWS, COLUMNS)),
        choices=np.zeros((ROWS, COLUMNS), dtype=np.int64),
        observed=np.arange(ROWS) < ROWS // 3,
        chance=1 / OPTIONS,
    )
    return outcomes(blank, options), options


def main() -> None:
    drawn = [draw(task) for task in range(TASKS)]
    tables = [table for table, _ in drawn]
    print(f"{TASKS * ROWS * COLUMNS:,} score rows of {OPTIONS} options; data {_peak():,.0f} MB")
    start, busy = time.perf_counter(), time.process_time()
    with timed("summaries"):
        summaries = [summarise(table) for table in tables]
    with timed("measures and components"):
        for table, options in drawn:
            further(table, options, level=0.95, resamples=2000, seed=0)
    with timed("over tasks"):
        overview(tables, summaries)
    with timed("permutation test of the gap"):
        contrast(tables)
    print(_line("all", start, busy))


def _line(name: str, start: float, busy: float) -> str:
    """Elapsed and processor seconds: on a busy machine only the latter tell."""
    elapsed, used = time.perf_counter() - start, time.process_time() - busy
    return f"{name:32} {elapsed:6.2f} s   processor {used:6.2f} s   peak {_peak():,.0f} MB"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
