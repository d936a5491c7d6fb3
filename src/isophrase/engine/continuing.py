"""Greedy decoding of many texts at once through the token tree.

Knows how texts are grouped so that their keys and values fit a bound, and goes on with those that have not ended.
Does not know how the shared beginnings are computed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from isophrase.engine.backbone import Backbone
from isophrase.engine.plan import Integers, places
from isophrase.engine.products import multiplied
from isophrase.engine.projection import most_likely
from isophrase.engine.replacing import replaced
from isophrase.engine.seam import Tokens, common
from isophrase.engine.step_attention import KeysValues, StepAttention
from isophrase.engine.stopping import Stopping

_SPARSE = 0.75
"""Below this share of unfinished texts, the finished ones are taken out of the batch (which copies the others)."""


@dataclass(frozen=True)
class Beginning:
    """What has been computed of a group of texts.

    Attributes:
        store: For each layer, keys and values of all their tokens in the order of the stream, virtual tokens first.
        hidden: The last hidden state of each text, [texts, hidden].
    """

    store: dict[int, KeysValues]
    hidden: Tensor


def groups(contexts: Sequence[Tokens], room: int, *, tokens: int, most: int) -> Iterator[list[Tokens]]:
    """Distinct contexts in groups that begin alike.

    Args:
        contexts: Texts to continue, in any order.
        room: Tokens that may be added to each.
        tokens: Bound on the tokens whose keys and values a group holds: the shared ones once, the others for each text.
        most: Bound on the number of texts in a group; groups that it cuts are about equal, as a small one is slow.
    """
    group: list[Tokens] = []
    longest = 0
    distinct = sorted(set(contexts))
    most = math.ceil(len(distinct) / math.ceil(len(distinct) / most)) if distinct else most
    for context in distinct:
        shared = common(group[0], context) if group else len(context)
        longest = max(longest, len(context))
        if group and (len(group) == most or shared + (len(group) + 1) * (longest - shared + room) > tokens):
            yield group
            group, longest = [], len(context)
        group.append(context)
    if group:
        yield group


class Continuation:
    """Greedy decoding of one group.

    Args:
        backbone: The model's parts.
        contexts: Sorted distinct texts.
        begun: What has been computed of them.
        stopping: When a text ends.
    """

    def __init__(self, backbone: Backbone, contexts: Sequence[Tokens], begun: Beginning, stopping: Stopping) -> None:
        self._backbone = backbone
        self._stopping = stopping
        virtual = np.arange(len(backbone.virtual))
        paths: list[Integers] = [np.concatenate([virtual, place + len(virtual)]) for place in places(contexts)]
        shared = len(virtual) + common(contexts[0], contexts[-1])
        self._attention = StepAttention(begun.store, paths, shared, stopping.limits.max_new_tokens)
        self._hidden = begun.hidden
        self._texts: list[list[int]] = [[] for _ in contexts]

    def run(self) -> list[str]:
        """The text that greedy decoding adds to each context."""
        rows = list(range(len(self._texts)))  # the text of each row in the batch; finished ones may still be there
        alive = set(rows)
        with replaced(self._backbone.model, self._attention), multiplied(self._backbone.model):
            while True:
                tokens = most_likely(self._backbone, self._hidden)
                for row, token in zip(rows, tokens.tolist(), strict=True):
                    if row in alive:
                        self._texts[row].append(token)
                        if self._stopping.finished(self._texts[row]):
                            alive.remove(row)
                if not alive:
                    return [self._stopping.text(text) for text in self._texts]
                if len(alive) < _SPARSE * len(rows):
                    kept = [place for place, row in enumerate(rows) if row in alive]
                    self._attention.keep(torch.tensor(kept, device=self._hidden.device))
                    rows, tokens = [rows[place] for place in kept], tokens[kept]
                self._step(tokens)

    def _step(self, tokens: Integers) -> None:
        ids = torch.from_numpy(tokens)[None].to(self._hidden.device)
        hidden = self._backbone.body(input_ids=ids, position_ids=self._attention.positions[None], use_cache=False)
        self._attention.step()
        self._hidden = hidden.last_hidden_state[0]
