"""Float32 layers with frozen weights through `isophrase.engine.products` beside PyTorch's own, forwards and backwards.

`python -m benchmarks.products` prints ratios of times, for the layers of SmolLM2-135M and for its whole body on a
stretch of tokens. On processors that are not AMD's both sides are the same product and ratios are about 1.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional

from isophrase.engine.backbone import take_apart
from isophrase.engine.products import linear, multiplied
from isophrase.models.huggingface import load
from isophrase.types import ModelSpec

_LAYERS = {"query": (576, 576), "key": (576, 192), "gate": (576, 1536), "down": (1536, 576)}


def ratio(slow: Callable[[], object], fast: Callable[[], object], rounds: int) -> str:
    """How many times faster the second is: median, least and greatest of rounds taken in turns."""
    slow(), fast()
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        slow()
        between = time.perf_counter()
        fast()
        found.append((between - start) / (time.perf_counter() - between))
    return f"{statistics.median(found):.2f} [{min(found):.2f}, {max(found):.2f}]"


def _layer(multiply: Callable[..., torch.Tensor], states: torch.Tensor, weight: torch.Tensor) -> None:
    states = states.requires_grad_()
    multiply(states, weight).sum().backward()  # type: ignore[no-untyped-call]


def main() -> None:
    """Prints the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.products", description=__doc__)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    for name, (inputs, outputs) in _LAYERS.items():
        states, weight = torch.randn(arguments.tokens, inputs), torch.randn(outputs, inputs)
        sides = [partial(_layer, multiply, states, weight) for multiply in (functional.linear, linear)]
        print(f"{name} ({inputs} -> {outputs}), forwards and backwards: {ratio(*sides, rounds=arguments.rounds)}")
    backbone = take_apart(load(ModelSpec("model", "smollm2-135m-instruct", dtype="float32", device="cpu")))
    ids = torch.randint(0, backbone.vocabulary, (1, arguments.tokens))

    def own() -> None:
        with torch.inference_mode():
            backbone.body(input_ids=ids, use_cache=False)

    def ours() -> None:
        with multiplied(backbone.model):
            own()

    print(f"whole body, forwards: {ratio(own, ours, arguments.rounds)}")


if __name__ == "__main__":
    main()
