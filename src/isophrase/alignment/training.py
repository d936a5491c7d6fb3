"""The training loop: draws -> readings -> loss -> step, with checkpoints from which it goes on exactly.

Knows the order of a step and what has to be carried from one to the next. Does not know files of tasks or how a result
is recorded.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from isophrase.alignment.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from isophrase.alignment.method import Kind, Method, Space, Teacher
from isophrase.alignment.mixtures import refuse_leaks
from isophrase.alignment.objective import GroupWeights, Loss, Seen, incomparable, loss_of
from isophrase.alignment.optimising import descend, make_optimiser
from isophrase.alignment.parameters import Trainable, make_trainable
from isophrase.alignment.posing import Posed, Poser, question_key
from isophrase.alignment.reading import Reading, read
from isophrase.alignment.registers import Register
from isophrase.alignment.sampling import Draw, Material, Purpose, answered, draw
from isophrase.alignment.teaching import FrozenHead, FrozenTeacher
from isophrase.engine.backbone import Backbone, VirtualTokens, take_apart
from isophrase.engine.choosing import choose
from isophrase.engine.gradients import Forward, PlainForward, TreeForward, logits
from isophrase.engine.tree import TreeDecoder
from isophrase.errors import ConfigError
from isophrase.models.devices import fast_dtype
from isophrase.models.huggingface import LoadedModel
from isophrase.types import Example, Instruction

_SECONDS_UNKEPT = 120.0


@dataclass(frozen=True, kw_only=True)
class Training:
    """What to train.

    Attributes:
        method: Weights, losses, draws, schedule.
        materials: The tasks.
        registers: To put around training wordings and controls.
        seed: Of draws and of what starts at random.
        checkpoint: Where to keep the state; None: nowhere.
        every: Steps between looks, after each of which a checkpoint is kept (and after two minutes without one).
        plain: Whether to use plain batches even where the token tree would do.
        autocast: Whether matrix products are bfloat16 where the device is fast in it.
    """

    method: Method
    materials: tuple[Material, ...]
    registers: tuple[Register, ...] = ()
    seed: int = 0
    checkpoint: Path | None = None
    every: int = 50
    plain: bool = False
    autocast: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What is recorded of a step: its number, the total loss, its parts, the gradient's norm, seconds so far."""

    number: int
    total: float
    parts: dict[str, float]
    norm: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes:
        trainable: The model with the trained weights.
        steps: What is recorded of each step.
        notes: What a reader of the result should know.
        stopped: The step after which a look asked to stop, or None.
        best: The step whose weights a look has put back, or None.
    """

    trainable: Trainable
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    stopped: int | None = None
    best: int | None = None


class Look(Protocol):
    """Whoever watches a training."""

    @property
    def enough(self) -> bool:
        """Whether its last call asked to stop."""
        ...

    def __call__(self, session: Session, step: int) -> bool:
        """Called with the number of finished steps, 0 before the first; True asks to stop."""
        ...

    def state(self) -> dict[str, Any]:
        """What it carries on, as tensors and plain values."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Goes on from what `state` gave."""
        ...

    def restore(self, weights: Sequence[Tensor]) -> int | None:
        """Called at the end: may put better weights back, and says of which step they are."""
        ...


