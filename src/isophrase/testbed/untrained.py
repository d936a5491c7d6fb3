"""Repairs that need no training, on the testbed: option scores calibrated, or wordings joined to ensembles.

Knows which wordings belong together: an ensemble has wordings of one kind only, so that no observed wording helps an
unobserved one. The formulas are in `statistics.calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isophrase.statistics import calibration
from isophrase.statistics.tables import OptionTable
from isophrase.types import Example, Measurement

UNTRAINED = ("batch", "contextual", "ensemble-5")
"""The names of these rows."""
_ENSEMBLE = 5


Answers = Sequence[Sequence[Measurement]]


def repaired(
    name: str, measured: Answers, inputs: Sequence[Example], empty: Answers, kinds: Sequence[str], *, seed: int = 0
) -> list[list[Measurement]]:
    """The measurements with repaired option scores.

    Args:
        name: One of `UNTRAINED`.
        measured: [wordings, inputs].
        inputs: The inputs, all with the same options.
        empty: Measurements of inputs that say nothing, [wordings, inputs that say nothing]; read by `contextual` only.
        kinds: Of each wording, what it may be joined with.
        seed: Which wordings join which ensemble.
    """
    options = _options(measured, inputs)
    if name == "batch":
        found = calibration.batch_calibrated(options).logprobs
    elif name == "contextual":
        found = calibration.contextually_calibrated(options, _scores(empty)).logprobs
    else:
        found = np.empty_like(options.logprobs)
        generator = np.random.default_rng(seed)
        for kind in sorted(set(kinds)):
            rows = np.flatnonzero(np.array(kinds) == kind)
            part = replace(options, logprobs=options.logprobs[rows], tokens=options.tokens[rows])
            found[rows] = calibration.ensemble(part, min(_ENSEMBLE, len(rows)), generator).logprobs
    return [
        [
            one if one.unscored is not None else replace(one, logprobs=tuple(scores.tolist()))
            for one, scores in zip(row, repaired_row, strict=True)
        ]
        for row, repaired_row in zip(measured, found, strict=True)
    ]


def _options(measured: Answers, inputs: Sequence[Example]) -> OptionTable:
    logprobs = _scores(measured)
    gold = np.array([[option in item.gold for option in range(logprobs.shape[2])] for item in inputs])
    return OptionTable(logprobs, np.ones(logprobs.shape, dtype=np.int64), gold, classes=True)


def _scores(measured: Answers) -> NDArray[np.float64]:
    """Of every option log P, [wordings, inputs, options]; NaN where unscored."""
    width = max(len(one.logprobs) for row in measured for one in row)
    missing = (np.nan,) * width
    return np.array([[one.logprobs if one.unscored is None else missing for one in row] for row in measured])
