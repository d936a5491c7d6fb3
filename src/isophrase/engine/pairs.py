"""The executor for encoder-decoder models: prompts are encoded once, answers share one packed decoder pass.

Knows how prompts and answers are laid side by side without padding. Does not know how attention is arranged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from isophrase.engine.backbone import Backbone
from isophrase.engine.pair_attention import PairAttention, Stretch, without_biases
from isophrase.engine.plain_pairs import PlainPairs, start_tokens
from isophrase.engine.plan import Integers, Pack, plan
from isophrase.engine.products import multiplied
from isophrase.engine.projection import log_probabilities
from isophrase.engine.replacing import replaced
from isophrase.engine.requests import collect
from isophrase.engine.seam import Question, Tokens
from isophrase.engine.states import Floats, Tap, Where, as_array, stack_of
from isophrase.engine.stopping import Stopping


@dataclass(frozen=True)
class _Answers:
    """The tree of one set of answers and what it has to look up.

    Attributes:
        number: Equal sets of answers have equal numbers.
        pack: The decoder's tokens.
        cells: Tokens whose hidden states score, ascending.
        rows: For each request the index of its cell.
        targets: For each request the token that is asked for.
        slots: For each request the answer that it counts towards.
    """

    number: int
    pack: Pack
    cells: Integers
    rows: Integers
    targets: Integers
    slots: Integers


@dataclass(frozen=True)
class _Item:
    """A question with its place in the list."""

    index: int
    context: Tokens
    answers: _Answers


class PackedPairs:
    """Encoder-decoder models of the T5 family.

    Args:
        backbone: The model's parts.
        budget: Encoder tokens, and decoder tokens, in one pass.
    """

    def __init__(self, backbone: Backbone, budget: int) -> None:
        self._backbone = backbone
        self._budget = budget
        self._plain = PlainPairs(backbone)

    @torch.inference_mode()
    def score(self, questions: Sequence[Question]) -> list[tuple[float, ...]]:
        """Teacher-forced sums of log P(token), for each question and answer."""
        attention, model = PairAttention(self._backbone), self._backbone.model
        sums: list[tuple[float, ...]] = [()] * len(questions)
        with replaced(model, attention), without_biases(model), multiplied(model):
            for group in self._groups(questions):
                for item, totals in zip(group, self._measure(group, attention), strict=True):
                    sums[item.index] = tuple(totals)
        return sums

    def generate(self, contexts: Sequence[Tokens], stopping: Stopping) -> list[str]:
        """The text that greedy decoding makes of each prompt."""
        return self._plain.generate(contexts, stopping)

    @torch.inference_mode()
    def states(self, contexts: Sequence[Tokens], where: Where) -> Floats:
        """The hidden state of each prompt: [contexts, hidden]."""
        attention, model = PairAttention(self._backbone), self._backbone.model
        tap = Tap(stack_of(self._backbone, where), where.layer)
        parts: list[Floats] = []
        order: list[int] = []
        # Any answer of one token does: only the start of the decoder is read in front of it.
        questions = [Question(context, ((0,),)) for context in contexts]
        with replaced(model, attention), without_biases(model), multiplied(model), tap.opened():
            for group in self._groups(questions):
                parts.append(as_array(self._state(group, attention, tap, where)))
                order += [item.index for item in group]
        return np.concatenate(parts)[np.argsort(order)]

    def _state(self, group: Sequence[_Item], attention: PairAttention, tap: Tap, where: Where) -> Tensor:
        self._begin(group, attention)
        states = self._encode([item.context for item in group])
        if where.is_mean:
            widths = [self._front + len(item.context) for item in group]
            rows = torch.split(tap.of(states)[0], widths)
            return torch.stack([row[self._front :].float().mean(dim=0) for row in rows])
        hidden = tap.of(self._decode(group, states)[None])[0]
        ends = np.cumsum([item.answers.pack.size for item in group]) - 1
        return hidden[torch.from_numpy(ends).to(hidden.device)]

    def _groups(self, questions: Sequence[Question]) -> Iterator[list[_Item]]:
        """Questions that go through the model together, like ones side by side."""
        known: dict[tuple[Tokens, ...], _Answers] = {}
        items = [_Item(index, q.context, self._answers(q, known)) for index, q in enumerate(questions)]
        items.sort(key=lambda item: (len(item.context), item.answers.number, item.index))
        group: list[_Item] = []
        source = target = 0
        for item in items:
            width = self._front + len(item.context)
            if group and max(source + width, target + item.answers.pack.size) > self._budget:
                yield group
                group, source, target = [], 0, 0
            group.append(item)
            source, target = source + width, target + item.answers.pack.size
        if group:
            yield group

    @property
    def _front(self) -> int:
        """Virtual tokens in front of every prompt."""
        return len(self._backbone.virtual) if self._backbone.virtual.embeddings is not None else 0

    def _answers(self, question: Question, known: dict[tuple[Tokens, ...], _Answers]) -> _Answers:
        if question.answers not in known:
            requests = collect([question], start=start_tokens(self._backbone))
            columns = [sorted({column for column, _, _ in wanted}) for wanted in requests.wanted]
            (pack,) = plan(requests.rows, columns, sum(map(len, requests.rows)))
            cells, numbers = np.unique(pack.asked, return_inverse=True)
            known[question.answers] = _Answers(len(known), pack, cells, *requests.at(pack.askers, numbers))
        return known[question.answers]

    def _measure(self, group: Sequence[_Item], attention: PairAttention) -> list[list[float]]:
        self._begin(group, attention)
        return self._look_up(group, self._decode(group, self._encode([item.context for item in group])))

    def _begin(self, group: Sequence[_Item], attention: PairAttention) -> None:
        alike = groupby(group, key=lambda item: (len(item.context), item.answers.number))
        attention.begin([self._stretch(list(same)) for _, same in alike])

    def _decode(self, group: Sequence[_Item], states: Tensor) -> Tensor:
        """The decoder's last hidden states of all answers in one row: [tokens, hidden]."""
        ids = torch.from_numpy(np.concatenate([item.answers.pack.tokens for item in group])).to(self._backbone.device)
        hidden: Tensor = self._backbone.body(
            input_ids=ids[None], encoder_hidden_states=states, use_cache=False
        ).last_hidden_state
        return hidden[0]

    def _stretch(self, items: Sequence[_Item]) -> Stretch:
        return Stretch(len(items), self._front + len(items[0].context), items[0].answers.pack)

    def _encode(self, contexts: Sequence[Tokens]) -> Tensor:
        """Encoder states of all prompts in one row, [1, tokens, hidden]."""
        ids = torch.tensor([token for context in contexts for token in context], device=self._backbone.device)
        front = self._backbone.virtual.embeddings
        if front is None:
            states: Tensor = self._backbone.encoder(input_ids=ids[None]).last_hidden_state
            return states
        embedded = torch.split(self._backbone.embed(ids), [len(context) for context in contexts])
        row = torch.cat([part for body in embedded for part in (front, body)])
        states = self._backbone.encoder(inputs_embeds=row[None]).last_hidden_state
        return states  # noqa: RET504

    def _look_up(self, group: Sequence[_Item], hidden: Tensor) -> list[list[float]]:
        starts = np.cumsum([0] + [item.answers.pack.size for item in group])
        firsts = np.cumsum([0] + [len(item.answers.cells) for item in group])
        cells = np.concatenate([item.answers.cells + start for item, start in zip(group, starts, strict=False)])
        rows = np.concatenate([item.answers.rows + first for item, first in zip(group, firsts, strict=False)])
        targets = np.concatenate([item.answers.targets for item in group])
        values = log_probabilities(self._backbone, hidden[torch.from_numpy(cells)], rows, targets)
        parts = np.split(values, np.cumsum([len(item.answers.rows) for item in group])[:-1])
        return [
            np.bincount(item.answers.slots, weights=part).tolist() for item, part in zip(group, parts, strict=True)
        ]  # fmt: skip