@dataclass
class Session:
    """A training in progress.

    Attributes:
        loaded: The model, changed in place.
        training: What to train.
        trainable: The weights.
        forward: How the model computes with gradients.
        poser: Questions in tokens.
        autocast: Whether matrix products are bfloat16; losses are float32 in any case.
        notes: What a reader of the result should know.
    """

    loaded: LoadedModel
    training: Training
    trainable: Trainable
    forward: Forward
    poser: Poser
    teacher: FrozenTeacher
    groups: GroupWeights | None
    autocast: bool
    steps: list[Step] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def backbone(self) -> Backbone:
        return Backbone(self.trainable.base, VirtualTokens(), self.loaded.is_encoder_decoder)

    def precision(self) -> AbstractContextManager[Any]:
        """Around whatever the model reads."""
        return torch.autocast(self.loaded.model.device.type, torch.bfloat16) if self.autocast else nullcontext()

    def read(self, questions: Sequence[Posed], *, labels: bool) -> Reading:
        """What the model in training says now."""
        project = partial(logits, self.backbone)
        with self.precision():
            return read(questions, self.forward, self.trainable.virtual(), project, labels=labels)

    def loss(self, number: int) -> Loss:
        """The loss of one pass, by its number."""
        method = self.training.method
        drawn = self._draw(number)
        student = self.poser.pose([(item.wording, item.example) for item in drawn])
        reference = self.poser.pose([(item.reference, item.example) for item in drawn])
        labels = method.space is Space.LABELS
        consensus = None
        teacher: Reading | None = None
        frozen = self.teacher.read(reference) if _needs_frozen(method) else None
        if method.teacher is Teacher.JOINT and method.consistency:
            both = self.read([*student, *reference], labels=labels)
            reading = Reading(tuple(student), both.places, both.states, both.words)
            teacher = Reading(tuple(reference), both.places, both.states, both.words)
        else:
            reading = self.read(student, labels=labels)
            teacher = frozen
            if method.teacher is Teacher.ADAPTED and method.consistency:
                with torch.no_grad():
                    teacher = self.read(reference, labels=labels)
            if method.teacher is Teacher.CONSENSUS and method.consistency:
                views = [self.poser.pose(self._views(item)) for item in drawn]
                consensus = self.teacher.consensus(views).unbind()
        return loss_of(Seen(drawn, reading, teacher, frozen, consensus), method, self.groups)

    def _draw(self, number: int) -> list[Draw]:
        training = self.training
        drawn = draw(training.materials, training.method.draws, training.registers, training.seed, number)
        return answered(drawn) if training.method.supervised_negated else drawn

    def _views(self, item: Draw) -> list[tuple[Instruction, Example]]:
        """An input under the wordings whose consensus teaches it: references and training wordings without register."""
        wordings = self.training.materials[item.material].wordings
        pool = (*wordings.references, *wordings.train)
        random = np.random.default_rng([self.training.seed, zlib.crc32(item.example.id.encode())])
        chosen = random.choice(len(pool), min(self.training.method.views or len(pool), len(pool)), replace=False)
        return [(pool[place], item.example) for place in sorted(chosen)]

    def foresee(self) -> None:
        """Looks beforehand at all that will be drawn: that it fits the model, and that none of it is a test wording.

        Raises:
            ConfigError: A step would draw nothing.
            ManyErrors: Splices or registers will make a test wording out of training wordings.
            SourceError: An input is too long for the model, or can't be asked otherwise.
        """
        schedule = self.training.method.schedule
        passes = [self._draw(number) for number in range(schedule.steps * schedule.accumulate)]
        if empty := sum(not drawn for drawn in passes):
            raise ConfigError(
                "something to learn in every step", got=f"nothing in {empty} of {len(passes)}",
                remedy="draw wordings or references, or give every task controls of the kind that is drawn",
            )  # fmt: skip
        drawn = [item for found in passes for item in found]
        refuse_leaks(drawn, self.training.materials)
        questions = self.poser.pose([(item.wording, item.example) for item in drawn])
        taught = self.poser.pose([(item.reference, item.example) for item in drawn])
        method = self.training.method
        if method.consistency and method.space is Space.VOCABULARY:
            tasks = [item.task.name for item in self.training.materials]
            self.notes = tuple(
                f"{name}: no divergence over words was taken: all training wordings have the answer written otherwise "
                "than their reference (`space: labels` compares them)"
                for name in incomparable(tasks, drawn, questions, taught)
            )

    def learn(self) -> None:
        """Lets the teacher see beforehand all that the training will ask it."""
        method = self.training.method
        if not _needs_frozen(method) and not (method.consistency and method.teacher is Teacher.CONSENSUS):
            return
        passes = method.schedule.steps * method.schedule.accumulate
        asked: dict[object, tuple[Instruction, Example]] = {}
        for number in range(passes):
            for item in self._draw(number):
                untaught = method.supervised_negated and item.purpose is Purpose.NEGATED
                pairs = [] if untaught else [(item.reference, item.example)]
                if method.teacher is Teacher.CONSENSUS:
                    pairs += self._views(item)
                asked |= {question_key(*pair): pair for pair in pairs}
        with self.trainable.frozen(), self.precision():
            self.teacher.learn(self.poser.pose(list(asked.values())))


def _needs_frozen(method: Method) -> bool:
    compares = method.consistency and method.teacher is Teacher.REFERENCE
    return bool(compares or method.anchor or method.contrastive or method.representation)


def train(
    loaded: LoadedModel, training: Training, *, looks: Sequence[Look] = (), notify: Callable[[Step], None] | None = None
) -> Trained:
    """Train, or go on from the checkpoint.

    The same training gives the same weights on the same machine, whether it was interrupted or not.

    Args:
        loaded: The model without an adapter; it is changed in place.
        training: What to train.
        looks: Called before the first step, every `training.every` steps and after the last.
        notify: Told of each step.
    """
    session = begin(loaded, training)
    optimiser = make_optimiser(session.trainable.weights, training.method.schedule)
    start = _resume(session, optimiser, looks)
    schedule = training.method.schedule
    seconds = session.steps[-1].seconds if session.steps else 0.0
    stopped = start if start and start < schedule.steps and any(look.enough for look in looks) else None
    if start == 0:
        _look(looks, session, 0)
    kept = time.monotonic()
    for number in range(start, schedule.steps if stopped is None else start):
        began = time.perf_counter()
        total, parts, norm = _step(session, optimiser, number)
        seconds += time.perf_counter() - began
        session.steps.append(Step(number + 1, total, parts, norm, seconds))
        if notify is not None:
            notify(session.steps[-1])
        looking = (number + 1) % training.every == 0 or number + 1 == schedule.steps
        enough = looking and _look(looks, session, number + 1)
        if looking or time.monotonic() - kept >= _SECONDS_UNKEPT:
            _keep(session, optimiser, number + 1, looks)
            kept = time.monotonic()
        if enough and number + 1 < schedule.steps:
            stopped = number + 1
            break
    best = next((step for look in looks if (step := look.restore(session.trainable.weights)) is not None), None)
    session.trainable.finish()
    return Trained(session.trainable, tuple(session.steps), session.notes, stopped, best)


