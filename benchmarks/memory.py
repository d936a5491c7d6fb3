"""Whether peak memory stays flat as a grid grows: the same units, few or many, each count in a process of its own.

The model is the embedded one with two of its layers, whose vocabulary and widths are the real ones: memory for packs
and logits is the same, and 20,000 cells take minutes and not an hour.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys

_LAYERS = 2
_UNIT = 500


def peak(cells: int) -> float:
    """Peak resident memory in MiB of a process that measures so many cells."""
    command = [sys.executable, "-m", "benchmarks.memory", str(cells)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(output.split()[-1])


def _measure(cells: int) -> None:
    from benchmarks.workloads import MIX, _bundled
    from isophrase.engine.local import LocalModel
    from isophrase.models.base import GenerationLimits
    from isophrase.models.huggingface import load
    from isophrase.types import ModelSpec

    loaded = load(ModelSpec("smollm2", "smollm2-135m-instruct", dtype="float32", device="cpu"))
    body = loaded.model.base_model
    body.layers = body.layers[:_LAYERS]
    loaded.model.config.num_hidden_layers = _LAYERS
    model = LocalModel(loaded)
    prompts = itertools.cycle([prompt for task in MIX for prompt in _bundled(task, 10, 50)])
    for _ in range(0, cells, _UNIT):
        model.measure(list(itertools.islice(prompts, _UNIT)), GenerationLimits())


if __name__ == "__main__":
    _measure(int(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
