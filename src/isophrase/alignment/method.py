"""What a training run does: which weights, which losses, which wordings a step sees; and the named methods.

Knows names and numbers only. Does not know tensors, models or tasks. To add a method: one entry in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from isophrase.alignment.losses import Divergence
from isophrase.alignment.ranges import out_of_range
from isophrase.errors import ConfigError, ManyErrors
from isophrase.sources.problems import listed, meant, quoted
from isophrase.types import plain


class Kind(StrEnum):
    """Which weights are trained."""

    PREFIX = "prefix"
    """Keys and values of virtual tokens in every layer (Li & Liang 2021)."""
    PROMPT = "prompt"
    """Input embeddings of virtual tokens (Lester et al. 2021)."""
    LORA = "lora"
    """Low-rank additions to all linear layers (Hu et al. 2022)."""
    FULL = "full"
    """All weights: the result is a checkpoint and no adapter."""


class Start(StrEnum):
    """What virtual tokens are before training."""

    TEXT = "text"
    VOCABULARY = "vocabulary"
    RANDOM = "random"


class Space(StrEnum):
    """Over what two distributions are compared."""

    VOCABULARY = "vocabulary"
    LABELS = "labels"


class Teacher(StrEnum):
    """Whose distribution a wording is pulled towards."""

    REFERENCE = "reference"
    """The frozen model under the reference wording of the same input."""
    CONSENSUS = "consensus"
    """The mean over some references and training wordings of the frozen model's label probabilities: needs no label."""
    ADAPTED = "adapted"
    """The model in training under the reference wording, without a gradient."""
    JOINT = "joint"
    """The same with a gradient: both sides move."""


_STRICT: Mapping[str, Any] = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """The weights that are trained.

    Attributes:
        kind: Which.
        length: Virtual tokens (prefix, prompt).
        start: What they are before training (prefix, prompt).
        text: The sentence that they start from; repeated or cut to `length` tokens.
        hidden: Width of a re-parametrisation by a two-layer network, 0 for none (prefix, prompt).
        rank: Rank of LoRA; its scale alpha is twice the rank.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _STRICT

    kind: Kind = Kind.PREFIX
    length: int = 10
    start: Start = Start.TEXT
    text: str = "Read the request carefully and do exactly what it asks for, however it is worded."
    hidden: int = 0
    rank: int = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """What one step sees.

    Attributes:
        wordings: Training wordings drawn for a step, each from a task by weight.
        inputs: Inputs drawn for each of them.
        references: Reference wordings drawn for a step, each with `inputs` inputs.
        controls: Control wordings drawn for a step, each with `inputs` inputs.
        inversions: Training wordings drawn for a step and turned round ("give the opposite of the right answer"), each
            with `inputs` inputs; they are taught what they ask for, or `anchor` holds them to the frozen model under
            the reference turned round alike.
        registers: Probability that a drawn training wording or control is put into a register.
        layers: At most so many registers around one another, each with that probability.
        splices: Probability that one side of a training wording is another one's.
        cases: Probability that a training wording or control is written in capitals, in small letters or in title case.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _STRICT

    wordings: int = 8
    inputs: int = 2
    references: int = 0
    controls: int = 0
    inversions: int = 0
    registers: float = 0.0
    layers: int = 1
    splices: float = 0.0
    cases: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How the optimiser (AdamW) goes.

    Attributes:
        steps: Optimiser steps.
        accumulate: Forward and backward passes in a step, each with its own draws.
        rate: Highest learning rate.
        warmup: Share of the steps over which the rate rises from zero; then it falls to a tenth along a cosine.
        weight_decay: AdamW's.
        clip: Largest norm of the gradient.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _STRICT

    steps: int = 150
    accumulate: int = 1
    rate: float = 0.02
    warmup: float = 0.1
    weight_decay: float = 0.0
    clip: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A training run's losses, weights and draws. A weight of 0 leaves a loss out.

    The loss of a draw is `supervised` times cross-entropy on the right answer plus `consistency` times the divergence
    from the teacher; with `supervised` = 1 - λ and `consistency` = λ this is the soft-prompt alignment of Sun et al.
    2023 (arXiv 2306.11270, section 5).

    Attributes:
        parameters: The weights that are trained.
        supervised: Weight of the cross-entropy on training wordings.
        supervised_reference: Weight of the cross-entropy on drawn reference wordings.
        supervised_negated: Weight of the cross-entropy of drawn negated controls and inversions on an option that they
            ask for, another than the right one; `anchor` does not hold them to the frozen model then.
        consistency: Weight of the divergence from the teacher.
        divergence: Which divergence.
        space: Over what.
        teacher: Whose distribution.
        views: At most so many wordings make an input's consensus, drawn once for each input; 0: all.
        anchor: Weight of the divergence of drawn references, controls and inversions from what the frozen model says
            under the reference, under the control as it is written, under the reference turned round.
        contrastive: Weight of the contrast of states (CoIN).
        representation: Weight of the distance of states from the teacher's.
        worst_group: Step size of the weights of group DRO over wordings; 0: all alike.
        draws: What a step sees.
        schedule: How the optimiser goes.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _STRICT

    parameters: Parameters = field(default_factory=Parameters)
    supervised: float = 0.2
    supervised_reference: float = 0.0
    supervised_negated: float = 0.0
    consistency: float = 0.8
    divergence: Divergence = Divergence.FORWARD
    space: Space = Space.VOCABULARY
    teacher: Teacher = Teacher.REFERENCE
    views: int = 0
    anchor: float = 0.0
    contrastive: float = 0.0
    representation: float = 0.0
    worst_group: float = 0.0
    draws: Draws = field(default_factory=Draws)
    schedule: Schedule = field(default_factory=Schedule)


