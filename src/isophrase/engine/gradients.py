"""Last hidden states and logits that gradients flow through, for training.

Knows how token sequences go through a model, with every distinct beginning of a step computed once where the model
allows it. Does not know losses, wordings or which weights are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from isophrase.engine.attention import TreeAttention
from isophrase.engine.backbone import Backbone, VirtualTokens
from isophrase.engine.plan import plan
from isophrase.engine.products import multiplied
from isophrase.engine.replacing import replaced
from isophrase.engine.seam import Tokens
from isophrase.engine.trimming import LastLayer

_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a model has read when it predicts a token.

    Attributes:
        context: The prompt; decoder-only: at least one token.
        decoded: The tokens of the answer so far.
    """

    context: Tokens
    decoded: Tokens = ()


class Forward(Protocol):
    """A forward pass that keeps what a backward pass needs."""

    def states(self, prefixes: Sequence[Prefix], virtual: VirtualTokens) -> Tensor:
        """The last hidden state behind each prefix, in front of the vocabulary projection.

        Args:
            prefixes: What to read; distinct.
            virtual: What an adapter puts in front; may require gradients.

        Returns:
            [prefixes, hidden].
        """
        ...


class TreeForward:
    """Decoder-only models whose attention can be replaced: one pack holds all distinct beginnings.

    Args:
        backbone: The model's parts.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    def states(self, prefixes: Sequence[Prefix], virtual: VirtualTokens) -> Tensor:
        rows = [prefix.context + prefix.decoded for prefix in prefixes]
        (pack,) = plan(rows, [[len(row) - 1] for row in rows], sum(map(len, rows)), virtual=len(virtual))
        device = self._backbone.device
        attention = TreeAttention(device, self._backbone.dtype, _BLOCK)
        last = LastLayer(self._backbone.body)
        with replaced(self._backbone.model, attention), last.trimmed(), multiplied(self._backbone.model):
            self._enter(attention, virtual)
            attention.begin(pack)
            last.rows = torch.from_numpy(np.unique(pack.asked)).to(device)
            ids = torch.from_numpy(pack.tokens)[None].to(device)
            hidden = self._run(torch.from_numpy(pack.positions), input_ids=ids)
        order = np.argsort(pack.askers[:, 0])
        return hidden[torch.from_numpy(pack.asked[order]).to(device)]

    def _enter(self, attention: TreeAttention, virtual: VirtualTokens) -> None:
        if virtual.embeddings is None:
            attention.seed(virtual)
            return
        size = len(virtual)
        (chain,) = plan([tuple(range(size))], [[]], size)
        attention.begin(chain)
        self._run(torch.arange(size), inputs_embeds=virtual.embeddings[None])

    def _run(self, positions: Tensor, **inputs: Tensor) -> Tensor:
        where = positions[None].to(self._backbone.device)
        hidden: Tensor = self._backbone.body(position_ids=where, use_cache=False, **inputs).last_hidden_state
        return hidden[0]


class PlainForward:
    """Any model, as its own `forward` computes it in a padded batch: the slow and obvious way.

    Args:
        model: The transformers model, or the PEFT model around it, which puts its virtual tokens in front itself.
        encoder_decoder: Its kind.
    """

    def __init__(self, model: Any, *, encoder_decoder: bool) -> None:
        self._model = model
        self._encoder_decoder = encoder_decoder
        self._start = int(model.config.decoder_start_token_id or 0) if encoder_decoder else 0

    def states(self, prefixes: Sequence[Prefix], virtual: VirtualTokens) -> Tensor:
        context, row, column = _gathered(prefixes, split=self._encoder_decoder)
        with self._without_adapter(virtual), multiplied(self._model):
            hidden = self._pairs(context) if self._encoder_decoder else self._rows(context)
        return hidden[torch.tensor(row), torch.tensor(column)]

    def _without_adapter(self, virtual: VirtualTokens) -> AbstractContextManager[Any]:
        """A prompt-learning adapter puts its tokens in front of every call; without virtual tokens it is off."""
        config = getattr(self._model, "active_peft_config", None)
        if config is not None and config.is_prompt_learning and not len(virtual):
            return self._model.disable_adapter()  # type: ignore[no-any-return]
        return nullcontext()

    def _rows(self, rows: Sequence[Prefix]) -> Tensor:
        ids, mask = self._padded([row.context for row in rows])
        output = self._model(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
        hidden: Tensor = output.hidden_states[-1][:, -ids.shape[1] :]  # prompt tuning keeps its virtual tokens in front
        return hidden

    def _pairs(self, rows: Sequence[Prefix]) -> Tensor:
        ids, mask = self._padded([row.context for row in rows])
        decoded, _ = self._padded([(self._start, *row.decoded) for row in rows])
        output = self._model(
            input_ids=ids, attention_mask=mask, decoder_input_ids=decoded, output_hidden_states=True, use_cache=False
        )  # fmt: skip
        hidden: Tensor = output.decoder_hidden_states[-1][:, -decoded.shape[1] :]
        return hidden

    def _padded(self, rows: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        width = max(map(len, rows))
        # What stands in the padding is never read: behind a row under a causal mask, masked in an encoder.
        ids = torch.zeros((len(rows), width), dtype=torch.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
        sizes = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(width) < sizes[:, None]).long()
        device = self._model.device
        return ids.to(device), mask.to(device)


def _gathered(prefixes: Sequence[Prefix], *, split: bool) -> tuple[list[Prefix], list[int], list[int]]:
    """The longest rows that hold all prefixes, and each prefix's row and column.

    Prefixes of one context whose answers go on from each other are one row. Without `split` the answer is joined to the
    context.
    """
    rows: list[Prefix] = []
    places: dict[Prefix, tuple[int, int]] = {}
    for prefix in sorted(set(prefixes), key=lambda item: -len(item.decoded)):
        if prefix in places:
            continue
        row = prefix if split else Prefix(prefix.context + prefix.decoded)
        for size in range(len(prefix.decoded) + 1):
            column = size if split else len(prefix.context) + size - 1
            places.setdefault(Prefix(prefix.context, prefix.decoded[:size]), (len(rows), column))
        rows.append(row)
    return rows, [places[item][0] for item in prefixes], [places[item][1] for item in prefixes]


def logits(backbone: Backbone, states: Tensor) -> Tensor:
    """The vocabulary projection of states: [rows, hidden] -> [rows, vocabulary], float32 whatever is autocast."""
    head = backbone.model.get_output_embeddings()
    with torch.autocast(states.device.type, enabled=False):
        return torch.cat([part for _, part in backbone.logits(states.to(head.weight.dtype))], dim=-1)
