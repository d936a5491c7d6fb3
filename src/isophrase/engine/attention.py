"""Attention over a pack of tree branches.

Knows keys, values, blocks and masks; keeps the keys and values of the tokens between the root and the pack in work.
Rotary or learned positions are the model's, which gets explicit position ids. Does not know tokens or what is
scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from isophrase.engine.backbone import VirtualTokens
from isophrase.engine.blocks import blocks
from isophrase.engine.plan import Integers, Pack
from isophrase.engine.replacing import refuse, scale_of


@dataclass(frozen=True)
class _Group:
    """A block with its keys and masks as tensors. `keys` is a range where the indexes are consecutive."""

    start: int
    stop: int
    keys: Tensor | slice
    visible: Tensor
    distance: Tensor
    masks: dict[tuple[int | None, int], Tensor]


class TreeAttention:
    """An `Attention` for packs, in order.

    Args:
        device: Where the model is.
        dtype: What the model computes in.
        block: Wanted number of queries that attend together.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, block: int) -> None:
        self._device = device
        self._dtype = dtype
        self._block = block
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}
        self._groups: list[_Group] = []
        self._inherited = torch.empty(0, dtype=torch.int64)
        self._longest = 0
        self.windows: set[int] = set()
        """The sliding windows that layers have asked for."""

    def seed(self, virtual: VirtualTokens) -> None:
        """Takes an adapter's keys and values as what the first pack inherits."""
        for layer, (keys, values) in enumerate(zip(virtual.keys, virtual.values, strict=True)):
            self._layers[layer] = (keys, values)

    def kept(self, layer: int, *, inherited: bool) -> tuple[Tensor, Tensor]:
        """A layer's keys and values, those of the last pack or all: [key heads, tokens, head size] each."""
        keys, values = self._layers[layer]
        first = 0 if inherited else len(self._inherited)
        return keys[:, first:], values[:, first:]

    @property
    def layers(self) -> list[int]:
        """Indexes of the layers that have keys."""
        return sorted(self._layers)

    def begin(self, pack: Pack) -> None:
        """Prepares for the forward pass of a pack."""
        self._inherited = torch.from_numpy(pack.inherited).to(self._device)
        self._longest = int(pack.positions.max()) + 1
        self._groups = []
        for block in blocks(pack, self._block):
            self._groups.append(
                _Group(
                    block.start, block.stop, self._indexes(block.keys),
                    torch.from_numpy(block.visible).to(self._device),
                    torch.from_numpy(block.distance).to(self._device), {},
                )
            )  # fmt: skip

    def _indexes(self, keys: Integers) -> Tensor | slice:
        if keys[-1] - keys[0] == len(keys) - 1:
            return slice(int(keys[0]), int(keys[-1]) + 1)
        return torch.from_numpy(keys).to(self._device)

    def attend(self, module: Any, query: Tensor, key: Tensor, value: Tensor, options: Mapping[str, Any]) -> Tensor:
        refuse(module, options, "position_bias", "s_aux", "cache")
        if len(self._inherited):
            old_key, old_value = self._layers[module.layer_idx]
            key = torch.cat([old_key.index_select(1, self._inherited), key], dim=1)
            value = torch.cat([old_value.index_select(1, self._inherited), value], dim=1)
        self._layers[module.layer_idx] = (key, value)
        heads, tokens, size = query.shape
        shared = heads // key.shape[0]
        query = query.view(key.shape[0], shared, tokens, size)
        answer = query.new_empty(tokens, key.shape[0], shared, value.shape[2])
        scale, softcap, window = scale_of(query, options), options.get("softcap"), options.get("sliding_window")
        if window is not None:
            self.windows.add(window)
        for group in self._groups:
            count = group.stop - group.start
            folded = query[:, :, group.start : group.stop].reshape(1, key.shape[0], shared * count, size)
            keys, values = _pick(key, group.keys)[None], _pick(value, group.keys)[None]
            mask = self._mask(group, window, shared)
            part = _attention(folded, keys, values, mask, scale, softcap)
            answer[group.start : group.stop] = part.view(key.shape[0], shared, count, -1).permute(2, 0, 1, 3)
        return answer.view(tokens, heads, -1)

    def _mask(self, group: _Group, window: int | None, shared: int) -> Tensor:
        """What is added to the scores, [shared * queries, keys]; a boolean mask would be slower on a CPU."""
        window = None if window is None or window >= self._longest else window
        if (window, shared) not in group.masks:
            visible = group.visible if window is None else group.visible & (group.distance < window)
            mask = torch.zeros(visible.shape, dtype=self._dtype, device=self._device)
            mask.masked_fill_(~visible, float("-inf"))
            group.masks[window, shared] = mask.repeat(shared, 1)
        return group.masks[window, shared]


def _pick(tensor: Tensor, indexes: Tensor | slice) -> Tensor:
    return tensor[:, indexes] if isinstance(indexes, slice) else tensor.index_select(1, indexes)


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float, softcap: float | None) -> Tensor:
    if softcap is None:
        return scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    scores = torch.tanh(query @ key.transpose(-1, -2) * (scale / softcap)) * softcap + mask
    return torch.softmax(scores.float(), dim=-1).to(query.dtype) @ value
