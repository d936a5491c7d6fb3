"""Hidden states of prompts: which layer and which position, and how they are taken out of a model's stack of layers.

Knows the layers of a stack and the tokens of a tree. Does not know how work is batched or what the states are for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isophrase.engine.backbone import Backbone
from isophrase.engine.plan import Pack
from isophrase.errors import ConfigError, ModelError

Floats = NDArray[np.float32]


class Position(StrEnum):
    """Which tokens of a prompt a state is taken from."""

    LAST = "last"
    """The last prompt token; for an encoder-decoder model the decoder's first step."""
    MEAN = "mean"
    """The mean over the prompt's tokens, without an adapter's virtual ones; of the encoder's where there is one."""


@dataclass(frozen=True, slots=True)
class Where:
    """A layer and a position.

    Attributes:
        layer: As in transformers' `hidden_states`: 0 is the embeddings, k what the k-th layer gives, the last one after
            the final norm; negative numbers count from the end, so that -2 is the penultimate layer.
        position: Which tokens.
    """

    layer: int = -2
    position: Position = Position.LAST

    @property
    def is_mean(self) -> bool:
        return self.position is Position.MEAN


@dataclass(frozen=True)
class States:
    """Hidden states of prompts.

    Attributes:
        values: Shape (prompts, hidden); NaN where there is none.
        missing: Index of a prompt -> why it has none.
    """

    values: Floats
    missing: Mapping[int, str] = field(default_factory=dict)


def stack_of(backbone: Backbone, where: Where) -> Any:
    """The stack of layers that a state is taken from."""
    return backbone.encoder if backbone.encoder_decoder and where.is_mean else backbone.body


def layers_of(stack: Any) -> Any:
    """The layers of a stack, in order.

    Raises:
        ModelError: They are not where any known architecture has them.
    """
    for owner in (stack, getattr(stack, "decoder", None)):
        for name in ("layers", "h", "block", "blocks"):
            found = getattr(owner, name, None)
            if isinstance(found, torch.nn.ModuleList) and len(found):
                return found
    raise ModelError(
        "a model whose layers are known", got=type(stack).__name__, remedy="use another model for hidden states"
    )


def resolve_layer(stack: Any, layer: int) -> int:
    """The layer's number from the front.

    Raises:
        ConfigError: The stack has no such layer.
    """
    count = len(layers_of(stack))
    if not -count - 1 <= layer <= count:
        raise ConfigError(
            f"a layer from 0 (embeddings) to {count}, or from -1 to {-count - 1}", got=str(layer),
            remedy="choose one of them; -2 is the penultimate layer",
        )  # fmt: skip
    return layer if layer >= 0 else count + 1 + layer


class Tap:
    """Keeps what enters one layer of a stack, which is what the layer before it gave.

    Args:
        stack: The stack.
        layer: As in `Where`.
    """

    def __init__(self, stack: Any, layer: int) -> None:
        self._layers = layers_of(stack)
        self._layer = resolve_layer(stack, layer)
        self._seen: Tensor | None = None

    @property
    def is_last(self) -> bool:
        """Whether the state is what the stack itself returns."""
        return self._layer == len(self._layers)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """For the time of the block, forward passes leave their states here."""
        if self.is_last:
            yield
            return

        def keep(_: Any, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> None:
            self._seen = arguments[0] if arguments else options["hidden_states"]

        handle = self._layers[self._layer].register_forward_pre_hook(keep, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()
            self._seen = None

    def of(self, last: Tensor) -> Tensor:
        """The states of the pass that ended with these last hidden states."""
        if self.is_last:
            return last
        assert self._seen is not None, "no forward pass went through the layer"
        return self._seen


class PathSums:
    """Sums of states from the root of a token tree to each of its tokens, pack by pack.

    Args:
        longest: Tokens in the longest sequence.
        virtual: Virtual tokens in front, which do not count.
    """

    def __init__(self, longest: int, virtual: int) -> None:
        self._longest = longest
        self._virtual = virtual
        self._path: Tensor | None = None

    def add(self, pack: Pack, states: Tensor) -> Tensor:
        """For each token of the pack that follows the last one, the sum over it and all in front of it.

        Args:
            pack: The pack.
            states: [size, hidden].

        Returns:
            [size, hidden], in float64.
        """
        wide = states.double() if states.device.type != "mps" else states.float()
        if self._path is None:
            self._path = wide.new_zeros(self._longest, wide.shape[1])
        sums = torch.empty_like(wide)
        for start, stop in pairwise([*pack.starts.tolist(), pack.size]):
            depth = int(pack.positions[start]) - self._virtual
            run = torch.cumsum(wide[start:stop], dim=0)
            if depth:
                run = run + self._path[depth - 1]
            self._path[depth : depth + stop - start] = run
            sums[start:stop] = run
        return sums


def as_array(states: Tensor) -> Floats:
    """The states in float32 on the processor's side."""
    found: Floats = states.float().cpu().numpy()
    return found
