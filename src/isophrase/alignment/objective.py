"""The loss of one pass: what the model in training says, against the right answers and against its teacher.

Knows draws, readings and a method's weights. Does not know optimisers or where the weights are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isophrase.alignment.losses import contrast, cross_entropy, divergence, state_distance, worst_group_weights
from isophrase.alignment.method import Method, Space
from isophrase.alignment.posing import Posed
from isophrase.alignment.reading import Reading
from isophrase.alignment.sampling import Draw, Purpose


@dataclass(frozen=True)
class Seen:
    """One pass, read.

    Attributes:
        draws: What was drawn.
        student: The model in training under each draw's wording.
        teacher: Its teacher under each draw's reference wording; None where nothing is compared.
        frozen: The model from before training under the same, where it was asked; None where nothing is anchored.
        consensus: Label log-probabilities of the consensus for each draw, [answers]; None unless it is the teacher.
    """

    draws: Sequence[Draw]
    student: Reading
    teacher: Reading | None
    frozen: Reading | None
    consensus: Sequence[Tensor] | None = None


@dataclass(frozen=True)
class Loss:
    """The loss of a pass and what it is made of.

    Attributes:
        total: What is minimised, a scalar.
        parts: The mean of each part before its weight, for the record.
        groups: The mean loss of each wording group.
    """

    total: Tensor
    parts: Mapping[str, float]
    groups: Mapping[str, float]


class GroupWeights:
    """The weights of group DRO: all that training carries from step to step beside its optimiser."""

    def __init__(self, names: Sequence[str], rate: float) -> None:
        self.names = tuple(names)
        self.rate = rate
        self.weights = torch.full((len(names),), 1.0 / max(len(names), 1))

    def factors(self, groups: Sequence[str]) -> Tensor:
        """What each row's loss is multiplied by: [rows], mean 1 over equally weighted groups."""
        places = [self.names.index(group) for group in groups]
        return self.weights[places] * len(self.names)

    def update(self, losses: Mapping[str, float]) -> None:
        """Raises the weights of groups with a high loss."""
        found = torch.tensor([losses.get(name, float("nan")) for name in self.names])
        self.weights = worst_group_weights(self.weights, found, self.rate)


def loss_of(seen: Seen, method: Method, groups: GroupWeights | None = None) -> Loss:
    """The loss of one pass.

    Args:
        seen: What was read.
        method: The weights of the losses.
        groups: Weights of wording groups, or None for all alike.
    """
    rows: dict[str, Tensor] = {}
    by_purpose = {
        purpose: [place for place, draw in enumerate(seen.draws) if draw.purpose is purpose] for purpose in Purpose
    }
    wordings, references = by_purpose[Purpose.WORDING], by_purpose[Purpose.REFERENCE]
    negated = by_purpose[Purpose.NEGATED]
    anchors = references + by_purpose[Purpose.CONTROL] + ([] if method.supervised_negated else negated)
    if method.supervised and wordings:
        rows["supervised"] = _supervised(seen.student, wordings)
    if method.consistency and wordings:
        rows["consistency"] = _divergences(seen, wordings, method, seen.teacher)
    if method.supervised_reference and references:
        rows["supervised_reference"] = _supervised(seen.student, references)
    if method.supervised_negated and negated:
        rows["supervised_negated"] = _supervised(seen.student, negated)
    if method.anchor and anchors:
        rows["anchor"] = _divergences(replace(seen, consensus=None), anchors, method, seen.frozen)
    if wordings and (method.contrastive or method.representation):
        rows |= _of_states(seen, wordings, method)
    weights = {name: getattr(method, name) for name in rows}
    own = [name for name in rows if name not in ("supervised_reference", "supervised_negated", "anchor")]
    each = sum(
        (weights[name] * rows[name] for name in own), torch.zeros(len(wordings), device=seen.student.words.device)
    )
    names = [seen.draws[place].group for place in wordings]
    weighted = each if groups is None else each * groups.factors(names).to(each.device)
    total = weighted.mean() if wordings else torch.zeros(())
    for name in [name for name in rows if name not in own]:  # in order: sums must not depend on a set's
        total = total + weights[name] * rows[name].mean()
    parts = {name: float(row.detach().mean()) for name, row in rows.items()}
    return Loss(total, parts, _means(names, each.detach()))


