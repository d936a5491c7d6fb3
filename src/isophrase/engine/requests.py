"""Which log-probabilities a list of questions needs, by distinct row of tokens, and their sums.

Knows rows, positions and targets. Does not know what computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isophrase.engine.seam import Question, Tokens

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Requests:
    """Rows to read, and what to look up where.

    Attributes:
        rows: The distinct sequences that a decoder reads: never an answer's last token, which only has to be predicted.
        wanted: For each row, a list of (column, target token, slot): log P(target) after the column counts towards
            the slot.
        askers: For each row, the index of the first question that asked for it.
        owners: For each slot, in order, the index of its question.
        totals: The sum of each slot so far.
        questions: Number of questions.
    """

    rows: list[Tokens]
    wanted: list[list[tuple[int, int, int]]]
    askers: list[int]
    owners: list[int]
    questions: int
    totals: list[float] = field(default_factory=list)

    def of(self, batch: Sequence[int]) -> tuple[Integers, Integers, Integers, Integers, Integers]:
        """What a batch of rows has to look up.

        Returns:
            For each request the index of its cell, ascending, its target and its slot; for each cell its place in the
            batch and its
            column: (cells, rows, columns, targets, slots), where `rows` and `columns` have one entry a cell.
        """
        cells: list[tuple[int, int]] = []
        found: list[tuple[int, int, int]] = []
        for place, row in enumerate(batch):
            for column, target, slot in sorted(self.wanted[row]):
                if not cells or cells[-1] != (place, column):
                    cells.append((place, column))
                found.append((len(cells) - 1, target, slot))
        where = np.array(cells, dtype=np.int64)
        what = np.array(found, dtype=np.int64)
        return what[:, 0], where[:, 0], where[:, 1], what[:, 1], what[:, 2]

    def at(self, askers: Integers, numbers: Integers) -> tuple[Integers, Integers, Integers]:
        """What is to be looked up for those who ask, (row, column) each, where `numbers` are their ascending cells.

        Returns:
            For each request its cell, its target and its slot.
        """
        found: list[tuple[int, int, int]] = []
        for (row, column), number in zip(askers.tolist(), numbers.tolist(), strict=True):
            found.extend((number, target, slot) for where, target, slot in self.wanted[row] if where == column)
        table = np.array(found, dtype=np.int64)
        return table[:, 0], table[:, 1], table[:, 2]

    def add(self, slots: Integers, values: NDArray[np.float64]) -> None:
        """Adds log-probabilities to their slots."""
        for slot, value in zip(slots, values, strict=True):
            self.totals[slot] += float(value)

    def sums(self) -> list[tuple[float, ...]]:
        """The totals of each question's answers, in order."""
        grouped: list[list[float]] = [[] for _ in range(self.questions)]
        for owner, total in zip(self.owners, self.totals, strict=True):
            grouped[owner].append(total)
        return [tuple(totals) for totals in grouped]


def collect(questions: Sequence[Question], *, start: Tokens | None = None) -> Requests:
    """What to read and to look up for these questions.

    Args:
        questions: Each with a context and answers of at least one token.
        start: What an encoder-decoder model's decoder reads in front of an answer. Then equal answers to different
            prompts stay
            different rows, since each is read beside its own prompt.
    """
    places: dict[tuple[int, Tokens], int] = {}
    requests = Requests([], [], [], [], len(questions))
    for owner, question in enumerate(questions):
        context = question.context if start is None else start
        for answer in question.answers:
            slot = len(requests.owners)
            requests.owners.append(owner)
            requests.totals.append(0.0)
            row = context + answer[:-1]
            key = (-1 if start is None else owner, row)
            if key not in places:
                places[key] = len(requests.rows)
                requests.rows.append(row)
                requests.wanted.append([])
                requests.askers.append(owner)
            wanted = requests.wanted[places[key]]
            wanted.extend((len(context) - 1 + offset, token, slot) for offset, token in enumerate(answer))
    return requests