def begin(loaded: LoadedModel, training: Training) -> Session:
    """The session before its first step: weights in place, teacher taught."""
    tree = not training.plain and isinstance(choose(take_apart(loaded)).executor, TreeDecoder)
    trainable = make_trainable(loaded, training.method.parameters, training.seed)
    backbone = Backbone(trainable.base, VirtualTokens(), loaded.is_encoder_decoder)
    forward: Forward = (
        TreeForward(backbone) if tree else PlainForward(trainable.model, encoder_decoder=loaded.is_encoder_decoder)
    )
    frozen = backbone
    if training.method.parameters.kind is Kind.FULL:  # its head is trained too
        frozen = Backbone(FrozenHead(trainable.base), VirtualTokens(), loaded.is_encoder_decoder)
    labels = training.method.space is Space.LABELS
    teacher = FrozenTeacher(forward, partial(logits, frozen), labels=labels)
    rate = training.method.worst_group
    names = sorted({f"{item.task.name}\0{one.id}" for item in training.materials for one in item.wordings.train})
    session = Session(
        loaded, training, trainable, forward, Poser(loaded, len(trainable.virtual())), teacher,
        GroupWeights(names, rate) if rate else None, autocasts(loaded, training),
    )  # fmt: skip
    session.foresee()
    session.learn()
    return session


def autocasts(loaded: LoadedModel, training: Training) -> bool:
    """Whether a training's matrix products are bfloat16 on this device, whatever the weights are."""
    return training.autocast and fast_dtype(str(loaded.model.device)).value == "bfloat16"


def _step(session: Session, optimiser: torch.optim.AdamW, number: int) -> tuple[float, dict[str, float], float]:
    """One optimiser step: total loss, its parts and the gradient's norm."""
    schedule = session.training.method.schedule
    optimiser.zero_grad(set_to_none=True)
    passes = []
    for turn in range(schedule.accumulate):
        loss = session.loss(number * schedule.accumulate + turn)
        (loss.total / schedule.accumulate).backward()  # type: ignore[no-untyped-call]
        passes.append(loss)
    norm = descend(optimiser, session.trainable.weights, schedule, number)
    if session.groups is not None:
        session.groups.update(_mean(item.groups for item in passes))
    total = sum(float(item.total.detach()) for item in passes) / len(passes)
    return total, _mean(item.parts for item in passes), norm


def _mean(maps: Iterable[Any]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for item in maps:
        for name, value in item.items():
            found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def _look(looks: Sequence[Look], session: Session, step: int) -> bool:
    answers = [look(session, step) for look in looks]
    return any(answers)


def _keep(session: Session, optimiser: torch.optim.AdamW, step: int, looks: Sequence[Look]) -> None:
    if session.training.checkpoint is None:
        return
    weights: list[Tensor] = [weight.detach() for weight in session.trainable.weights]
    groups = None if session.groups is None else session.groups.weights
    write_checkpoint(
        session.training.checkpoint,
        Checkpoint(
            step, weights, optimiser.state_dict(), groups, [vars_of(item) for item in session.steps],
            [look.state() for look in looks],
        ),
    )  # fmt: skip


def vars_of(step: Step) -> dict[str, Any]:
    """A step as plain values."""
    return {
        "number": step.number, "total": step.total, "parts": step.parts, "norm": step.norm, "seconds": step.seconds
    }  # fmt: skip


def _resume(session: Session, optimiser: torch.optim.AdamW, looks: Sequence[Look]) -> int:
    """Takes over a checkpoint, if there is one; the number of steps that are done."""
    path = session.training.checkpoint
    kept = None if path is None else read_checkpoint(path)
    if kept is None:
        return 0
    with torch.no_grad():
        for weight, value in zip(session.trainable.weights, kept.weights, strict=True):
            weight.copy_(value)
    optimiser.load_state_dict(kept.optimiser)
    if session.groups is not None and kept.groups is not None:
        session.groups.weights = kept.groups
    session.steps = [Step(**item) for item in kept.steps]
    for look, state in zip(looks, kept.looks, strict=True):
        look.load(state)
    return kept.step
