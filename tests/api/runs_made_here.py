"""Small run folders with known answers, written as a run would write them."""

from pathlib import Path

import numpy as np

from isophrase.manifest import new_manifest
from isophrase.plan import Asked
from isophrase.results import Inputs, Reading
from isophrase.store import open_run
from isophrase.types import (
    Cell,
    Example,
    Instruction,
    Measurement,
    Metric,
    ModelSpec,
    OutputForm,
    Score,
    Task,
    TaskKind,
)

OPTIONS = ("no", "yes")


def task(name="colour", examples=30):
    rows = tuple(Example(f"e{index}", {"input": f"thing {index}"}, OPTIONS, (index % 2,)) for index in range(examples))
    return Task(name, "1", TaskKind.CLASSIFICATION, Metric.ACCURACY, rows)


def wordings(count=8, collection="human"):
    return tuple(
        Instruction(f"w{index}", f"Is it so, way {index}? {{{{ input }}}}", collection, OutputForm.LABEL)
        for index in range(count)
    )


def write_run(
    folder: Path, *, model="m", tasks=None, rows=None, strength=1.0, lean=1.0, seed=0, trained_on=None,
    aligned_on=None, empty=(),
):  # fmt: skip
    """Write a run in which wordings lean towards an answer and know the right one with some strength."""
    tasks, rows = tasks or (task(),), rows or wordings()
    spec = ModelSpec(model, "nowhere", dtype="float32", trained_on=trained_on, aligned_on=aligned_on)
    asked = tuple(Asked(item, rows, item.examples, tuple(empty)) for item in tasks)
    cells = sum(len(rows) * len(item.examples + tuple(empty)) for item in tasks)
    inputs = Inputs((spec,), asked, cells, Reading(resamples=100))
    identity = {"config": {"seed": 0}, "digests": {"tasks": {}, "instructions": {}}, "models": {model: {}}}
    store = open_run(folder, new_manifest(folder.name, identity), inputs.to_json())
    generator = np.random.default_rng(seed)
    for item in tasks:
        leaning = lean * generator.normal(size=len(rows))
        scores = []
        for row, wording in enumerate(rows):
            for example in (*item.examples, *empty):
                right = 0.0 if example in empty else strength * (2 * example.gold[0] - 1)
                margin = right + leaning[row] + (0.05 if example in empty else 1.0) * generator.normal()
                logprobs = (-np.log1p(np.exp(margin)), -np.log1p(np.exp(-margin)))
                cell = Cell(model, item.name, wording.id, example.id, 0, "plain", 0, "float32")
                scores.append(Score(cell, Measurement(tuple(map(float, logprobs)), (1, 1), (2, 3))))
        store.write(f"unit{item.name}", scores)
    return folder
