"""What a report shows: the estimates of a run beside the instructions, examples and measurements they come from.

Knows the nouns and the summaries. Does not know where a run is stored, how it was estimated, or how it will be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics.budget import BudgetEstimate
from isophrase.statistics.distance import DistanceFindings
from isophrase.statistics.further import Further
from isophrase.statistics.summary import InstructionSummary, TaskSummary
from isophrase.statistics.tables import OutcomeTable
from isophrase.types import Example, Instruction, Measurement, Metric

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Geometry:
    """Where the model's inner states of a panel's prompts lie.

    Attributes:
        layer: As in transformers' `hidden_states`; negative numbers count from the end.
        position: `last` or `mean`.
        to: What `l2`, `cosine` and `cka` are measured to.
        l2: Mean over examples of the Euclidean distance, for each instruction; NaN where undefined.
        cosine: The same with 1 - cosine similarity.
        centroid: The same to the mean state of all other wordings.
        cka: Linear CKA, for each instruction.
        loss: Accuracy lost, for each instruction, as the correlation takes it.
        spread_l2: Mean Euclidean distance of two wordings on one example.
        spread_cosine: The same with 1 - cosine similarity.
        examples: Number of examples that states were captured for.
        rows: Instruction of each point of the projections.
        columns: Column of the panel's table of each point.
        tsne: Shape (points, 2), within [-1, 1]; empty where there were too few.
        pca: The same on the first two principal axes.
        explained: Shares of the variance on these axes.
        perplexity: Of the t-SNE.
        together: The models that were drawn in the same plane.
    """

    layer: int
    position: str
    to: str
    l2: Floats
    cosine: Floats
    centroid: Floats
    cka: Floats
    loss: Floats
    spread_l2: float
    spread_cosine: float
    examples: int
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    tsne: NDArray[np.float32]
    pca: NDArray[np.float32]
    explained: tuple[float, ...]
    perplexity: float
    together: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """One model × task × shots × format.

    Attributes:
        summary: The estimates.
        table: The outcomes that they were made from.
        instructions: Rows of the table, same order; no controls.
        controls: Measured, but never in an estimate.
        examples: Columns of the table, same order.
        measurements: (instruction id, example id) -> what the model gave, raw.
        chosen: (instruction id, example id) -> the answer given, as text; absent for an unscored cell.
        metric: How an answer becomes a number.
        description: One line on the task.
        geometry: Where the model's states lie; None where they were not measured.
        further: Other papers' numbers and the split of the variance; None where they were not computed.
        content_free: (instruction id, example id) -> what the model gave for texts that say nothing.
        negated: Controls that ask for the opposite.
        negated_table: The outcomes under them, with the table's columns; None where there are none.
        budget: What a budget left out, estimated; None where all cells were to be measured.
    """

    summary: TaskSummary
    table: OutcomeTable
    instructions: tuple[Instruction, ...]
    controls: tuple[InstructionSummary, ...]
    examples: tuple[Example, ...]
    measurements: Mapping[tuple[str, str], Measurement]
    chosen: Mapping[tuple[str, str], str]
    metric: Metric = Metric.ACCURACY
    description: str = ""
    geometry: Geometry | None = None
    further: Further | None = None
    budget: BudgetEstimate | None = None
    content_free: Mapping[tuple[str, str], Measurement] = field(default_factory=lambda: MappingProxyType({}))
    negated: tuple[Instruction, ...] = ()
    negated_table: OutcomeTable | None = None

    def __post_init__(self) -> None:
        rows = tuple(item.id for item in self.instructions)
        columns = tuple(item.id for item in self.examples)
        summarised = tuple(item.instruction for item in self.summary.instructions)
        if rows != self.table.instructions or rows != summarised:
            raise ValueError(f"panel {self.summary.task!r}: instructions differ from the rows of its table or summary")
        if columns != self.table.examples:
            raise ValueError(f"panel {self.summary.task!r}: examples differ from the columns of its table")

    @property
    def score_name(self) -> str:
        """What the metric is called in a sentence."""
        return {Metric.ACCURACY: "accuracy", Metric.EXACT_MATCH: "exact match", Metric.TOKEN_F1: "token F1"}[
            self.metric
        ]

    @property
    def ranking(self) -> tuple[int, ...]:
        """Rows from the best to the worst; unscored ones last, ties in table order."""
        means = [item.mean.value for item in self.summary.instructions]
        return tuple(sorted(range(len(means)), key=lambda row: (np.isnan(means[row]), -np.nan_to_num(means[row]))))


@dataclass(frozen=True)
class RunView:
    """A whole run, ready to be shown.

    Attributes:
        name: The run's name.
        facts: What identifies the run: models, dtype, versions, seed, digests.
        notes: Warnings: several environments, merged seams, tasks near chance, cells still missing.
        panels: One for each model × task × shots × format.
        distances: (model, shots, format) -> what its distances say; empty where none were measured.
    """

    name: str
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()
    distances: Mapping[tuple[str, int, str], DistanceFindings] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Disagreement:
    """One example and what the instructions made the model answer.

    Attributes:
        example: Column of the table.
        rate: Probability that two different instructions are answered differently, in [0, 1].
        groups: (answer, rows that gave it), the most frequent first; without unscored cells.
    """

    example: int
    rate: float
    groups: tuple[tuple[str, tuple[int, ...]], ...]


def disagreements(panel: Panel) -> tuple[Disagreement, ...]:
    """The examples on which at least two instructions are answered differently, the most divided first."""
    found = []
    for column in range(len(panel.examples)):
        codes = panel.table.choices[:, column]
        scored = int((codes >= 0).sum())
        values, counts = np.unique(codes[codes >= 0], return_counts=True)
        if len(values) < 2:
            continue
        rate = 1.0 - float((counts * (counts - 1)).sum()) / (scored * (scored - 1))
        order = sorted(range(len(values)), key=lambda index: (-counts[index], values[index]))
        groups = tuple(_group(panel, column, int(values[index]), codes) for index in order)
        found.append(Disagreement(column, rate, groups))
    return tuple(sorted(found, key=lambda item: (-item.rate, item.example)))


def _group(panel: Panel, column: int, code: int, codes: NDArray[np.int64]) -> tuple[str, tuple[int, ...]]:
    rows = tuple(int(row) for row in np.flatnonzero(codes == code))
    return panel.chosen[panel.instructions[rows[0]].id, panel.examples[column].id], rows
