"""How a model's own attention is replaced for a while.

Knows transformers' registry of attention functions. While a replacement is active, every attention layer hands it
queries, keys and values, and gets no mask: what a token sees is the replacement's business. Does not know what that
is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from torch import Tensor

NAME = "isophrase"


class UnsupportedAttentionError(Exception):
    """A layer asks for something that the replacement does not compute."""


class Attention(Protocol):
    """What computes attention in place of a model's layers."""

    def attend(self, module: Any, query: Tensor, key: Tensor, value: Tensor, options: Mapping[str, Any]) -> Tensor:
        """One layer's attention.

        Args:
            module: The layer.
            query: [heads, queries, head size].
            key: [key heads, keys, head size], positions applied.
            value: [key heads, keys, head size].
            options: What the layer passes on: `scaling`, `sliding_window`, `softcap`, ...

        Returns:
            [queries, heads, head size].
        """
        ...


_ACTIVE: ContextVar[Attention | None] = ContextVar("isophrase_attention", default=None)


def _forward(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """What transformers calls in each layer: tensors [1, heads, tokens, head size] -> [1, tokens, heads, head size]."""
    active = _ACTIVE.get()
    if active is None or attention_mask is not None or query.shape[0] != 1:
        raise UnsupportedAttentionError(f"{type(module).__name__} makes a mask or a batch of its own")
    return active.attend(module, query[0], key[0], value[0], options)[None], None


def scale_of(query: Tensor, options: Mapping[str, Any]) -> float:
    """The factor on query times key."""
    scaling = options.get("scaling")
    return float(query.shape[-1] ** -0.5 if scaling is None else scaling)


def refuse(module: Any, options: Mapping[str, Any], *names: str) -> None:
    """Raises if a layer passes an option that the replacement does not know.

    Raises:
        UnsupportedAttentionError: It does.
    """
    unknown = [name for name in names if options.get(name) is not None]
    if unknown:
        raise UnsupportedAttentionError(f"{type(module).__name__} asks for {', '.join(unknown)}")


@contextmanager
def replaced(model: Any, active: Attention) -> Iterator[None]:
    """Hands all attention of a model to `active` for the time of the block."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _forward)
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}.values()
    before = [config._attn_implementation for config in configs]
    token = _ACTIVE.set(active)
    try:
        for config in configs:
            config._attn_implementation = NAME
        yield
    finally:
        for config, name in zip(configs, before, strict=True):
            config._attn_implementation = name
        _ACTIVE.reset(token)
