"""The obvious executor for encoder-decoder models: batches of padded rows through the model's own attention.

Knows a model's own forward pass and nothing of packing. It serves models whose attention can't be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isophrase.engine.backbone import Backbone
from isophrase.engine.plain import batches, empty_cache, filled_cache, pad, pooled
from isophrase.engine.projection import log_probabilities, most_likely
from isophrase.engine.requests import collect
from isophrase.engine.seam import Question, Tokens
from isophrase.engine.states import Floats, Tap, Where, as_array, stack_of
from isophrase.engine.stopping import Stopping


class PlainPairs:
    """Encoder-decoder models: each distinct prompt is encoded once in a batch, its answers are decoder rows.

    Args:
        backbone: The model's parts.
        budget: Tokens in one batch, padding included.
    """

    def __init__(self, backbone: Backbone, budget: int = 4096) -> None:
        self._backbone = backbone
        self._budget = budget

    @torch.inference_mode()
    def score(self, questions: Sequence[Question]) -> list[tuple[float, ...]]:
        """Teacher-forced sums of log P(token), for each question and answer."""
        start = start_tokens(self._backbone)
        sums: list[tuple[float, ...]] = [()] * len(questions)
        for batch in batches([_width(question) for question in questions], self._budget):
            requests = collect([questions[index] for index in batch], start=start)
            states, seen = self._encode([questions[index].context for index in batch])
            ids, mask = pad(requests.rows, self._backbone.device)
            owners = torch.tensor(requests.askers, device=ids.device)
            hidden = self._decode(ids, mask, states[owners], seen[owners])
            cells, rows, columns, targets, slots = requests.of(range(len(requests.rows)))
            picked = hidden[torch.from_numpy(rows), torch.from_numpy(columns)]
            requests.add(slots, log_probabilities(self._backbone, picked, cells, targets))
            for index, totals in zip(batch, requests.sums(), strict=True):
                sums[index] = totals
        return sums

    @torch.inference_mode()
    def states(self, contexts: Sequence[Tokens], where: Where) -> Floats:
        """The hidden state of each prompt: [contexts, hidden]."""
        tap = Tap(stack_of(self._backbone, where), where.layer)
        parts: list[Floats] = []
        order: list[int] = []
        with tap.opened():
            for batch in batches([len(context) for context in contexts], self._budget):
                parts.append(as_array(self._state([contexts[row] for row in batch], tap, where)))
                order += batch
        return np.concatenate(parts)[np.argsort(order)]

    def _state(self, contexts: Sequence[Tokens], tap: Tap, where: Where) -> Tensor:
        states, seen = self._encode(contexts)
        if where.is_mean:
            front = 0 if self._backbone.virtual.embeddings is None else len(self._backbone.virtual)
            return pooled(tap.of(states)[:, front:], seen[:, front:], where)
        ids = torch.tensor([start_tokens(self._backbone)] * len(contexts), device=states.device)
        return tap.of(self._decode(ids, torch.ones_like(ids), states, seen))[:, -1]

    def _encode(self, contexts: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        """Encoder states [rows, width, hidden] and their mask, virtual tokens in front."""
        ids, mask = pad(contexts, self._backbone.device)
        virtual = self._backbone.virtual
        if virtual.embeddings is None:
            return self._backbone.encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask
        front = virtual.embeddings.expand(len(contexts), -1, -1)
        embedded = torch.cat([front, self._backbone.embed(ids)], dim=1)
        mask = torch.cat([mask.new_ones(len(contexts), len(virtual)), mask], dim=1)
        return self._backbone.encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state, mask

    def _decode(self, ids: Tensor, mask: Tensor, states: Tensor, seen: Tensor) -> Tensor:
        inputs: dict[str, Any] = {"encoder_hidden_states": states, "encoder_attention_mask": seen}
        if self._backbone.virtual.keys:
            mask = torch.cat([mask.new_ones(ids.shape[0], len(self._backbone.virtual)), mask], dim=1)
            inputs["past_key_values"] = self._cache(ids.shape[0])
        hidden: Tensor = self._backbone.body(
            input_ids=ids, attention_mask=mask, use_cache="past_key_values" in inputs, **inputs
        ).last_hidden_state
        return hidden

    def _cache(self, rows: int) -> Any:
        from transformers import EncoderDecoderCache

        return EncoderDecoderCache(filled_cache(self._backbone, rows), empty_cache(self._backbone))

    @torch.inference_mode()
    def generate(self, contexts: Sequence[Tokens], stopping: Stopping) -> list[str]:
        """The text that greedy decoding makes of each prompt."""
        texts = [""] * len(contexts)
        for batch in batches([len(context) + stopping.limits.max_new_tokens for context in contexts], self._budget):
            for row, text in zip(batch, self._answer([contexts[row] for row in batch], stopping), strict=True):
                texts[row] = text
        return texts

    def _answer(self, contexts: list[Tokens], stopping: Stopping) -> list[str]:
        states, seen = self._encode(contexts)
        cache = self._cache(len(contexts))
        made: list[list[int]] = [[] for _ in contexts]
        alive = list(range(len(contexts)))
        ids = torch.tensor([start_tokens(self._backbone)] * len(contexts), device=states.device)
        while True:
            hidden = self._backbone.body(
                input_ids=ids,
                encoder_hidden_states=states,
                encoder_attention_mask=seen,
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state[:, -1]
            tokens = most_likely(self._backbone, hidden)
            for row, token in zip(alive, tokens, strict=True):
                made[row].append(int(token))
            keep = [place for place, row in enumerate(alive) if not stopping.finished(made[row])]
            if not keep:
                return [stopping.text(tokens) for tokens in made]
            chosen = torch.tensor(keep, device=states.device)
            if len(keep) < len(alive):
                cache.batch_select_indices(chosen)
                states, seen = states[chosen], seen[chosen]
            alive = [alive[place] for place in keep]
            ids = torch.from_numpy(tokens[keep])[:, None].to(states.device)


def start_tokens(backbone: Backbone) -> Tokens:
    """What the decoder reads in front of an answer."""
    settings = (backbone.model.config, getattr(backbone.model, "generation_config", None))
    for owner in settings:
        token = getattr(owner, "decoder_start_token_id", None)
        if token is not None:
            return (int(token),)
    return (int(backbone.model.config.pad_token_id),)


def _width(question: Question) -> int:
    """Tokens that the question's widest padded row takes, encoder and decoder together, over all of its answers."""
    return len(question.context) * max(1, len(question.answers)) + sum(len(answer) + 1 for answer in question.answers)
