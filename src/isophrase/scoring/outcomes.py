"""From scores to outcomes: which answer was given to every cell, and what it is worth.

A pure rule over (measurements, gold sets); knows neither where scores come from nor what is estimated from outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isophrase.scoring.rules import choose, option_scores
from isophrase.scoring.text import exact_match, normalise, token_f1
from isophrase.types import Example, Measurement, Metric, Outcome, Rule, TaskKind

_TEXT_METRICS = {Metric.EXACT_MATCH: exact_match, Metric.TOKEN_F1: token_f1}


def outcomes(
    measurements: Sequence[Measurement], examples: Sequence[Example], metric: Metric, rule: Rule
) -> list[Outcome]:
    """The outcome of every measurement; `examples` are the asked examples, in the same order."""
    choices = choices_of(measurements, rule)
    return [
        _outcome(measurement, example, int(choice), metric)
        for measurement, example, choice in zip(measurements, examples, choices, strict=True)
    ]


def choices_of(measurements: Sequence[Measurement], rule: Rule) -> NDArray[np.int64]:
    """The index of the predicted option of each measurement, -1 where there is none."""
    counts = [len(item.logprobs) if item.unscored is None else 0 for item in measurements]
    offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    scored = [item for item, count in zip(measurements, counts, strict=True) if count]

    logprobs = np.array([value for item in scored for value in item.logprobs], dtype=np.float64)
    tokens = np.array([value for item in scored for value in item.tokens], dtype=np.int64)
    lengths = np.array([value for item in scored for value in item.bytes], dtype=np.int64)
    return choose(option_scores(rule, logprobs, tokens, lengths), offsets)


def _outcome(measurement: Measurement, example: Example, choice: int, metric: Metric) -> Outcome:
    if measurement.unscored is not None:
        return Outcome(None, None)
    if measurement.text is not None:
        return Outcome(None, _TEXT_METRICS[metric](measurement.text, example.references))
    return Outcome(choice, float(choice in example.gold))


def answer_of(measurement: Measurement, outcome: Outcome, example: Example) -> str | None:
    """The answer as text: the chosen option, or the normalised generated text; None for an unscored cell.

    Two cells flip when their answers differ.
    """
    if measurement.unscored is not None:
        return None
    if measurement.text is not None:
        return normalise(measurement.text)
    return example.options[outcome.chosen] if outcome.chosen is not None else None


def chance(kind: TaskKind, examples: Sequence[Example]) -> float:
    """The expected accuracy of guessing uniformly among each example's options; NaN for generation."""
    if kind is TaskKind.GENERATION or not examples:
        return float("nan")
    return float(np.mean([len(set(example.gold)) / len(example.options) for example in examples]))
