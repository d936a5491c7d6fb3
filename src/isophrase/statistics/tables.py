"""The tables that statistics work on: instruction × example, one for each model, task and shot count.

Knows numpy arrays and ids. Does not know where scores are stored or how a model made them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OutcomeTable:
    """What every instruction made of every example of one task.

    Attributes:
        model: Model name.
        task: Task name.
        shots: Exemplars in each prompt.
        prompt_format: Frame around the instruction.
        instructions: Row ids, without controls.
        examples: Column ids.
        values: Metric values in [0, 1], shape (instructions, examples); NaN where a cell is unscored.
        choices: What was answered, as an integer code that is equal for equal answers, same shape; -1 where a cell is
            unscored.
        observed: For each row, whether its wording was seen in instruction tuning; None where nothing is known of the
            model.
        chance: Expected value of guessing uniformly, in [0, 1]; NaN for generation.
        aligned: For each row, whether its wording was seen in alignment; None where there was none.
    """

    model: str
    task: str
    shots: int
    prompt_format: str
    instructions: tuple[str, ...]
    examples: tuple[str, ...]
    values: NDArray[np.float64]
    choices: NDArray[np.int64]
    observed: NDArray[np.bool_] | None
    chance: float
    aligned: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: The point estimate; NaN where it is undefined.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end of the interval.
        level: Confidence level of the interval, e.g. 0.95.
    """

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True)
class OptionTable:
    """The option scores behind an `OutcomeTable` of a task with options.

    Attributes:
        logprobs: log P of every option, in nats, shape (instructions, examples, most options); NaN for an unscored cell
            and for options that an example does not have.
        tokens: Tokens of every option, same shape; 0 where there is none.
        gold: Whether an option is right, shape (examples, most options).
        classes: Whether all examples have the same options in the same order (classification).
    """

    logprobs: NDArray[np.float64]
    tokens: NDArray[np.int64]
    gold: NDArray[np.bool_]
    classes: bool

    @property
    def chosen(self) -> NDArray[np.int64]:
        """The most probable option of every cell, shape (instructions, examples); -1 where unscored."""
        scored = ~np.isnan(self.logprobs[:, :, 0])
        return np.where(scored, np.nan_to_num(self.logprobs, nan=-np.inf).argmax(axis=2), -1)
