"""A loaded model taken apart: the body that makes hidden states, the head that makes logits, and virtual tokens.

Knows how transformers and PEFT arrange these for the supported kinds. Does not know how work is batched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from isophrase.engine.products import linear
from isophrase.errors import ModelError

if TYPE_CHECKING:
    from isophrase.models.huggingface import LoadedModel

_EMBEDDING_ADAPTERS = ("PROMPT_TUNING", "P_TUNING")
_CACHE_ADAPTERS = ("PREFIX_TUNING",)
_CPU_TILE = 1 << 22
_GPU_TILE = 1 << 28
"""Bytes of logits that are computed at once."""


@dataclass(frozen=True)
class VirtualTokens:
    """What a PEFT adapter puts in front of every sequence; exactly one of the two forms.

    Attributes:
        embeddings: Input embeddings, [virtual, hidden], or None.
        keys: For each layer, keys [heads, virtual, head size] as attention sees them, or empty.
        values: For each layer, values of the same shape, or empty.
    """

    embeddings: Tensor | None = None
    keys: tuple[Tensor, ...] = ()
    values: tuple[Tensor, ...] = ()

    def __len__(self) -> int:
        if self.embeddings is not None:
            return self.embeddings.shape[0]
        return self.keys[0].shape[1] if self.keys else 0


@dataclass(frozen=True)
class Backbone:
    """The parts of a model that an executor calls.

    Attributes:
        model: The transformers model itself (LoRA layers inside it stay).
        virtual: What the adapter puts in front; of length 0 without one.
        encoder_decoder: Whether the model has an encoder of its own.
    """

    model: Any
    virtual: VirtualTokens
    encoder_decoder: bool

    @property
    def body(self) -> Any:
        """The decoder-only stack, or the decoder of an encoder-decoder model: returns `last_hidden_state`."""
        return self.model.get_decoder() if self.encoder_decoder else self.model.base_model

    @property
    def encoder(self) -> Any:
        return self.model.get_encoder()

    @property
    def config(self) -> Any:
        """The configuration of the text part."""
        return self.model.config.get_text_config(decoder=True)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.model.dtype
        return dtype

    @property
    def vocabulary(self) -> int:
        return int(self.model.get_output_embeddings().weight.shape[0])

    @property
    def has_plain_head(self) -> bool:
        """Whether the vocabulary projection is one matrix product, of which parts can be computed."""
        head = self.model.get_output_embeddings()
        return type(head) is nn.Linear and not head._forward_hooks and not head._forward_pre_hooks

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings of token ids, as the model scales them: [..., hidden]."""
        embedded: Tensor = self.model.get_input_embeddings()(ids)
        return embedded

    def logits(self, hidden: Tensor) -> Iterator[tuple[int, Tensor]]:
        """The projection of the model's own `forward`, a stretch of the vocabulary at a time.

        A stretch that stays in the processor's cache makes what follows (a maximum, a sum of exponentials) nearly free.

        Args:
            hidden: Last hidden states, [rows, hidden].

        Yields:
            The first word of a stretch, and its logits in float32: [rows, words].
        """
        hidden, head = self._scaled(hidden), self.model.get_output_embeddings()
        if not self.has_plain_head:
            yield 0, self._finished(head(hidden).float(), slice(None))
            return
        width = max(1024, (_CPU_TILE if hidden.device.type == "cpu" else _GPU_TILE) // (4 * hidden.shape[0]))
        for first in range(0, self.vocabulary, width):
            words = slice(first, first + width)
            bias = None if head.bias is None else head.bias[words]
            yield first, self._finished(linear(hidden, head.weight[words], bias).float(), words)

    def logits_at(self, hidden: Tensor, words: Tensor) -> Tensor:
        """One logit a row in float32, from one dot product in float32 whatever the model's dtype.

        In bfloat16 the projection's result is rounded to about 0.06 at a logit of 16, as much as options differ by.

        Args:
            hidden: Last hidden states, [rows, hidden].
            words: For each row a word: [rows].
        """
        head = self.model.get_output_embeddings()
        logits = (self._scaled(hidden).float() * head.weight[words].float()).sum(dim=-1)
        return self._finished(logits if head.bias is None else logits + head.bias[words].float(), words)

    def _scaled(self, hidden: Tensor) -> Tensor:
        tied = getattr(self.config, "scale_decoder_outputs", False)  # T5 with tied embeddings
        return hidden * self.config.d_model**-0.5 if tied else hidden

    def _finished(self, logits: Tensor, words: slice | Tensor) -> Tensor:
        """What some models do with their logits."""
        config = self.config
        softcap = getattr(config, "final_logit_softcapping", None)
        if softcap is not None:  # Gemma 2
            logits = torch.tanh(logits / softcap) * softcap
        if (scale := getattr(config, "logit_scale", None)) is not None:  # Cohere
            logits = logits * scale
        if (scaling := getattr(config, "logits_scaling", None)) is not None:  # Granite
            logits = logits / scaling
        if (bias := getattr(self.model, "final_logits_bias", None)) is not None:  # BART
            logits = logits + bias[0, words]
        return logits


def take_apart(loaded: LoadedModel) -> Backbone:
    """The parts of a loaded model.

    Raises:
        ModelError: The adapter is of a kind that the engine does not know.
    """
    model = loaded.model
    if not hasattr(model, "peft_config"):
        return Backbone(model, VirtualTokens(), loaded.is_encoder_decoder)
    config = model.active_peft_config
    base = model.get_base_model()
    if not config.is_prompt_learning:
        return Backbone(base, VirtualTokens(), loaded.is_encoder_decoder)
    kind = getattr(config.peft_type, "value", str(config.peft_type))
    with torch.no_grad():
        if kind in _EMBEDDING_ADAPTERS:
            prompt = model.get_prompt(batch_size=1)[0, : config.num_virtual_tokens]
            return Backbone(base, VirtualTokens(embeddings=prompt.to(base.dtype)), loaded.is_encoder_decoder)
        if kind in _CACHE_ADAPTERS:
            return Backbone(base, _prefix(model, base), loaded.is_encoder_decoder)
    raise ModelError(
        f"an adapter of a known kind (LoRA and its relatives, {', '.join(_EMBEDDING_ADAPTERS + _CACHE_ADAPTERS)})",
        got=f"{kind} in {loaded.spec.adapter}", remedy="merge the adapter into the model, or use another kind",
    )  # fmt: skip


def _prefix(model: nn.Module, base: Any) -> VirtualTokens:
    cache: Any = model.get_prompt(batch_size=1)  # type: ignore[operator]
    layers = getattr(cache, "self_attention_cache", cache).layers
    keys = tuple(layer.keys[0].to(base.dtype) for layer in layers)
    values = tuple(layer.values[0].to(base.dtype) for layer in layers)
    return VirtualTokens(keys=keys, values=values)
