"""What makes single answers differ: variance components of instruction, example, seed and their interactions.

Knows arrays; the model value_ijk = m + a_i + b_j + s_k + (ab)_ij + (as)_ik + (bs)_jk + e_ijk, all parts random and
uncorrelated, i instructions, j examples, k repetitions with other seeds (exemplars drawn, runs). Estimates are those of
the analysis of variance: mean squares solved for the components (Searle, Casella, McCulloch, Variance Components, 1992,
chapter 4), which for complete tables equal restricted maximum likelihood wherever none is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isophrase.statistics.metrics import Floats


@dataclass(frozen=True)
class Components:
    """Variances on the scale of the metric (shares of 1, squared). A negative estimate is set to 0.

    Attributes:
        instruction: Between wordings.
        example: Between examples.
        seed: Between repetitions; 0 for a single one.
        interaction: Wording × example: which examples a wording gets right. With a single repetition it also holds what
            would differ from one repetition to the next.
        instruction_seed: Wording × seed; 0 for a single repetition.
        example_seed: Example × seed; 0 for a single repetition.
        residual: What is left in single cells; 0 for a single repetition.
        instructions: Number of wordings.
        examples: Number of examples used: those scored under every wording and seed.
        seeds: Number of repetitions.
        left_out: Examples left out, since a cell of theirs is unscored.
    """

    instruction: float
    example: float
    seed: float
    interaction: float
    instruction_seed: float
    example_seed: float
    residual: float
    instructions: int
    examples: int
    seeds: int
    left_out: int

    @property
    def parts(self) -> dict[str, float]:
        """Name -> variance, those that the design can tell apart."""
        names = ["instruction", "example", "interaction"]
        if self.seeds > 1:
            names += ["seed", "instruction_seed", "example_seed", "residual"]
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> float:
        """The sum of all parts: the variance of a single cell."""
        return sum(self.parts.values())


def components(values: Floats) -> Components:
    """Variance components of a table, or of several repetitions of it.

    Args:
        values: Shape (instructions, examples) or (seeds, instructions, examples); NaN where unscored. Examples with an
            unscored cell are left out, and rows without any scored cell too.

    Returns:
        NaN for all parts with fewer than two instructions or two examples left.
    """
    cube = values[None] if values.ndim == 2 else values
    cube = cube[:, ~np.isnan(cube).all(axis=(0, 2))]
    complete = ~np.isnan(cube).any(axis=(0, 1))
    cube = cube[:, :, complete]
    seeds, rows, columns = cube.shape
    left_out = int((~complete).sum())
    if rows < 2 or columns < 2:
        nothing = dict.fromkeys(_NAMES, float("nan"))
        return Components(**nothing, instructions=rows, examples=columns, seeds=seeds, left_out=left_out)
    squares = _mean_squares(cube)
    found = _one_seed(squares, rows, columns) if seeds == 1 else _several_seeds(squares, seeds, rows, columns)
    parts = {name: max(found.get(name, 0.0), 0.0) for name in _NAMES}
    return Components(**parts, instructions=rows, examples=columns, seeds=seeds, left_out=left_out)


_NAMES = ("instruction", "example", "seed", "interaction", "instruction_seed", "example_seed", "residual")


def _mean_squares(cube: Floats) -> dict[str, float]:
    """Mean squares of all effects of the complete three-way table; axes: k seeds, i instructions, j examples."""
    seeds, rows, columns = cube.shape
    mean = cube.mean()
    k, i, j = (cube.mean(axis=axes) - mean for axes in ((1, 2), (0, 2), (0, 1)))
    ij = cube.mean(axis=0) - mean - i[:, None] - j
    found = {
        "i": seeds * columns * float(i @ i) / (rows - 1),
        "j": seeds * rows * float(j @ j) / (columns - 1),
        "ij": seeds * float((ij**2).sum()) / ((rows - 1) * (columns - 1)),
    }
    if seeds > 1:
        ik = cube.mean(axis=2) - mean - k[:, None] - i
        jk = cube.mean(axis=1) - mean - k[:, None] - j
        rest = cube - mean - ij - ik[:, :, None] - jk[:, None, :] - i[:, None] - j - k[:, None, None]
        found["k"] = rows * columns * float(k @ k) / (seeds - 1)
        found["ik"] = columns * float((ik**2).sum()) / ((rows - 1) * (seeds - 1))
        found["jk"] = rows * float((jk**2).sum()) / ((columns - 1) * (seeds - 1))
        found["ijk"] = float((rest**2).sum()) / ((rows - 1) * (columns - 1) * (seeds - 1))
    return found


def _one_seed(squares: dict[str, float], rows: int, columns: int) -> dict[str, float]:
    return {
        "interaction": squares["ij"],
        "instruction": (squares["i"] - squares["ij"]) / columns,
        "example": (squares["j"] - squares["ij"]) / rows,
    }


def _several_seeds(squares: dict[str, float], seeds: int, rows: int, columns: int) -> dict[str, float]:
    rest = squares["ijk"]
    return {
        "residual": rest,
        "interaction": (squares["ij"] - rest) / seeds,
        "instruction_seed": (squares["ik"] - rest) / columns,
        "example_seed": (squares["jk"] - rest) / rows,
        "instruction": (squares["i"] - squares["ij"] - squares["ik"] + rest) / (seeds * columns),
        "example": (squares["j"] - squares["ij"] - squares["jk"] + rest) / (seeds * rows),
        "seed": (squares["k"] - squares["ik"] - squares["jk"] + rest) / (rows * columns),
    }
