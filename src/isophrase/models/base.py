"""The seam between the grid and whatever computes: a model takes prompts and gives measurements.

Knows no implementation. A local model (engine/), a server or a test double stands behind the same three calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from isophrase.types import Measurement, ModelSpec, Prompt


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class GenerationLimits:
    """When greedy generation ends: after `max_new_tokens`, at the end-of-sequence token, or before any of `stop`.

    Leading white space is dropped first, so that a line break in front of the answer does not end it.
    """

    max_new_tokens: int = 32
    stop: tuple[str, ...] = ("\n",)


class Model(Protocol):
    """Something that can be asked prompts."""

    @property
    def spec(self) -> ModelSpec:
        """What was asked for, with `dtype` and `device` as they really run (never `auto`)."""
        ...

    @property
    def identity(self) -> Mapping[str, str]:
        """What identifies the weights: architecture, revision, fingerprints of weights, tokenizer, adapter."""
        ...

    def render_chat(self, messages: Sequence[Message]) -> str:
        """The conversation in the model's own chat template, ready for the assistant's answer.

        Raises:
            ModelError: The tokenizer has no chat template.
        """
        ...

    def measure(self, prompts: Sequence[Prompt], limits: GenerationLimits) -> list[Measurement]:
        """One measurement for each prompt, in order: log-probabilities where it has answers, else generated text.

        What one call is given is computed together, in an order that depends on the prompts alone, so that the same
        call gives the same numbers on the same machine. A prompt that can't be scored gives its reason.
        """
        ...
