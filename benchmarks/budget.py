"""The budget mode against the whole grid: errors of quantiles and coverage of intervals, beside plain averaging.

    isophrase run recipes/budget-grid.yaml
    python -m benchmarks.budget runs/budget-grid --share 0.1 --repetitions 40

Cells are taken from the measured run as the budget mode would choose them, under other seeds; the truth is what the
whole grid shows. Beside it: plain averaging, and the estimator of the PromptEval paper (`published`), on cells drawn
evenly as the paper does and on the same cells as the budget mode, there also with covariates of the wordings.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import isophrase
from benchmarks.published import published_quantiles
from isophrase.budgeted import features_of
from isophrase.report.view import Panel
from isophrase.statistics.budget import Features, estimate, plain_quantiles
from isophrase.statistics.choosing import Wish, choose
from isophrase.statistics.measures import QUANTILES

LEVEL = 0.9


def spend(values: np.ndarray, features: Features, wish: Wish) -> np.ndarray:
    """Which cells the budget mode measures."""
    asked = np.zeros(values.shape, dtype=bool)
    while picks := choose(np.where(asked, values, np.nan), asked, features, wish):
        for pick in picks:
            asked[np.ix_(pick.rows, pick.columns)] = True
    return asked


def averaging_cells(values: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Plain averaging's own cells: every wording on as many examples, drawn for each."""
    rows, columns = values.shape
    order = generator.random((rows, columns)).argsort(axis=1)
    return order < round(share * columns)


def evaluate(panel: Panel, share: float, repetitions: int) -> dict[str, np.ndarray]:
    """Absolute errors (repetitions, quantiles) of each way, and whether our intervals hold."""
    values = panel.table.values
    truth = np.quantile(values.mean(axis=1), QUANTILES)
    features = features_of(panel.instructions, panel.examples)
    found: dict[str, list[np.ndarray]] = {}
    for seed in range(repetitions):
        seen = np.where(spend(values, features, Wish(share, seed=seed)), values, np.nan)
        drawn = averaging_cells(values, share, np.random.default_rng(seed))
        ours = estimate(seen, features, level=LEVEL, seed=seed).quantiles
        errors = {
            "budget mode": [item.accuracy.value for item in ours] - truth,
            "averaging the same cells": plain_quantiles(seen) - truth,
            "averaging": plain_quantiles(np.where(drawn, values, np.nan)) - truth,
            "PromptEval, evenly drawn cells": published_quantiles(np.where(drawn, values, np.nan)) - truth,
            "PromptEval, same cells": published_quantiles(seen) - truth,
            "PromptEval with covariates, same cells": published_quantiles(seen, features.instructions) - truth,
        }
        for name, error in errors.items():
            found.setdefault(name, []).append(np.abs(error))
        held = [item.accuracy.low <= one <= item.accuracy.high for item, one in zip(ours, truth, strict=True)]
        found.setdefault("held", []).append(np.array(held, dtype=float))
    return {name: np.array(item) for name, item in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--repetitions", type=int, default=40)
    arguments = parser.parse_args()
    whole: dict[str, list[np.ndarray]] = {}
    for panel in isophrase.read(arguments.run).panels:
        found = evaluate(panel, arguments.share, arguments.repetitions)
        rows, columns = panel.table.values.shape
        print(f"{panel.summary.task}: {rows} wordings × {columns} examples, {100 * arguments.share:g} % of the cells")
        show(found)
        for name, item in found.items():
            whole.setdefault(name, []).append(item)
    print("all tasks")
    show({name: np.concatenate(items) for name, items in whole.items()})


def show(found: dict[str, np.ndarray]) -> None:
    for name, item in found.items():
        each = " ".join(f"{100 * value:5.1f}" for value in item.mean(axis=0))
        error = item.mean(axis=1).std(ddof=1) / np.sqrt(len(item))
        what = f"intervals of {LEVEL:.0%} hold" if name == "held" else f"{name}, MAE in points"
        print(f"  {what:36} {100 * item.mean():5.2f} ± {100 * error:.2f}   5/25/50/75/95 %: {each}", flush=True)


if __name__ == "__main__":
    main()
