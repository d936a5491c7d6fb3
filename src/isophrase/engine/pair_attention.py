"""Attention over many prompts and answers in one row each, for models with relative position biases (T5).

Knows stretches of the row that belong together, their position biases and what an answer's tokens see. Does not know
tokens or what is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from isophrase.engine.backbone import Backbone
from isophrase.engine.plan import Pack


@dataclass(frozen=True)
class Stretch:
    """Pairs of equal shape that stand side by side.

    Attributes:
        count: How many.
        source: Encoder tokens of each.
        answers: The tree of the answers, equal for each.
    """

    count: int
    source: int
    answers: Pack


class PairAttention:
    """An `Attention` for one row of prompts and one row of their answers, both in the order of the stretches.

    Args:
        backbone: The model's parts.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._virtual = backbone.virtual
        self._dtype = backbone.dtype
        self._stretches: Sequence[Stretch] = ()
        self._roles = _roles(backbone.model)
        self._biases: dict[str, Tensor] = {}
        self._masks: dict[tuple[str, int, int], Tensor] = {}

    def begin(self, stretches: Sequence[Stretch]) -> None:
        """Prepares for one encoder pass and the decoder pass that belongs to it."""
        self._stretches = stretches
        self._biases = {}
        self._masks = {}

    def attend(self, module: Any, query: Tensor, key: Tensor, value: Tensor, options: Mapping[str, Any]) -> Tensor:
        role = self._roles[id(module)]
        if module.has_relative_attention_bias:
            self._biases[role] = module.relative_attention_bias.weight.to(self._dtype)
            self._buckets = module
        parts = []
        queries = keys = 0
        for number, stretch in enumerate(self._stretches):
            asked = stretch.source if role == "encoder" else stretch.answers.size
            seen = stretch.answers.size if role == "decoder" else stretch.source
            mask = None if role == "cross" else self._mask(module, role, number)
            parts.append(
                self._stretch(
                    query[:, queries : queries + stretch.count * asked], key[:, keys : keys + stretch.count * seen],
                    value[:, keys : keys + stretch.count * seen], stretch.count, mask,
                    self._front(module, role), float(options["scaling"]),
                )
            )  # fmt: skip
            queries += stretch.count * asked
            keys += stretch.count * seen
        return torch.cat(parts)

    def _front(self, module: Any, role: str) -> tuple[Tensor, Tensor] | None:
        """Keys and values of an adapter's prefix, which stands in front of every answer."""
        if role != "decoder" or not self._virtual.keys:
            return None
        return self._virtual.keys[module.layer_idx], self._virtual.values[module.layer_idx]

    @staticmethod
    def _stretch(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        count: int,
        mask: Tensor | None,
        front: tuple[Tensor, Tensor] | None,
        scale: float,
    ) -> Tensor:
        """[heads, count * tokens, size] each -> [count * queries, heads, size]."""
        query, key, value = (_apart(tensor, count) for tensor in (query, key, value))
        if front is not None:
            key = torch.cat([front[0].expand(count, -1, -1, -1), key], dim=2)
            value = torch.cat([front[1].expand(count, -1, -1, -1), value], dim=2)
        answer = scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
        return answer.transpose(1, 2).flatten(0, 1)

    def _mask(self, module: Any, role: str, number: int) -> Tensor:
        """Position bias and what an answer's tokens don't see, the same in all layers: [1, heads, queries, keys]."""
        stretch = self._stretches[number]
        if role == "encoder":
            name = (role, stretch.source, 0)
            if name not in self._masks:
                positions = torch.arange(stretch.source)
                self._masks[name] = self._bias(role, positions, positions, bidirectional=True)
            return self._masks[name]
        name = (role, 0, number)
        if name not in self._masks:
            front = len(self._virtual) if self._virtual.keys else 0
            positions = torch.from_numpy(stretch.answers.positions) + front
            bias = self._bias(role, positions, torch.cat([torch.arange(front), positions]), bidirectional=False)
            tokens = torch.arange(stretch.answers.size)
            ends = torch.from_numpy(stretch.answers.ends)
            visible = (tokens[None] <= tokens[:, None]) & (tokens[:, None] < ends[None])
            visible = torch.cat([torch.ones(len(tokens), front, dtype=torch.bool), visible], dim=1).to(bias.device)
            self._masks[name] = bias.masked_fill(~visible, float("-inf"))
        return self._masks[name]

    def _bias(self, role: str, queries: Tensor, keys: Tensor, *, bidirectional: bool) -> Tensor:
        module = self._buckets
        buckets = module._relative_position_bucket(
            keys[None] - queries[:, None], bidirectional=bidirectional,
            num_buckets=module.relative_attention_num_buckets, max_distance=module.relative_attention_max_distance,
        )  # fmt: skip
        weight = self._biases[role]
        return weight[buckets.to(weight.device)].permute(2, 0, 1)[None].contiguous()


def _apart(tensor: Tensor, count: int) -> Tensor:
    """[heads, count * tokens, size] -> [count, heads, tokens, size]."""
    return torch.unflatten(tensor, 1, (count, -1)).transpose(0, 1)


def _roles(model: Any) -> dict[int, str]:
    """What each attention layer attends to: `encoder`, `decoder` or `cross`."""
    roles = {id(block.layer[0].SelfAttention): "encoder" for block in model.get_encoder().block}
    for block in model.get_decoder().block:
        roles[id(block.layer[0].SelfAttention)] = "decoder"
        roles[id(block.layer[1].EncDecAttention)] = "cross"
    return roles


@contextmanager
def without_biases(model: Any) -> Iterator[None]:
    """Spares the model its own position biases, which would be the square of a whole row."""
    layers = [module for module in model.modules() if hasattr(module, "compute_bias")]
    try:
        for layer in layers:
            layer.compute_bias = lambda *_, **__: torch.zeros(1, 1, 1, 1)
        yield
    finally:
        for layer in layers:
            del layer.compute_bias
