"""How near to the machine's limit the engine runs: useful operations over the rate of a plain matrix product.

Knows what a token costs and where time goes. Times the model's calls by wrapping them; the rest is what is outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.workloads import Workload
from isophrase.engine import tree
from isophrase.engine.backbone import Backbone, take_apart
from isophrase.engine.choosing import sizes
from isophrase.engine.local import LocalModel
from isophrase.engine.plan import plan
from isophrase.engine.products import linear
from isophrase.engine.requests import collect
from isophrase.engine.seam import tokenise
from isophrase.models.huggingface import LoadedModel

_SIDE = 2048


@dataclass(frozen=True)
class Work:
    """What a workload costs at least, every distinct beginning computed once.

    Attributes:
        tokens: Distinct tokens.
        computed: Tokens that went through the model, padding included.
        naive: Tokens of all prompts with all options, nothing shared.
        operations: Floating-point operations on the distinct tokens.
    """

    tokens: int
    computed: int
    naive: int
    operations: float


@dataclass(frozen=True)
class Roofline:
    """One workload against the machine's limit.

    Attributes:
        work: What it costs.
        seconds: Wall time of `measure`.
        inside: Of which in the model's body and head.
        gemm: Operations a second of a plain product of square matrices in the same dtype, the best of some.
    """

    work: Work
    seconds: float
    inside: float
    gemm: float

    def lines(self) -> list[str]:
        """The figures as text."""
        rate = self.work.operations / self.seconds
        padding = 1 - self.work.tokens / self.work.computed
        return [
            f"measured GEMM rate {self.gemm / 1e9:.0f} GFLOP/s; achieved on useful tokens "
            f"{rate / 1e9:.0f} GFLOP/s: {100 * rate / self.gemm:.1f} %",
            f"{self.work.tokens} distinct tokens of {self.work.naive} "
            f"({self.work.naive / self.work.tokens:.1f} into 1); padding {100 * padding:.2f} % of computed tokens",
            f"{100 * (1 - self.inside / self.seconds):.1f} % of wall time outside model calls",
        ]


def gemm_rate(dtype: torch.dtype, tries: int = 7) -> float:
    """Operations a second of the engine's product of square matrices: the best of some tries."""
    left, right = torch.randn(2, _SIDE, _SIDE).to(dtype)
    best = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        linear(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * _SIDE**3 / best


def roofline(loaded: LoadedModel, workload: Workload) -> Roofline:
    """Measures a workload of prompts with options."""
    model = LocalModel(loaded)
    backbone = take_apart(loaded)
    model.measure(workload.units[0][:20], workload.limits)  # warm up
    before = gemm_rate(backbone.dtype)
    clock = _Clock()
    with clock.around(backbone):
        start = time.perf_counter()
        for unit in workload.units:
            model.measure(unit, workload.limits)
        seconds = time.perf_counter() - start
    gemm = max(before, gemm_rate(backbone.dtype))
    return Roofline(work_of(loaded, backbone, workload, clock.tokens), seconds, clock.seconds, gemm)


class _Clock:
    """Adds up the time and the tokens of calls of a model's body and of the vocabulary projection."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.tokens = 0

    @contextmanager
    def around(self, backbone: Backbone) -> Iterator[None]:
        body, forward, project = backbone.body, backbone.body.forward, tree.log_probabilities
        try:
            body.forward = self._timed(forward)
            tree.log_probabilities = self._timed(project)
            yield
        finally:
            del body.forward
            tree.log_probabilities = project

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            result = call(*arguments, **options)
            self.seconds += time.perf_counter() - start
            if "input_ids" in options:
                self.tokens += options["input_ids"].numel()
            return result

        return timed


def work_of(loaded: LoadedModel, backbone: Backbone, workload: Workload, computed: int) -> Work:
    """What a workload costs at least, unit by unit."""
    config = backbone.config
    body = sum(weight.numel() for layer in _layers(backbone) for weight in layer.parameters() if weight.dim() == 2)
    head = backbone.vocabulary * config.hidden_size
    attention = 4 * config.num_hidden_layers * config.num_attention_heads * _head_size(config)
    tokens = naive = 0
    operations = 0.0
    for unit in workload.units:
        questions = tokenise(loaded.tokenizer, unit, encoder_decoder=False, context_length=loaded.context_length)
        naive += sum(len(question.context) + len(answer) for question in questions for answer in question.answers)
        requests = collect(questions)
        columns = [sorted({column for column, _, _ in wanted}) for wanted in requests.wanted]
        for pack in plan(requests.rows, columns, sizes(backbone).pack):
            tokens += pack.size
            pairs = float((pack.positions + 1).sum())
            operations += 2 * body * pack.size + attention * pairs + 2 * head * len(set(pack.asked.tolist()))
    return Work(tokens, computed, naive, operations)


def _layers(backbone: Backbone) -> Sequence[Any]:
    layers: Sequence[Any] = backbone.body.layers
    return layers


def _head_size(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
