"""Intervals of the testbed's figures: bootstrap over runs, wordings and inputs.

Seeds with their tuned models, registers of unobserved wordings and inputs (both the same in all tasks) are drawn anew
together, observed, trained and negated wordings inside their task; of n runs, registers or wordings n - 1 are drawn,
which makes a mean's variance unbiased (Rao and Wu 1988). Intervals are percentile intervals but for three: the std, the
worst wording and its change are those of the wordings measured, and as the least of noisy figures, or their variance,
leans to one side, their draws are reflected about the figure (basic bootstrap). Few runs and registers tell their own
variance badly, so both ends are moved outwards by t / z, with the degrees of freedom of what is drawn (Satterthwaite
1946). How often the truth is covered is in `tests/testbed/test_intervals.py`.

Runs that share a tuned model count as independent, so intervals speak of alignment seeds and texts, hardly of other
tuned models; with one run they say nothing of seeds. Does not know the formulas of figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from isophrase.statistics.tables import Estimate
from isophrase.testbed.figures import SHARES, Counts, Floats, Pair, figures
from isophrase.testbed.inputs import HELD_OUT
from isophrase.testbed.measuring import Exposure, TaskResult

_REFLECTED = ("unobserved variance", "worst", "worst change")
_LEVELS = ("observed", "unobserved", "worst", "below chance")
"""Figures that are in [0, 1]."""
_IN_THEIR_TASK = (Exposure.OBSERVED, Exposure.TRAINED, Exposure.NEGATED)
_PART_DRAWS = 300
"""Draws of one part alone: enough for a variance that only weighs degrees of freedom."""


def estimates(
    pairs: Sequence[Pair], tasks: Sequence[str], *, resamples: int, level: float, seed: int
) -> dict[str, Estimate]:
    """All figures of one method with their intervals; NaN where a figure would be a share of what may be nothing.

    Args:
        pairs: The method's runs.
        tasks: The aligned tasks that figures are of.
        resamples: Bootstrap draws.
        level: Of the intervals.
        seed: Of the draws.
    """
    drawn = _resample(np.random.default_rng(seed), pairs, tasks, resamples)
    draws, freedom = figures(pairs, tasks, drawn), _freedom(pairs, tasks, drawn)
    found = {
        name: _estimate(name, float(value[0]), draws[name], freedom[name], level)
        for name, value in figures(pairs, tasks, even(pairs)).items()
    }
    variance = found["unobserved variance"]
    low, high = (math.sqrt(max(end, 0.0)) for end in (variance.low, variance.high))
    found["unobserved std"] = Estimate(found["unobserved std"].value, low, high, level)
    withheld = [name for whole, shares in SHARES.items() if found[whole].low <= 0 for name in shares]
    if any(_of(pairs[0], name).exposures.count(Exposure.TRAINED) < 2 for name in tasks):
        withheld.append("trained - unobserved")  # nothing says how much one wording is worth
    return found | dict.fromkeys(withheld, Estimate(math.nan, math.nan, math.nan, level))


def even(pairs: Sequence[Pair], draws: int = 1) -> Counts:
    """Each run, wording and input counts once, in each of some draws."""
    inputs = max(len(task.inputs) for task in pairs[0].after.tasks.values())
    return Counts(np.ones((draws, len(pairs))), {}, {}, np.ones((draws, inputs)), 1.0)


def _estimate(name: str, value: float, draws: Floats, freedom: float, level: float) -> Estimate:
    known = draws[~np.isnan(draws)]  # a share has no value in the rare draw where there is nothing to share
    tail = (1 - level) / 2
    low, high = map(float, np.quantile(known, [tail, 1 - tail])) if len(known) else (math.nan, math.nan)
    if name in _REFLECTED:
        low, high = 2 * value - high, 2 * value - low
    wider = float(special.stdtrit(freedom, 1 - tail) / special.ndtri(1 - tail)) if math.isfinite(freedom) else 1.0
    outwards = (wider - 1) * (high - low) / 2
    low, high = low - outwards, high + outwards
    if name in _LEVELS:
        low, high = max(low, 0.0), min(high, 1.0)
    return Estimate(value, low, high, level)


def _resample(random: np.random.Generator, pairs: Sequence[Pair], tasks: Sequence[str], draws: int) -> Counts:
    registers = sorted({one for pair in pairs for name in tasks for one in _unobserved_registers(_of(pair, name))})
    inputs = even(pairs).inputs.shape[1]
    return Counts(
        _fewer(random, len(pairs), draws),
        dict(zip(registers, _fewer(random, len(registers), draws).T, strict=True)),
        {
            (name, exposure): _fewer(random, number, draws)
            for name in (*tasks, *HELD_OUT)
            for exposure in _IN_THEIR_TASK
            if (number := _of(pairs[0], name).exposures.count(exposure))
        },
        random.multinomial(inputs, np.full(inputs, 1 / inputs), draws).astype(np.float64),
        2.0,
    )


def _freedom(pairs: Sequence[Pair], tasks: Sequence[str], drawn: Counts) -> Mapping[str, float]:
    """Degrees of freedom of each figure's variance (Satterthwaite 1946, eq. 17); infinite where nothing varies."""
    wholes: dict[str, float] = {}
    uncertain: dict[str, float] = {}
    for part, freedom in _parts(pairs, tasks, drawn):
        for name, values in figures(pairs, tasks, part).items():
            known = values[~np.isnan(values)]
            variance = float(known.var()) if len(known) else 0.0
            wholes[name] = wholes.get(name, 0.0) + variance
            uncertain[name] = uncertain.get(name, 0.0) + variance**2 / freedom
    return {name: whole**2 / uncertain[name] if uncertain[name] > 0 else math.inf for name, whole in wholes.items()}


def _parts(pairs: Sequence[Pair], tasks: Sequence[str], drawn: Counts) -> Iterator[tuple[Counts, int]]:
    """Draws of one thing alone, all others as they are, each with its degrees of freedom."""
    runs, inputs = drawn.runs[:_PART_DRAWS], drawn.inputs[:_PART_DRAWS]
    same = even(pairs, len(runs))
    if runs.shape[1] > 1:
        yield replace(same, runs=runs), runs.shape[1] - 1
    if len(drawn.registers) > 1:
        registers = {name: counts[:_PART_DRAWS] for name, counts in drawn.registers.items()}
        yield replace(same, registers=registers), len(registers) - 1
    yield replace(same, inputs=inputs, noise=drawn.noise), inputs.shape[1] - 1
    for names in (tasks, HELD_OUT):
        for exposure in _IN_THEIR_TASK:
            wordings = {
                key: counts[:_PART_DRAWS]
                for key, counts in drawn.wordings.items()
                if key[0] in names and key[1] is exposure and counts.shape[1] > 1
            }
            if wordings:
                yield replace(same, wordings=wordings), sum(counts.shape[1] - 1 for counts in wordings.values())


def _of(pair: Pair, name: str) -> TaskResult:
    return pair.after.tasks[f"testbed-{name}"]


def _unobserved_registers(task: TaskResult) -> set[str]:
    both = zip(task.registers, task.exposures, strict=True)
    return {register for register, exposure in both if exposure is Exposure.UNOBSERVED}


def _fewer(random: np.random.Generator, number: int, draws: int) -> Floats:
    """How often each of some things is in draws of one fewer, [draws, number]; a single one stays."""
    return random.multinomial(max(number - 1, 1), np.full(number, 1 / number), draws).astype(np.float64)
