"""A loaded model as a `Model`: prompts in, measurements out.

Knows how prompts become token sums and these become measurements. Does not know tasks, instructions or stores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from isophrase.engine.backbone import take_apart
from isophrase.engine.choosing import choose
from isophrase.engine.seam import Question, tokenise
from isophrase.engine.states import States, Where, resolve_layer, stack_of
from isophrase.engine.stopping import Stopping, end_tokens
from isophrase.errors import ModelError
from isophrase.models.base import GenerationLimits, Message
from isophrase.types import Measurement, ModelSpec, Prompt

if TYPE_CHECKING:
    from isophrase.models.huggingface import LoadedModel


class LocalModel:
    """A model in this process.

    Args:
        loaded: The model with its tokenizer.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._backbone = take_apart(loaded)
        self._ends = end_tokens(self._backbone.model, loaded.tokenizer)
        self._chosen = choose(self._backbone)

    @property
    def spec(self) -> ModelSpec:
        return self._loaded.spec

    @property
    def identity(self) -> Mapping[str, str]:
        return self._loaded.identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results should know about how this model is run."""
        return self._chosen.notes

    def render_chat(self, messages: Sequence[Message]) -> str:
        """The conversation in the model's own chat template, ready for the assistant's answer.

        Raises:
            ModelError: The tokenizer has no chat template.
        """
        tokenizer = self._loaded.tokenizer
        if not getattr(tokenizer, "chat_template", None):
            raise ModelError(
                "a model with a chat template", got=f"{self.spec.name}, whose tokenizer has none",
                remedy="use prompt_format: plain or alpaca",
            )  # fmt: skip
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return text

    def measure(self, prompts: Sequence[Prompt], limits: GenerationLimits) -> list[Measurement]:
        """One measurement for each prompt, in order; the same call gives the same numbers on the same machine."""
        questions = tokenise(
            self._loaded.tokenizer, prompts, encoder_decoder=self._loaded.is_encoder_decoder,
            context_length=self._loaded.context_length, virtual=len(self._backbone.virtual), room=limits.max_new_tokens,
        )  # fmt: skip
        measurements = [Measurement(merged=question.merged, unscored=question.unscored) for question in questions]
        fit = [index for index, question in enumerate(questions) if question.unscored is None]
        choices = [index for index in fit if questions[index].answers]
        for index, sums in zip(
            choices, self._chosen.executor.score([questions[index] for index in choices]), strict=True
        ):
            measurements[index] = _measured(questions[index], sums)
        open_ended = [index for index in fit if not questions[index].answers]
        stopping = Stopping(self._loaded.tokenizer, limits, self._ends)
        texts = self._chosen.executor.generate([questions[index].context for index in open_ended], stopping)
        for index, text in zip(open_ended, texts, strict=True):
            measurements[index] = Measurement(text=text)
        return measurements

    def layer(self, where: Where) -> int:
        """The number, from the front, of the layer that a state is taken from.

        Raises:
            ConfigError: The model has no such layer.
        """
        return resolve_layer(stack_of(self._backbone, where), where.layer)

    def states(self, prompts: Sequence[Prompt], where: Where) -> States:
        """The hidden state of each prompt, without its answers; a prompt that does not fit has a reason instead.

        Raises:
            ConfigError: The model has no such layer.
        """
        questions = tokenise(
            self._loaded.tokenizer, [replace(prompt, answers=()) for prompt in prompts],
            encoder_decoder=self._loaded.is_encoder_decoder, context_length=self._loaded.context_length,
            virtual=len(self._backbone.virtual),
        )  # fmt: skip
        missing = {index: reason for index, item in enumerate(questions) if (reason := item.unscored) is not None}
        fit = [index for index in range(len(questions)) if index not in missing]
        width = self._backbone.config.hidden_size
        values = np.full((len(prompts), width), np.nan, dtype=np.float32)
        self.layer(where)
        if fit:
            values[fit] = self._chosen.executor.states([questions[index].context for index in fit], where)
        return States(values, missing)


def _measured(question: Question, sums: tuple[float, ...]) -> Measurement:
    if any(map(math.isnan, sums)):
        return Measurement(merged=question.merged, unscored="the model gave a log-probability that is not a number")
    tokens = tuple(len(answer) for answer in question.answers)
    return Measurement(logprobs=sums, tokens=tokens, bytes=question.bytes, merged=question.merged)
