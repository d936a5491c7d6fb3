"""What a model says to posed questions: states, log-probabilities of words and of labels.

Knows prefixes, and that questions share them. Does not know losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from isophrase.alignment.posing import Posed
from isophrase.engine.backbone import VirtualTokens
from isophrase.engine.gradients import Forward, Prefix

Projection = Callable[[Tensor], Tensor]
"""States [rows, hidden] -> logits [rows, vocabulary]."""


@dataclass(frozen=True)
class Reading:
    """What was read of some questions.

    Attributes:
        questions: The questions.
        places: The row of each prefix.
        states: Last hidden states, [prefixes, hidden].
        words: Log-probabilities of the next token, [prefixes, vocabulary].
    """

    questions: tuple[Posed, ...]
    places: dict[Prefix, int]
    states: Tensor
    words: Tensor

    def gold_rows(self, question: Posed) -> list[int]:
        """Rows that predict the tokens of the right answer."""
        return self._rows(question, question.gold)

    def _rows(self, question: Posed, answer: int) -> list[int]:
        tokens = question.answers[answer]
        return [self.places[Prefix(question.context, tokens[:size])] for size in range(len(tokens))]

    def last_states(self, chosen: Sequence[int]) -> Tensor:
        """The state behind the prompts of some questions, by their numbers: [chosen, hidden]."""
        return self.states[[self.places[Prefix(self.questions[number].context)] for number in chosen]]

    def labels(self, question: Posed) -> Tensor:
        """Log-probabilities over the question's answers, normalised among them: [answers]."""
        sums = [
            self.words[self._rows(question, answer), list(tokens)].sum()
            for answer, tokens in enumerate(question.answers)
        ]
        return log_softmax(torch.stack(sums), dim=-1)


def prefixes_of(questions: Sequence[Posed], *, labels: bool) -> list[Prefix]:
    """The distinct prefixes that score the right answers, or with `labels` all answers."""
    found: dict[Prefix, None] = {}
    for question in questions:
        for tokens in question.answers if labels else (question.answers[question.gold],):
            for size in range(len(tokens)):
                found[Prefix(question.context, tokens[:size])] = None
    return list(found)


def read(
    questions: Sequence[Posed], forward: Forward, virtual: VirtualTokens, project: Projection, *, labels: bool
) -> Reading:
    """Reads questions in one forward pass.

    Args:
        questions: What to read.
        forward: The model.
        virtual: What an adapter puts in front.
        project: Its vocabulary projection.
        labels: Whether all answers are scored, and not the right one alone.
    """
    prefixes = prefixes_of(questions, labels=labels)
    states = forward.states(prefixes, virtual)
    places = {prefix: place for place, prefix in enumerate(prefixes)}
    return Reading(tuple(questions), places, states, log_softmax(project(states).float(), dim=-1))
