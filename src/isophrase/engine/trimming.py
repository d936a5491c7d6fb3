"""Spares the last layer what nobody reads: the feed-forward part of tokens that only serve as keys.

Knows the last layer's feed-forward module, which works on each token by itself. Does not know which tokens score.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class LastLayer:
    """The last layer of a decoder-only body.

    Args:
        body: The stack of layers.
    """

    def __init__(self, body: Any) -> None:
        layers = getattr(body, "layers", None) or getattr(body, "h", None)
        self._module = getattr(layers[-1], "mlp", None) if layers is not None else None
        self.rows: Tensor | None = None
        """The tokens whose last hidden states are read; None: all."""

    @contextmanager
    def trimmed(self) -> Iterator[None]:
        """For the time of the block, `rows` alone get a right last hidden state."""
        if not isinstance(self._module, torch.nn.Module):
            yield
            return
        forward = self._module.forward

        def some(hidden: Tensor, *arguments: Any, **options: Any) -> Any:
            if self.rows is None or hidden.shape[0] != 1:
                return forward(hidden, *arguments, **options)
            part = forward(hidden[:, self.rows], *arguments, **options) if len(self.rows) else hidden[:, :0]
            if not isinstance(part, Tensor):  # a mixture of experts also says whom it chose
                return forward(hidden, *arguments, **options)
            # Under autocast the part is of another dtype than what came in.
            return part.new_zeros(hidden.shape).index_copy_(1, self.rows, part)

        self._module.forward = some
        try:
            yield
        finally:
            del self._module.forward
            self.rows = None