_LORA = Parameters(kind=Kind.LORA)
_FULL = Parameters(kind=Kind.FULL)
_FULL_SCHEDULE = Schedule(rate=2e-5)

PT = Method(supervised=1.0, consistency=0.0)
PT_KL = Method()

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        # The paper's four: all weights or a prefix, cross-entropy with or without KL.
        "ft": Method(parameters=_FULL, schedule=_FULL_SCHEDULE, supervised=1.0, consistency=0.0),
        "ft+kl": Method(parameters=_FULL, schedule=_FULL_SCHEDULE),
        "pt": PT,
        "pt+kl": PT_KL,
        # PAFT (2025, arXiv 2502.12859): one random wording for all inputs of a step, cross-entropy, LoRA.
        "paft": Method(
            parameters=_LORA, schedule=Schedule(rate=1e-3), supervised=1.0, consistency=0.0,
            draws=Draws(wordings=1, inputs=16),
        ),
        "consensus": replace(
            PT_KL, supervised=0.0, consistency=1.0, teacher=Teacher.CONSENSUS, space=Space.LABELS, views=6,
        ),
        "contrastive": replace(PT, contrastive=0.1),
        "worst-wording": replace(PT, worst_group=0.5),
        "default": Method(
            parameters=_LORA,
            supervised=0.5,
            consistency=0.5,
            supervised_reference=0.5,
            supervised_negated=0.3,
            anchor=0.8,
            draws=Draws(
                wordings=8, references=2, controls=2, inversions=2, registers=0.6, layers=2, splices=0.3, cases=0.15
            ),
            schedule=Schedule(steps=320, rate=2e-3),
        ),
    }
)  # fmt: skip
"""Named methods. `default` was chosen on development data of the testbed (docs/lab-notes.md)."""
TUNE = Method(
    parameters=_FULL, schedule=Schedule(steps=200, rate=2e-5, weight_decay=0.01),
    supervised=0.5, supervised_reference=0.5, consistency=0.0, draws=Draws(wordings=4, references=4, inputs=4),
)  # fmt: skip
"""What `default` is in `tune`: cross-entropy on the response, on references and training wordings alike."""


def method_of(value: str | Mapping[str, Any], default: Method | None = None) -> Method:
    """A method by name, or from a mapping with its fields, which may begin `base: NAME`.

    Args:
        value: Name or mapping.
        default: What `default` is, which a mapping without `base` changes; None: the named method.

    Raises:
        ConfigError: No method has this name.
        ManyErrors: What is wrong with the fields.
    """
    if isinstance(value, str):
        return default if value == "default" and default is not None else _named(value)
    given = dict(value)
    adapter = TypeAdapter(Method)
    named = str(given.pop("base", "default"))
    base = adapter.dump_python(default if named == "default" and default is not None else _named(named))
    try:
        method = adapter.validate_python(_merged(base, given))
    except ValidationError as error:
        problems = [_message(item, base) for item in error.errors()]
        raise ManyErrors("method", problems, exit_code=ConfigError.exit_code) from None
    _check(method)
    return method


