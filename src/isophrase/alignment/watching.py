"""Looking at a training while it runs: what it gains on wordings seen and unseen, and what it costs.

Knows sets of questions and their accuracy. Never sees a test wording. Does not know how training is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isophrase.alignment.method import Draws
from isophrase.alignment.mixtures import parts_seen
from isophrase.alignment.posing import Posed
from isophrase.alignment.sampling import Material
from isophrase.alignment.training import Session
from isophrase.engine.gradients import Prefix
from isophrase.engine.seam import Tokens
from isophrase.types import Example, Instruction, Role

_QUESTIONS_A_PASS = 32
_TOKENS_A_PASS = 1024
_SPREAD = ("trained", "dev", "observed")
_DIFFERENCES = {"memorisation_gap": ("trained", "dev"), "reading": ("observed", "negated")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """What to look at.

    Attributes:
        wordings: At most so many wordings of each kind and task.
        inputs: At most so many development inputs of each task.
        outside: Tasks that training does not see, for what it forgets.
        texts: Plain text whose perplexity is watched.
        patience: Stop when the score on development wordings has not improved for so many looks; 0: never.
    """

    wordings: int = 4
    inputs: int = 16
    outside: tuple[Material, ...] = ()
    texts: tuple[str, ...] = ()
    patience: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """One look.

    Attributes:
        step: Finished steps.
        values: Accuracy by kind of wording (`trained`, `dev`, `observed`, `negated`, `wrong_task`, `nonsense`,
            `outside`), its standard deviation over wordings (`trained_std`, `dev_std`, `observed_std`),
            `memorisation_gap` (trained - dev) and `reading` (observed - negated) over the tasks that have both, and
            `perplexity`; what there is nothing to look at for is missing.
        seconds: What the look took.
    """

    step: int
    values: Mapping[str, float]
    seconds: float


@dataclass
class Watcher:
    """A look for `train`, which keeps what it saw and the best weights.

    Attributes:
        watch: What to look at.
        notify: Told of each sight.
        sights: What was seen.
    """

    watch: Watch
    notify: Callable[[Sight], None] | None = None
    sights: list[Sight] = field(default_factory=list)
    best: int = 0
    _weights: list[Tensor] = field(default_factory=list)

    def __call__(self, session: Session, step: int) -> bool:
        began = time.perf_counter()
        values = look(session, self.watch)
        self.sights.append(Sight(step, values, time.perf_counter() - began))
        if self.notify is not None:
            self.notify(self.sights[-1])
        if self.watch.patience == 0:
            return False
        scores = [_score(sight.values) for sight in self.sights]
        if len(scores) == 1 or scores[-1] > max(scores[:-1]):
            self.best = len(scores) - 1
            self._weights = [weight.detach().clone() for weight in session.trainable.weights]
        return self.enough

    @property
    def enough(self) -> bool:
        return 0 < self.watch.patience <= len(self.sights) - 1 - self.best

    def state(self) -> dict[str, Any]:
        return {"sights": history(self.sights), "best": self.best, "weights": self._weights}

    def load(self, state: dict[str, Any]) -> None:
        self.sights = [Sight(**item) for item in state["sights"]]
        self.best, self._weights = state["best"], state["weights"]

    def restore(self, weights: Sequence[Tensor]) -> int | None:
        if not self._weights:
            return None
        with torch.no_grad():
            for weight, kept in zip(weights, self._weights, strict=True):
                weight.copy_(kept)
        return self.sights[self.best].step


def _score(values: Mapping[str, float]) -> float:
    """What early stopping looks at: accuracy on development wordings, less their spread."""
    return values["dev"] - values["dev_std"]


def look(session: Session, watch: Watch) -> dict[str, float]:
    """Accuracy on each kind of wording, now."""
    draws = session.training.method.draws
    tasks = [
        _of_task(session, material, _kinds(material, watch.wordings, draws), watch.inputs)
        for material in session.training.materials
    ]
    for material in watch.outside:
        kinds = {"outside": material.wordings.references[: watch.wordings]}
        tasks.append(_of_task(session, material, kinds, watch.inputs))
    values = {}
    for kind in dict.fromkeys(kind for task in tasks for kind in task):
        found = [task[kind] for task in tasks if kind in task]
        values[kind] = float(np.mean([np.mean(one) for one in found]))
        if kind in _SPREAD:
            values[f"{kind}_std"] = float(np.mean([np.std(one) for one in found]))
    for name, (more, less) in _DIFFERENCES.items():
        both = [np.mean(task[more]) - np.mean(task[less]) for task in tasks if more in task and less in task]
        if both:
            values[name] = float(np.mean(both))
    if (perplexity := _perplexity(session, watch.texts)) is not None:
        values["perplexity"] = perplexity
    return values


def _of_task(
    session: Session, material: Material, kinds: Mapping[str, Sequence[Instruction]], most: int
) -> dict[str, list[float]]:
    """Accuracy under each wording of each kind, where there is something to ask."""
    inputs = material.dev[:most]
    return {
        kind: [_accuracy(session, wording, inputs) for wording in wordings]
        for kind, wordings in kinds.items()
        if wordings and inputs
    }


def _kinds(material: Material, most: int, draws: Draws) -> dict[str, Sequence[Instruction]]:
    wordings = material.wordings
    controls = {
        role.value: (_of(wordings.dev_controls, role) or _of(wordings.train_controls, role))[:most]
        for role in (Role.NEGATED, Role.WRONG_TASK, Role.NONSENSE)
    }
    return {
        "trained": wordings.train[:most] if "train" in parts_seen(draws) else (),
        "dev": wordings.dev[:most],
        "observed": wordings.references[:most],
        **controls,
    }


def _of(wordings: Sequence[Instruction], role: Role) -> list[Instruction]:
    return [item for item in wordings if item.role is role]


def _accuracy(session: Session, wording: Instruction, inputs: Sequence[Example]) -> float:
    questions = session.poser.pose([(wording, item) for item in inputs])
    right = [
        _right(session, questions[start : start + _QUESTIONS_A_PASS], inputs[start : start + _QUESTIONS_A_PASS])
        for start in range(0, len(questions), _QUESTIONS_A_PASS)
    ]
    return float(np.mean(np.concatenate(right)))


def _right(session: Session, questions: Sequence[Posed], inputs: Sequence[Example]) -> list[bool]:
    """Whether the model's choice is right; for free text, whether every token of the reference is the likeliest."""
    with torch.no_grad():
        reading = session.read(questions, labels=True)
    found = []
    for question, item in zip(questions, inputs, strict=True):
        if item.options:
            found.append(int(reading.labels(question).argmax()) in item.gold)
        else:
            rows = reading.gold_rows(question)
            found.append(reading.words[rows].argmax(dim=-1).tolist() == list(question.answers[question.gold]))
    return found


def _perplexity(session: Session, texts: Sequence[str]) -> float | None:
    """Exp of the mean loss a token over all texts, each stretch of one behind its own first token; None: no token."""
    total, count = 0.0, 0
    most = min(session.loaded.context_length or _TOKENS_A_PASS, _TOKENS_A_PASS) - len(session.trainable.virtual())
    for ids in (part for text in texts for part in _stretches(session.loaded.tokenizer, text, most)):
        question = Posed(ids[:1], (ids[1:],), 0)
        with torch.no_grad():
            reading = session.read([question], labels=False)
        for size, token in enumerate(ids[1:]):
            total -= float(reading.words[reading.places[Prefix(ids[:1], ids[1 : 1 + size])], token])
            count += 1
    return float(np.exp(total / count)) if count else None


def _stretches(tokenizer: Any, text: str, most: int) -> list[Tokens]:
    """A text's tokens, cut where a model could not read all of them at once."""
    ids = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
    parts = [ids[start : start + most] for start in range(0, len(ids), most)]
    return [part for part in parts if len(part) > 1]


def history(sights: Sequence[Sight]) -> list[dict[str, Any]]:
    """The sights as plain values."""
    return [{"step": item.step, "values": dict(item.values), "seconds": item.seconds} for item in sights]
