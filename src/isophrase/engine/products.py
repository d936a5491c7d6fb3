"""Matrix products with weights in float32, on processors that the library behind PyTorch's own does not know.

PyTorch multiplies float32 matrices with Intel's MKL, which on AMD leaves AVX-512 alone; oneDNN, which comes with
PyTorch too, does not. Knows layers and their weights. Does not know models or what is computed with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from isophrase.models.devices import cpu_vendor

_AMD = "AuthenticAMD"


def linear(states: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`torch.nn.functional.linear`, by oneDNN where that is faster; gradients flow through it.

    Args:
        states: [..., inputs].
        weight: [outputs, inputs].
        bias: [outputs], or None.

    Returns:
        [..., outputs], equal to PyTorch's up to rounding.
    """
    if not _is_served(states, weight):
        return functional.linear(states, weight, bias)
    if torch.is_grad_enabled() and any(item is not None and item.requires_grad for item in (states, weight, bias)):
        found: Tensor = _Linear.apply(states, weight, bias)  # type: ignore[no-untyped-call]
        return found
    return _product(states, weight, bias)


@contextmanager
def multiplied(model: nn.Module) -> Iterator[None]:
    """For the time of the block, a model's linear layers multiply by `linear`; what is already replaced stays."""
    layers = [
        layer for layer in model.modules()
        if type(layer) is nn.Linear and "forward" not in vars(layer) and _is_served(layer.weight, layer.weight)
    ]  # fmt: skip
    for layer in layers:
        layer.forward = partial(_forward, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _forward(layer: nn.Linear, states: Tensor) -> Tensor:
    return linear(states, layer.weight, layer.bias)


class _Linear(torch.autograd.Function):
    """The product with its derivatives."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(states if weight.requires_grad else None, weight)
        return _product(states, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        states, weight = ctx.saved_tensors
        of_states, of_weight, of_bias = ctx.needs_input_grad
        rows = gradient.reshape(-1, weight.shape[0])
        return (
            _product(gradient, weight.t()) if of_states else None,
            _product(rows.t(), states.reshape(-1, weight.shape[1]).t()) if of_weight else None,
            rows.sum(dim=0) if of_bias else None,
        )


def _product(states: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    found: Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
    return found


def _is_served(states: Tensor, weight: Tensor) -> bool:
    plain = all(
        type(item) in (Tensor, nn.Parameter) and item.dtype is torch.float32 and item.device.type == "cpu"
        and item.layout is torch.strided and item.numel()
        for item in (states, weight)
    )  # fmt: skip
    return plain and not torch.is_autocast_enabled("cpu") and _here()


@cache
def _here() -> bool:
    return cpu_vendor() == _AMD and hasattr(torch.ops.mkldnn, "_linear_pointwise")