def _message(item: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """What pydantic finds wrong, with what was given, or with the fields that there are."""
    location = item["loc"]
    name = ".".join(map(str, location))
    if item["type"] == "unexpected_keyword_argument":
        for part in location[:-1]:
            fields = fields[part]
        known = list(fields)
        return f"unknown key {name!r}{meant(str(location[-1]), known) or f'; known are {listed(known, 30)}'}"
    text = str(item["msg"])
    return f"{name}: {text[0].lower()}{text[1:]}; got {quoted(item['input'])}"


def beyond_defaults(method: Mapping[str, Any]) -> dict[str, Any]:
    """What a method, as plain values, says beyond the defaults: an option added later, neutral, leaves it as it is.

    It identifies trainings, so a default that changes has to be told apart otherwise (`VERSION` of the testbed).
    """
    return _beyond(method, plain(Method()))


def _beyond(given: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    inner = {key: _beyond(item, usual[key]) for key, item in given.items() if isinstance(usual.get(key), Mapping)}
    outer = {key: item for key, item in given.items() if key not in inner and item != usual.get(key)}
    return outer | {key: item for key, item in inner.items() if item}


def _named(name: str) -> Method:
    if name not in METHODS:
        raise ConfigError(f"a method ({', '.join(METHODS)})", got=repr(name), remedy="correct the name")
    return METHODS[name]


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **base,
        **{
            key: _merged(base[key], item) if isinstance(item, Mapping) and isinstance(base.get(key), Mapping) else item
            for key, item in given.items()
        },
    }


def _check(method: Method) -> None:
    problems = out_of_range(plain(method))
    if not any(weight for weight, _ in _weights(method).values()):
        problems.append("expected a loss; got weights of 0 only; give `supervised` or `consistency` a weight")
    problems += [
        f"{name}: expected something drawn that it is the weight of; got {weight} and {' and '.join(drawn)} 0"
        for name, (weight, drawn) in _weights(method).items()
        if weight and not any(_drawn(method, place) for place in drawn)
    ]
    problems += [
        f"{place}: expected {' or '.join(f'`{name}`' for name in names)} with a weight; got 0; without it they teach "
        "nothing, so say 0 here too"
        for place, names in _TAUGHT_BY.items()
        if _drawn(method, place) and not any(getattr(method, name) for name in names)
    ]
    if method.worst_group and not method.draws.wordings:
        problems.append(
            f"worst_group: expected `draws.wordings`, whose groups it weighs; got {method.worst_group:g} and 0; say 0 "
            "here"
        )
    if method.teacher is Teacher.CONSENSUS and method.consistency and method.space is not Space.LABELS:
        problems.append("teacher consensus: expected space labels; got vocabulary; say `space: labels`")
    if problems:
        raise ManyErrors("method", problems, exit_code=ConfigError.exit_code)


_WORDING_LOSSES = ("supervised", "consistency", "contrastive", "representation")
_TAUGHT_BY: Mapping[str, tuple[str, ...]] = {
    "draws.wordings": _WORDING_LOSSES,
    "draws.references": ("supervised_reference", "anchor"),
    "draws.controls": ("supervised_negated", "anchor"),
    "draws.inversions": ("supervised_negated", "anchor"),
}
"""What a step may draw, and the losses that it may enter."""


def _weights(method: Method) -> dict[str, tuple[float, list[str]]]:
    """Each loss with its weight and the draws that it is taken of."""
    names = dict.fromkeys(name for losses in _TAUGHT_BY.values() for name in losses)
    return {
        name: (getattr(method, name), [place for place, losses in _TAUGHT_BY.items() if name in losses])
        for name in names
    }


def _drawn(method: Method, place: str) -> int:
    count: int = getattr(method.draws, place.removeprefix("draws."))
    return count
