"""Whether peak memory stays flat as a grid grows: the same units, few or many, each count in a process of its own.

The model is the embedded one with two of its layers, whose vocabulary and widths are the real ones: memory for packs
and logits is the same, and 20,000 cells take minutes and not an hour. Units take turns among the tasks, so that the
smaller count has seen every task too: what is measured is the number of cells, not the longest task.
"""

from __future__ import annotations

import itertools
import re
import resource
import subprocess
import sys
from pathlib import Path

_LAYERS = 2
_WORDINGS, _EXAMPLES = 10, 25
_UNIT = _WORDINGS * _EXAMPLES


def peak(cells: int) -> float:
    """Peak resident memory in MiB of a process that measures so many cells."""
    command = [sys.executable, "-m", "benchmarks.memory", str(cells)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(output.split()[-1])


def _measure(cells: int) -> None:
    from benchmarks.workloads import MIX, _bundled
    from isophrase.engine.local import LocalModel
    from isophrase.models.allocation import reuse_freed_memory
    from isophrase.models.base import GenerationLimits
    from isophrase.models.huggingface import load
    from isophrase.types import ModelSpec

    reuse_freed_memory()
    loaded = load(ModelSpec("smollm2", "smollm2-135m-instruct", dtype="float32", device="cpu"))
    body = loaded.model.base_model
    body.layers = body.layers[:_LAYERS]
    loaded.model.config.num_hidden_layers = _LAYERS
    model = LocalModel(loaded)
    units = itertools.cycle([_bundled(task, _WORDINGS, _EXAMPLES) for task in MIX])
    for unit in itertools.islice(units, cells // _UNIT):
        model.measure(unit, GenerationLimits())


def _own_peak() -> float:
    """MiB. Linux's `ru_maxrss` would count the process that started this one too, so its status file comes first."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _measure(int(sys.argv[1]))
    print(_own_peak())
