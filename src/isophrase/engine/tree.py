"""The tree executor for decoder-only models: every distinct beginning of all sequences is computed once.

Knows how packs go through a model's body and which hidden states score. Does not know how the tree was cut or how
attention is arranged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from isophrase.engine.attention import TreeAttention
from isophrase.engine.backbone import Backbone
from isophrase.engine.continuing import Beginning, Continuation, groups
from isophrase.engine.plan import Pack, plan
from isophrase.engine.products import multiplied
from isophrase.engine.projection import log_probabilities
from isophrase.engine.replacing import replaced
from isophrase.engine.requests import Requests, collect
from isophrase.engine.seam import Question, Tokens
from isophrase.engine.states import Floats, PathSums, Tap, Where, as_array
from isophrase.engine.step_attention import KeysValues
from isophrase.engine.stopping import Stopping
from isophrase.engine.trimming import LastLayer

_log = logging.getLogger(__name__)
_SMALLEST = 64
"""A pack of fewer tokens is not tried when memory runs out."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What bounds memory.

    Attributes:
        pack: Tokens in a forward pass.
        block: Wanted number of queries that attend together.
        held: Tokens whose keys and values are held during generation.
        texts: Texts that are generated side by side.
    """

    pack: int
    block: int
    held: int
    texts: int


class TreeDecoder:
    """Decoder-only models whose attention can be replaced.

    Args:
        backbone: The model's parts.
        sizes: What bounds memory.
    """

    def __init__(self, backbone: Backbone, sizes: Sizes) -> None:
        self._backbone = backbone
        self._sizes = sizes
        self._pack = sizes.pack
        self.windows: set[int] = set()
        """The sliding windows that the model's layers have asked for."""

    @torch.inference_mode()
    def score(self, questions: Sequence[Question]) -> list[tuple[float, ...]]:
        """Teacher-forced sums of log P(token), for each question and answer."""
        requests = collect(questions)
        left = [{column for column, _, _ in wanted} for wanted in requests.wanted]
        while any(left):
            try:
                self._score_rest(requests, left)
            except torch.OutOfMemoryError:
                if not self._shrink():
                    raise
        return requests.sums()

    def _score_rest(self, requests: Requests, left: list[set[int]]) -> None:
        """Answers what is left; what is answered is taken out, so that a failure loses one pack."""
        rows = [row for row, columns in enumerate(left) if columns]
        sequences = [requests.rows[row][: max(left[row]) + 1] for row in rows]
        packs = plan(sequences, [sorted(left[row]) for row in rows], self._pack, virtual=len(self._backbone.virtual))
        for pack, hidden in self._walk(packs, self._attention()):
            if not len(pack.asked):
                continue
            askers = np.stack([np.array(rows)[pack.askers[:, 0]], pack.askers[:, 1]], axis=1)
            cells, numbers = np.unique(pack.asked, return_inverse=True)
            found, targets, slots = requests.at(askers, numbers)
            requests.add(slots, log_probabilities(self._backbone, hidden[torch.from_numpy(cells)], found, targets))
            for row, column in askers.tolist():
                left[row].discard(column)

    def _shrink(self) -> bool:
        """Half as many tokens in a pack from here on; False where there is nothing left to halve."""
        if self._pack // 2 < _SMALLEST:
            return False
        self._pack //= 2
        torch.cuda.empty_cache()
        _log.warning("out of memory: going on with %d tokens in a pass", self._pack)
        return True

    @torch.inference_mode()
    def generate(self, contexts: Sequence[Tokens], stopping: Stopping) -> list[str]:
        """The text that greedy decoding adds to each context."""
        texts: dict[Tokens, str] = {}
        room = stopping.limits.max_new_tokens
        for group in groups(contexts, room, tokens=self._sizes.held, most=self._sizes.texts):
            continuation = Continuation(self._backbone, group, self._begin(group), stopping)
            texts.update(zip(group, continuation.run(), strict=True))
        return [texts[context] for context in contexts]

    def _begin(self, contexts: Sequence[Tokens]) -> Beginning:
        """Keys, values and last hidden states of a group of contexts."""
        attention = self._attention()
        parts: dict[int, list[KeysValues]] = {}
        hidden: dict[int, Tensor] = {}
        ends = [[len(context) - 1] for context in contexts]
        packs = plan(contexts, ends, self._pack, virtual=len(self._backbone.virtual))
        for pack, states in self._walk(packs, attention):
            first = not parts
            for layer in attention.layers:
                parts.setdefault(layer, []).append(attention.kept(layer, inherited=first))
            for place, (text, _) in zip(pack.asked.tolist(), pack.askers.tolist(), strict=True):
                hidden[text] = states[place]
        store = {
            layer: (torch.cat([keys for keys, _ in found], dim=1), torch.cat([values for _, values in found], dim=1))
            for layer, found in parts.items()
        }
        return Beginning(store, torch.stack([hidden[text] for text in range(len(contexts))]))

    @torch.inference_mode()
    def states(self, contexts: Sequence[Tokens], where: Where) -> Floats:
        """The hidden state of each context: [contexts, hidden]."""
        numbers = {context: number for number, context in enumerate(dict.fromkeys(contexts))}
        while True:
            try:
                found = self._states(list(numbers), where)
                return found[[numbers[context] for context in contexts]]
            except torch.OutOfMemoryError:
                if not self._shrink():
                    raise

    def _states(self, contexts: Sequence[Tokens], where: Where) -> Floats:
        tap, virtual = Tap(self._backbone.body, where.layer), len(self._backbone.virtual)
        sums = PathSums(max(map(len, contexts)), virtual) if where.is_mean else None
        packs = plan(contexts, [[len(context) - 1] for context in contexts], self._pack, virtual=virtual)
        found = np.empty((len(contexts), 0), dtype=np.float32)
        with tap.opened():
            for pack, hidden in self._walk(packs, self._attention(), whole=sums is not None and tap.is_last):
                states = tap.of(hidden[None])[0]
                if not found.shape[1]:
                    found = np.empty((len(contexts), states.shape[1]), dtype=np.float32)
                if sums is not None:
                    states = sums.add(pack, states)
                rows, columns = pack.askers.T
                picked = as_array(states[torch.from_numpy(pack.asked).to(states.device)])
                found[rows] = picked / (columns[:, None] + 1) if where.is_mean else picked
        return found

    def _attention(self) -> TreeAttention:
        return TreeAttention(self._backbone.device, self._backbone.dtype, self._sizes.block)

    def _walk(
        self, packs: Iterator[Pack], attention: TreeAttention, *, whole: bool = False
    ) -> Iterator[tuple[Pack, Tensor]]:
        """The last hidden states of each pack, right where one is asked for, or everywhere: [size, hidden]."""
        last = LastLayer(self._backbone.body)
        with replaced(self._backbone.model, attention), last.trimmed(), multiplied(self._backbone.model):
            self._enter(attention)
            for pack in packs:
                attention.begin(pack)
                last.rows = None if whole else torch.from_numpy(np.unique(pack.asked)).to(self._backbone.device)
                ids = torch.from_numpy(pack.tokens)[None].to(self._backbone.device)
                yield pack, self._forward(pack, input_ids=ids)
            self.windows |= attention.windows

    def _enter(self, attention: TreeAttention) -> None:
        """Computes or takes over the keys and values of an adapter's virtual tokens."""
        embeddings = self._backbone.virtual.embeddings
        if embeddings is None:
            attention.seed(self._backbone.virtual)
            return
        (chain,) = plan([tuple(range(len(embeddings)))], [[]], len(embeddings))
        attention.begin(chain)
        self._forward(chain, inputs_embeds=embeddings[None])

    def _forward(self, pack: Pack, **inputs: Tensor) -> Tensor:
        positions = torch.from_numpy(pack.positions)[None].to(self._backbone.device)
        hidden: Tensor = self._backbone.body(position_ids=positions, use_cache=False, **inputs).last_hidden_state
        return hidden[0]
