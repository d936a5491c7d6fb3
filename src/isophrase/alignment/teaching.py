"""The frozen model as a teacher: what it says is computed once, before training, and kept.

Knows that a last hidden state gives the whole distribution over words back, at a thousandth of its size. Does not know
losses.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from isophrase.alignment.posing import Posed
from isophrase.alignment.reading import Projection, Reading, prefixes_of
from isophrase.engine.backbone import VirtualTokens
from isophrase.engine.gradients import Forward, Prefix

_TOKENS_A_PASS = 1024


class FrozenHead:
    """As much of a model as the projection needs, with a head of its own that no training changes.

    Args:
        model: The model whose head is copied.
    """

    def __init__(self, model: Any) -> None:
        self.config = model.config
        self._head = copy.deepcopy(model.get_output_embeddings()).requires_grad_(False)

    def get_output_embeddings(self) -> Any:
        return self._head


class FrozenTeacher:
    """The model as it was before training.

    Args:
        forward: The model; it has to be unchanged while `learn` runs.
        project: Its vocabulary projection, which stays frozen.
        labels: Whether all answers of a question are kept.
    """

    def __init__(self, forward: Forward, project: Projection, *, labels: bool) -> None:
        self._forward = forward
        self._project = project
        self._labels = labels
        self._states: dict[Prefix, Tensor] = {}

    @torch.no_grad()
    def learn(self, questions: Sequence[Posed]) -> None:
        """Computes and keeps what the model says to these questions."""
        wanted = [prefix for prefix in prefixes_of(questions, labels=self._labels) if prefix not in self._states]
        wanted.sort(key=lambda prefix: prefix.context + prefix.decoded)  # neighbours share their beginnings
        for group in _groups(wanted):
            states = self._forward.states(group, VirtualTokens())
            self._states.update(zip(group, states.unbind(), strict=True))

    @torch.no_grad()
    def read(self, questions: Sequence[Posed]) -> Reading:
        """What it said to these questions; those that it has not learnt have no rows."""
        prefixes = [prefix for prefix in prefixes_of(questions, labels=self._labels) if prefix in self._states]
        if not prefixes:
            return Reading(tuple(questions), {}, torch.empty(0), torch.empty(0))
        states = torch.stack([self._states[prefix] for prefix in prefixes])
        places = {prefix: place for place, prefix in enumerate(prefixes)}
        return Reading(tuple(questions), places, states, log_softmax(self._project(states).float(), dim=-1))

    @torch.no_grad()
    def consensus(self, views: Sequence[Sequence[Posed]]) -> Tensor:
        """Label log-probabilities of the mean over several wordings of each input.

        Args:
            views: For each input, its question under each wording; answers in the same order everywhere.

        Returns:
            [inputs, answers].
        """
        flat = [question for view in views for question in view]
        reading = self.read(flat)
        found = []
        for view in views:
            labels = torch.stack([reading.labels(question) for question in view])
            found.append(torch.logsumexp(labels, dim=0) - torch.log(torch.tensor(float(len(view)))))
        return torch.stack(found)


def _groups(prefixes: Sequence[Prefix]) -> list[list[Prefix]]:
    """Neighbours, so many that a pass has about a thousand distinct tokens at most."""
    groups: list[list[Prefix]] = []
    size = _TOKENS_A_PASS + 1
    for prefix in prefixes:
        tokens = len(prefix.context) + len(prefix.decoded)
        if size + tokens > _TOKENS_A_PASS:
            groups.append([])
            size = 0
        groups[-1].append(prefix)
        size += tokens
    return groups
