"""Attention of one new token for each of many texts, all of which begin alike.

Knows the keys and values of the shared beginning, kept once, and of what each text has of its own, padded. Does not
know tokens or when a text ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from isophrase.engine.plan import Integers
from isophrase.engine.replacing import refuse, scale_of

KeysValues = tuple[Tensor, Tensor]


class StepAttention:
    """An `Attention` for one token a text.

    Args:
        store: For each layer, keys and values of all tokens of all texts: [key heads, tokens, head size] each.
        paths: For each text the places of its tokens in the store.
        shared: Number of tokens with which all paths begin.
        room: Tokens that may be added to each text.
    """

    def __init__(self, store: Mapping[int, KeysValues], paths: Sequence[Integers], shared: int, room: int) -> None:
        device = next(iter(store.values()))[0].device
        lengths = torch.tensor([len(path) - shared for path in paths], device=device)
        width = int(lengths.max())
        index = torch.zeros(len(paths), width, dtype=torch.int64)
        for row, path in enumerate(paths):
            index[row, : len(path) - shared] = torch.from_numpy(path[shared:])
        start = torch.from_numpy(paths[0][:shared]).to(device)
        self._shared = shared
        self._lengths = lengths
        self._front = {layer: (keys[:, start], values[:, start]) for layer, (keys, values) in store.items()}
        index = index.to(device)
        self._own = {
            layer: (_padded(keys, index, room), _padded(values, index, room)) for layer, (keys, values) in store.items()
        }

    @property
    def positions(self) -> Tensor:
        """Where each text's new token stands: [texts]."""
        return self._shared + self._lengths

    def step(self) -> None:
        """The new tokens become part of their texts."""
        self._lengths = self._lengths + 1

    def keep(self, rows: Tensor) -> None:
        """Goes on with these texts only."""
        self._lengths = self._lengths[rows]
        self._own = {
            layer: (keys.index_select(0, rows), values.index_select(0, rows))
            for layer, (keys, values) in self._own.items()
        }

    def attend(self, module: Any, query: Tensor, key: Tensor, value: Tensor, options: Mapping[str, Any]) -> Tensor:
        refuse(module, options, "position_bias", "s_aux", "cache")
        front_keys, front_values = self._front[module.layer_idx]
        own_keys, own_values = self._own[module.layer_idx]
        heads, texts, size = query.shape
        rows = torch.arange(texts, device=query.device)
        own_keys[rows, :, self._lengths] = key.transpose(0, 1)
        own_values[rows, :, self._lengths] = value.transpose(0, 1)
        width = int(self._lengths.max()) + 1
        grouped = query.view(key.shape[0], heads // key.shape[0], texts, size)
        front = torch.unflatten(grouped.flatten(1, 2) @ front_keys.transpose(1, 2), 1, grouped.shape[1:3])
        own = grouped.permute(2, 0, 1, 3) @ own_keys[:, :, :width].transpose(
            2, 3
        )  # [texts, key heads, heads a key, width]
        scores = torch.cat([front.permute(2, 0, 1, 3), own], dim=-1) * scale_of(query, options)
        if (softcap := options.get("softcap")) is not None:
            scores = torch.tanh(scores / softcap) * softcap
        hidden = ~self._visible(width, options.get("sliding_window"))
        weights = torch.softmax(scores.masked_fill(hidden[:, None, None], float("-inf")).float(), dim=-1).to(
            query.dtype
        )
        on_front, on_own = weights[..., : self._shared], weights[..., self._shared :]
        answer = on_own @ own_values[:, :, :width]
        spread = on_front.permute(1, 0, 2, 3).flatten(1, 2) @ front_values  # [key heads, texts * heads a key, size]
        answer = answer + torch.unflatten(spread, 1, (texts, -1)).transpose(0, 1)
        return answer.flatten(1, 2)

    def _visible(self, width: int, window: int | None) -> Tensor:
        """Which keys each text's new token sees: [texts, shared + width]."""
        positions = torch.arange(self._shared + width, device=self._lengths.device)[None]
        newest = self.positions[:, None]
        visible = positions <= newest
        return visible if window is None else visible & (newest - positions < window)


def _padded(tensor: Tensor, index: Tensor, room: int) -> Tensor:
    """[key heads, tokens, size] -> [texts, key heads, width + room, size]."""
    texts, width = index.shape
    padded = tensor.new_empty(texts, tensor.shape[0], width + room, tensor.shape[2])
    padded[:, :, :width] = torch.unflatten(tensor.index_select(1, index.flatten()), 1, index.shape).transpose(0, 1)
    padded[:, :, width:] = 0.0  # what has no token yet has no weight, and must be a number
    return padded
