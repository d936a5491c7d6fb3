"""Crossed tables whose truth is known: binary answers with logit P(right) = level + wording + example + cell."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from isophrase.statistics.tables import OutcomeTable

_NODES, _WEIGHTS = hermegauss(101)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def sigmoid(logits):
    return 1.0 / (1.0 + np.exp(-logits))


def averaged(logits, deviation):
    """E sigmoid(logits + deviation * Z) for a standard normal Z."""
    return sigmoid(np.asarray(logits)[..., None] + deviation * _NODES) @ _WEIGHTS


@dataclass(frozen=True)
class World:
    """Where tables are drawn from; all parts in logits.

    Attributes:
        name: As the documentation calls it.
        level: The middle.
        wording: Standard deviation of the instructions' effects.
        example: Standard deviation of the examples' effects.
        cell: Standard deviation of the cells' own effects.
        broken: Share of instructions that are worse by `depth`.
        depth: By how much.
        shift: How much worse unobserved instructions are, in a table that is drawn for the gap.
        unequal: How much more unobserved instructions scatter, in such a table.
    """

    name: str
    level: float
    wording: float
    example: float = 1.5
    cell: float = 0.7
    broken: float = 0.0
    depth: float = 2.0
    shift: float = 0.4
    unequal: float = 1.0

    @property
    def _noise(self):
        return float(np.hypot(self.example, self.cell))

    def _population(self):
        """Instruction effects and their probabilities."""
        effects = np.concatenate([self.wording * _NODES, self.wording * _NODES - self.depth])
        return effects, np.concatenate([(1 - self.broken) * _WEIGHTS, self.broken * _WEIGHTS])

    @property
    def mean(self):
        effects, probabilities = self._population()
        return float(averaged(self.level + effects, self._noise) @ probabilities)

    @property
    def std(self):
        effects, probabilities = self._population()
        return float(np.sqrt((averaged(self.level + effects, self._noise) - self.mean) ** 2 @ probabilities))

    @property
    def flip_rate(self):
        effects, probabilities = self._population()
        right = averaged(self.level + effects + self.example * _NODES[:, None], self.cell) @ probabilities
        return float(_WEIGHTS @ (2 * right * (1 - right)))

    @property
    def gap(self):
        def side(scatter, shift):
            return float(averaged(self.level + scatter * _NODES - shift, self._noise) @ _WEIGHTS)

        return side(self.wording, 0.0) - side(self.wording * self.unequal, self.shift)

    def draw(self, generator, rows, columns, unscored=0.0):
        """A table of instructions like each other, and the true accuracy of each."""
        effects = self.wording * generator.normal(size=rows) - self.depth * (generator.random(rows) < self.broken)
        return self._table(generator, effects, columns, unscored, None), averaged(self.level + effects, self._noise)

    def draw_for_gap(self, generator, observed, unobserved, columns, unscored=0.0):
        """A table of observed and unobserved instructions."""
        first = self.wording * generator.normal(size=observed)
        second = self.wording * self.unequal * generator.normal(size=unobserved) - self.shift
        seen = np.arange(observed + unobserved) < observed
        return self._table(generator, np.concatenate([first, second]), columns, unscored, seen)

    def _table(self, generator, effects, columns, unscored, observed):
        shape = (len(effects), columns)
        logits = self.level + effects[:, None] + self.example * generator.normal(size=columns)
        logits = logits + self.cell * generator.normal(size=shape)
        values = (generator.random(shape) < sigmoid(logits)).astype(np.float64)
        values[generator.random(shape) < unscored] = np.nan
        return table(values, observed)


def table(values, observed=None, choices=None):
    """A table of these values; answers differ where values do, unless choices are given."""
    values = np.asarray(values, dtype=np.float64)
    if choices is None:
        _, codes = np.unique(values, return_inverse=True)
        choices = np.where(np.isnan(values), -1, codes.reshape(values.shape))
    return OutcomeTable(
        model="model",
        task="task",
        shots=0,
        prompt_format="plain",
        instructions=tuple(f"i{row}" for row in range(values.shape[0])),
        examples=tuple(f"e{column}" for column in range(values.shape[1])),
        values=values,
        choices=np.asarray(choices, dtype=np.int64),
        observed=None if observed is None else np.asarray(observed, dtype=np.bool_),
        chance=0.5,
    )


TYPICAL = World("typical", level=0.8, wording=0.4)
WORLDS = (
    World("no effect", level=0.8, wording=0.0, shift=0.0),
    World("weak", level=0.8, wording=0.1),
    TYPICAL,
    World("strong", level=0.5, wording=1.0, example=1.0, cell=0.5),
    World("unequal 1:3", level=0.8, wording=0.3, unequal=3.0),
    World("some broken", level=1.2, wording=0.3, cell=0.5, broken=1 / 6),
    World("easy", level=3.2, wording=0.5, cell=0.5),
)
SIZES = ((12, 60), (16, 120), (40, 200))