def _means(names: Sequence[str], losses: Tensor) -> dict[str, float]:
    return {
        name: float(losses[[place for place, other in enumerate(names) if other == name]].mean())
        for name in dict.fromkeys(names)
    }


def _supervised(student: Reading, places: Sequence[int]) -> Tensor:
    """Cross-entropy on the right answer, the mean over its tokens: [places]."""
    found = []
    for place in places:
        question = student.questions[place]
        targets = torch.tensor(question.answers[question.gold], device=student.words.device)
        found.append(cross_entropy(student.words[student.gold_rows(question)], targets).mean())
    return torch.stack(found)


def _divergences(seen: Seen, places: Sequence[int], method: Method, teacher: Reading | None) -> Tensor:
    """Divergence from the teacher, [places]: over labels, or over words as the mean over the right answer's tokens.

    Over words, where the wording has the right answer written otherwise than its reference (`Negative`, `B`), the
    teacher's words would speak against it: there is no divergence then. An input without a label has the first token.
    """
    found = []
    for place in places:
        question = seen.student.questions[place]
        if method.space is Space.LABELS:
            expected = _teacher_labels(seen, place, teacher)
            found.append(divergence(expected[None], seen.student.labels(question)[None], method.divergence)[0])
            continue
        assert teacher is not None
        taught: Posed = teacher.questions[place]
        if not _comparable(question, taught):
            found.append(0.0 * seen.student.states[0].sum())  # nothing, with a gradient where it is all there is
            continue
        rows = slice(None) if seen.draws[place].example.labelled else slice(1)
        expected = teacher.words[teacher.gold_rows(taught)][rows]
        student = seen.student.words[seen.student.gold_rows(question)][rows]
        found.append(divergence(expected, student, method.divergence).mean())
    return torch.stack(found)


def incomparable(
    tasks: Sequence[str], draws: Sequence[Draw], questions: Sequence[Posed], taught: Sequence[Posed]
) -> list[str]:
    """Tasks none of whose training wordings has a divergence over words.

    Args:
        tasks: The materials' names.
        draws: What was drawn.
        questions: What the model in training reads, one for each draw.
        taught: What the teacher reads, one for each draw.
    """
    compared: dict[str, bool] = {}
    for item, question, reference in zip(draws, questions, taught, strict=True):
        if item.purpose is Purpose.WORDING:
            name = tasks[item.material]
            compared[name] = compared.get(name, False) or _comparable(question, reference)
    return sorted(name for name, found in compared.items() if not found)


def _comparable(question: Posed, taught: Posed) -> bool:
    """Whether the right answer's words are the same ones under a wording and under what teaches it."""
    return taught.answers[taught.gold] == question.answers[question.gold]


def _teacher_labels(seen: Seen, place: int, teacher: Reading | None) -> Tensor:
    if seen.consensus is not None:
        return seen.consensus[place]
    assert teacher is not None
    return teacher.labels(teacher.questions[place])


def _of_states(seen: Seen, places: Sequence[int], method: Method) -> dict[str, Tensor]:
    """Losses on the states behind the prompts: contrastive and distance from the teacher's."""
    assert seen.teacher is not None
    student, teacher = seen.student.last_states(places), seen.teacher.last_states(places)
    found = {}
    if method.representation:
        found["representation"] = state_distance(student, teacher)
    if method.contrastive:
        examples = [(seen.draws[place].material, seen.draws[place].example.id) for place in places]
        rivals = torch.tensor([[one[0] == other[0] and one != other for other in examples] for one in examples])
        found["contrastive"] = contrast(student, teacher, rivals.to(student.device))
    return found
