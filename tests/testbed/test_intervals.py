"""How often the table's intervals cover the truth, in simulated repairs whose truth is known."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from isophrase.testbed import figures
from isophrase.testbed.inputs import TASKS
from isophrase.testbed.measuring import Exposure, TaskResult
from isophrase.testbed.recipe import Source
from isophrase.testbed.rows import RowResult
from isophrase.testbed.table import table

REGISTERS, WORDINGS, INPUTS = 6, 3, 60
OBSERVED, NEGATED = 4, 3

# Answers are right where a normal variable is positive: a wording's ease, the luck of the run, of the run with this
# wording and of the input, and unit noise. The levels are about those that the testbed has.
EASE = {"none": {"o": 1.85, "u": 0.6, "n": -0.2}, "pt": {"o": 2.0, "u": 1.6, "n": -0.4}}
EASE["x"] = {"o": 2.0, "u": 2.1, "n": -0.4}
WORDING, RUN, BOTH = 0.8, 0.12, 0.3
OF_REGISTER = (0.2, 0.3)
"""Shares of the variance over unobserved wordings that are of a register in all tasks, and in one."""
KEPT = 0.6
"""Correlation of a wording's ease after the repair with that before."""


def spread(shares, random):
    """An unobserved wording's part of ease, by task: [tasks, registers, wordings of each]."""
    everywhere, here = (math.sqrt(share) for share in shares)
    return WORDING * (
        everywhere * random.standard_normal((1, REGISTERS, 1))
        + here * random.standard_normal((len(TASKS), REGISTERS, 1))
        + math.sqrt(1 - sum(shares)) * random.standard_normal((len(TASKS), REGISTERS, WORDINGS))
    )


def world(random, runs):
    """Rows of no repair, of `pt` and of `x`, on the same wordings and inputs."""
    before = spread(OF_REGISTER, random)
    after = KEPT * before + math.sqrt(1 - KEPT**2) * spread(OF_REGISTER, random)
    negated = 0.6 * random.standard_normal((len(TASKS), NEGATED))
    luck = random.standard_normal((len(TASKS), OBSERVED + REGISTERS * WORDINGS + NEGATED, INPUTS))
    luck = math.sqrt(0.35) * random.standard_normal(INPUTS) + math.sqrt(0.45) * luck

    def row(method, seed):
        run = 0 if method == "none" else RUN * random.standard_normal()
        tasks = {}
        for place, name in enumerate(TASKS):
            unobserved = (before if method == "none" else after)[place].ravel()
            parts = (("o", np.zeros(OBSERVED)), ("u", unobserved), ("n", negated[place]))
            ease = np.concatenate([EASE[method][kind] + part for kind, part in parts]) + run
            ease = ease + (0 if method == "none" else BOTH * random.standard_normal(len(ease)))
            noise = math.sqrt(0.2) * random.standard_normal(luck[place].shape)
            tasks[f"testbed-{name}"] = result(ease[:, None] + luck[place] + noise > 0)
        return RowResult(
            method=method, seed=seed, tuned=0, source=Source.OWN, digest="", fingerprint="", parameters=1, minutes=1.0,
            measured_minutes=1.0, tasks=tasks,
        )  # fmt: skip

    return [row("none", 0), *(row(method, seed) for seed in range(runs) for method in ("pt", "x"))]


def result(right):
    exposures = [Exposure.OBSERVED] * OBSERVED + [Exposure.UNOBSERVED] * (REGISTERS * WORDINGS)
    exposures += [Exposure.NEGATED] * NEGATED
    registers = ["dataset"] * OBSERVED + [name for name in "abcdef" for _ in range(WORDINGS)] + ["control"] * NEGATED
    return TaskResult(
        tuple(f"w{place}" for place in range(len(right))), tuple(exposures), tuple(registers),
        tuple(f"i{place}" for place in range(INPUTS)), tuple("".join("01"[int(one)] for one in row) for row in right),
    )  # fmt: skip


def truth():
    """What the figures are over all wordings, runs and inputs."""
    run = RUN**2 + BOTH**2

    def mean(method, kind, variance):
        return norm.cdf(EASE[method][kind] / math.sqrt(1 + variance + (0 if method == "none" else run)))

    def variance(method, of):
        points = EASE[method]["u"] + math.sqrt(of) * norm.ppf((np.arange(20_000) + 0.5) / 20_000)
        return norm.cdf(points).var()

    observed = {method: mean(method, "o", 0) for method in EASE}
    unobserved = {method: mean(method, "u", WORDING**2) for method in EASE}
    drop = {method: observed[method] - mean(method, "n", 0.6**2) for method in EASE}
    gain = unobserved["x"] - unobserved["none"]
    return {
        "observed": observed["x"], "unobserved": unobserved["x"],
        "gap closed": gain / (observed["none"] - unobserved["none"]),
        "gap closed (observed after)": gain / (observed["x"] - unobserved["none"]),
        "std change": math.sqrt(variance("x", WORDING**2 + BOTH**2) / variance("none", WORDING**2)) - 1,
        "observed change": observed["x"] - observed["none"],
        "negation drop change": drop["x"] - drop["none"], "negation drop kept": drop["x"] / drop["none"],
        "held-out unobserved change": gain, "held-out observed change": observed["x"] - observed["none"],
        "unobserved - pt": unobserved["x"] - unobserved["pt"],
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("runs", [2, 6])
def test_intervals_cover_the_truth_about_as_often_as_they_say(runs, monkeypatch):
    # 150 worlds tell a share missed to 2 points; 5 % are promised, and up to 9 % are known of (docs/lab-notes.md).
    monkeypatch.setattr(figures, "_parse", figures._parse.__wrapped__)  # no world comes twice
    random, worlds = np.random.default_rng(runs), 150
    expected = truth()
    covered = {name: [] for name in expected}
    for number in range(worlds):
        found = next(line for line in table(world(random, runs), resamples=200, seed=number) if line.method == "x")
        for name, value in expected.items():
            estimate = found.figures[name]
            if not math.isnan(estimate.value):  # a share that may be of nothing is withheld
                covered[name].append((estimate.low > value, estimate.high < value))
    missed = {name: (len(known), *np.mean(known, axis=0)) for name, known in covered.items()}
    assert all(given > 0.9 * worlds and low + high < 0.13 for given, low, high in missed.values()), missed
