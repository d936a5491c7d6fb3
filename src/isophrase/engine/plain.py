"""The obvious executors: batches of padded rows through the model's own attention.

Know a model's own forward pass and nothing of token trees. They serve models whose attention can't be replaced, and
as the measure of what is right for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isophrase.engine.backbone import Backbone
from isophrase.engine.projection import log_probabilities, most_likely
from isophrase.engine.requests import collect
from isophrase.engine.seam import Question, Tokens
from isophrase.engine.states import Floats, Tap, Where, as_array
from isophrase.engine.stopping import Stopping

_PAD = 0
"""Any token does: padding is masked."""


class PlainDecoder:
    """Decoder-only models, one padded row for each distinct sequence.

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
        requests = collect(questions)
        for batch in batches([len(row) for row in requests.rows], self._budget):
            ids, mask = pad([requests.rows[row] for row in batch], self._backbone.device)
            hidden = self._hidden(ids, mask)
            cells, rows, columns, targets, slots = requests.of(batch)
            picked = hidden[torch.from_numpy(rows), torch.from_numpy(columns)]
            requests.add(slots, log_probabilities(self._backbone, picked, cells, targets))
        return requests.sums()

    def _hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Last hidden states of right-padded rows, without those of virtual tokens: [rows, width, hidden]."""
        virtual = self._backbone.virtual
        inputs = self._inputs(ids, mask)
        hidden: Tensor = self._backbone.body(**inputs, use_cache=bool(virtual.keys)).last_hidden_state
        return hidden[:, hidden.shape[1] - ids.shape[1] :]

    @torch.inference_mode()
    def states(self, contexts: Sequence[Tokens], where: Where) -> Floats:
        """The hidden state of each context: [contexts, hidden]."""
        tap = Tap(self._backbone.body, where.layer)
        parts: list[Floats] = []
        order: list[int] = []
        with tap.opened():
            for batch in batches([len(context) for context in contexts], self._budget):
                ids, mask = pad([contexts[row] for row in batch], self._backbone.device)
                states = tap.of(self._hidden(ids, mask))[:, -ids.shape[1] :]
                parts.append(as_array(pooled(states, mask, where)))
                order += batch
        return np.concatenate(parts)[np.argsort(order)]

    def _inputs(self, ids: Tensor, mask: Tensor) -> dict[str, Any]:
        virtual, rows = self._backbone.virtual, ids.shape[0]
        if not len(virtual):
            return {"input_ids": ids, "attention_mask": mask}
        full = torch.cat([mask.new_ones(rows, len(virtual)), mask], dim=1)
        if virtual.embeddings is not None:
            front = virtual.embeddings.expand(rows, -1, -1)
            return {"inputs_embeds": torch.cat([front, self._backbone.embed(ids)], dim=1), "attention_mask": full}
        return {"input_ids": ids, "attention_mask": full, "past_key_values": filled_cache(self._backbone, rows)}

    @torch.inference_mode()
    def generate(self, contexts: Sequence[Tokens], stopping: Stopping) -> list[str]:
        """The text that greedy decoding adds to each context."""
        texts = [""] * len(contexts)
        for batch in batches([len(context) + stopping.limits.max_new_tokens for context in contexts], self._budget):
            # Virtual tokens stand in front of the padding, which a sliding window would count: equal lengths only.
            lengths = {len(contexts[row]) for row in batch} if len(self._backbone.virtual) else {0}
            for length in sorted(lengths):
                group = [row for row in batch if length in (0, len(contexts[row]))]
                for row, text in zip(group, self._continue([contexts[row] for row in group], stopping), strict=True):
                    texts[row] = text
        return texts

    def _continue(self, contexts: list[Tokens], stopping: Stopping) -> list[str]:
        ids, mask = pad(contexts, self._backbone.device, left=True)
        inputs = self._inputs(ids, mask)
        inputs.setdefault("past_key_values", empty_cache(self._backbone))
        made: list[list[int]] = [[] for _ in contexts]
        alive = list(range(len(contexts)))
        while True:
            mask = inputs["attention_mask"]
            width = (inputs["input_ids"] if "input_ids" in inputs else inputs["inputs_embeds"]).shape[1]
            inputs["position_ids"] = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
            hidden = self._backbone.body(**inputs, use_cache=True).last_hidden_state[:, -1]
            tokens = most_likely(self._backbone, hidden)
            for row, token in zip(alive, tokens, strict=True):
                made[row].append(int(token))
            keep = [place for place, row in enumerate(alive) if not stopping.finished(made[row])]
            if not keep:
                return [stopping.text(tokens) for tokens in made]
            chosen = torch.tensor(keep, device=mask.device)
            if len(keep) < len(alive):
                inputs["past_key_values"].batch_select_indices(chosen)
            alive = [alive[place] for place in keep]
            mask = torch.cat([mask[chosen], mask.new_ones(len(keep), 1)], dim=1)
            next_ids = torch.from_numpy(tokens[keep])[:, None].to(mask.device)
            inputs = {"input_ids": next_ids, "attention_mask": mask, "past_key_values": inputs["past_key_values"]}


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indexes of rows in batches of like length, longest first; a batch's padded size stays within the budget."""
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def pad(rows: Sequence[Tokens], device: torch.device, *, left: bool = False) -> tuple[Tensor, Tensor]:
    """Padded ids and their 0/1 mask, both [rows, width]."""
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), _PAD, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for index, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[index, place] = row
        mask[index, place] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def pooled(states: Tensor, mask: Tensor, where: Where) -> Tensor:
    """Each right-padded row's last state, or the mean over its tokens: [rows, width, hidden] -> [rows, hidden]."""
    lengths = mask.sum(dim=1)
    if not where.is_mean:
        return states[torch.arange(len(lengths), device=states.device), lengths - 1]
    return (states.float() * mask[:, :, None]).sum(dim=1) / lengths[:, None]


def empty_cache(backbone: Backbone) -> Any:
    """A cache without tokens, of the kind that the model's layers need."""
    from transformers import DynamicCache

    return DynamicCache(config=backbone.config)


def filled_cache(backbone: Backbone, rows: int) -> Any:
    """A cache that already holds the adapter's prefix, once for each row."""
    cache = empty_cache(backbone)
    for layer, (keys, values) in enumerate(zip(backbone.virtual.keys, backbone.virtual.values, strict=True)):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache
