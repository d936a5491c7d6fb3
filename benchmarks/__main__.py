"""`python -m benchmarks`: the engine side by side with lm-evaluation-harness, and against the machine's limit.

Prints ratios. Run it on a quiet machine, in an environment that has lm_eval (`benchmarks/run.sh` makes one).
"""

from __future__ import annotations

import argparse
import logging
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace

import torch
import transformers

from benchmarks.comparing import agree, compare, timed
from benchmarks.memory import peak
from benchmarks.roofline import roofline
from benchmarks.sides import Harness, Isophrase
from benchmarks.workloads import Workload, workloads
from isophrase.models.allocation import reuse_freed_memory
from isophrase.models.huggingface import LoadedModel, load
from isophrase.types import ModelSpec

PEER_BATCHES = (8, 16, 32, 64)
_PEER_BYTES = 8 << 30
_TRIED, _TRIED_TEXTS = 16, 64
"""Prompts on which the peer's batch sizes are compared; texts are one request each, so they need more."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--model", default="smollm2-135m-instruct", help="a catalog name, a hub id or a folder")
    parser.add_argument("--dtype", default="float32", help="of both sides")
    parser.add_argument("--only", default="abcd", help="which workloads, for example: ac")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each side runs; (b), whose peer is slow, at most twice"
    )
    parser.add_argument("--size", type=float, default=1.0, help="factor on the number of examples")
    parser.add_argument("--batch", type=int, default=0, help="the peer's batch size; 0: its best of some, by workload")
    parser.add_argument(
        "--reuse-memory", action="store_true",
        help="tell the allocator to keep freed memory, as the command line does; both sides run in this process, and "
        "the peer's users do not have it, so it is off in the comparison and on in what follows",
    )  # fmt: skip
    parser.add_argument("--no-extras", action="store_true", help="without roofline, memory and bfloat16")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    """Runs what is asked for."""
    logging.disable(logging.WARNING)
    arguments = _arguments()
    if arguments.reuse_memory:
        reuse_freed_memory()
    loaded = load(ModelSpec("model", arguments.model, dtype=arguments.dtype, device="auto"), notify=_say)
    _say(
        f"{arguments.model}, {loaded.spec.dtype} on {loaded.spec.device}; {torch.get_num_threads()} threads; torch "
        f"{torch.__version__}, transformers {transformers.__version__}, Python {platform.python_version()}"
    )
    chosen = [workload for workload in workloads(arguments.size) if workload.name in arguments.only]
    ours = Isophrase(loaded)
    for workload in chosen:
        batch = arguments.batch or _best_batch(loaded, workload)
        theirs = Harness(loaded, batch)
        _say(f"{compare(workload, ours, theirs, min(arguments.rounds, workload.rounds)).line()}; {theirs.name}")
    if not arguments.no_extras:
        _extras(loaded, chosen)


def _best_batch(loaded: LoadedModel, workload: Workload) -> int:
    """The peer's fastest batch size on a part of the workload, spread over all of it."""
    prompts = workload.prompts
    tried = _TRIED if prompts[0].answers else _TRIED_TEXTS
    part = replace(workload, units=(prompts[:: max(1, len(prompts) // tried)],))
    longest = max(len(loaded.tokenizer(prompt.text)["input_ids"]) for prompt in part.prompts)
    # It keeps the logits of all positions, and their logarithm, in memory.
    fit = [size for size in PEER_BATCHES if 8 * size * longest * len(loaded.tokenizer) < _PEER_BYTES]
    seconds = {size: timed(Harness(loaded, size), part)[0] for size in fit or PEER_BATCHES[:1]}
    return min(seconds, key=seconds.__getitem__)


def _extras(loaded: LoadedModel, chosen: Sequence[Workload]) -> None:
    reuse_freed_memory()
    for workload in chosen:
        if workload.prompts[0].answers:
            for line in roofline(loaded, workload).lines():
                _say(f"({workload.name}) {line}")
    few, many = peak(1_000), peak(20_000)
    _say(f"peak memory {few:.0f} MiB for 1,000 cells, {many:.0f} MiB for 20,000: {100 * (many / few - 1):+.1f} %")
    mixes = [workload for workload in chosen if workload.name == "a"]
    if mixes and loaded.spec.dtype == "float32":
        part = replace(mixes[0], units=tuple(unit[::2] for unit in mixes[0].units))
        exact = Isophrase(loaded).ask(part)
        half = Isophrase(load(replace(loaded.spec, dtype="bfloat16"))).ask(part)
        same = agree(exact, half).same
        _say(f"float32 and bfloat16 predict the same for {100 * same:.2f} % of {len(part.prompts)} cells of (a)")


if __name__ == "__main__":
    sys.exit(main())
