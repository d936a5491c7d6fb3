"""From an input under a wording to the tokens that a model reads and the answers that it may give.

Knows prompts and the tokenizer. Does not know losses or which weights are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from isophrase.engine.seam import Question, Tokens, tokenise
from isophrase.errors import SourceError
from isophrase.models.huggingface import LoadedModel
from isophrase.prompts import render
from isophrase.sources.problems import listed
from isophrase.types import Example, Instruction, PromptFormat

_Key = tuple[tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Posed:
    """A question in tokens.

    Attributes:
        context: The prompt.
        answers: The tokens of each possible answer; for a generation task the right one alone.
        gold: Index of a right answer.
    """

    context: Tokens
    answers: tuple[Tokens, ...]
    gold: int


class Poser:
    """Renders and tokenises, each input under each wording once.

    Args:
        loaded: The model whose tokenizer and prompt format are used.
        virtual: Tokens that an adapter will put in front.
    """

    def __init__(self, loaded: LoadedModel, virtual: int = 0) -> None:
        self._loaded = loaded
        self._virtual = virtual
        self._format = loaded.spec.prompt_format or PromptFormat.PLAIN
        self._known: dict[_Key, Posed] = {}

    def pose(self, asked: Sequence[tuple[Instruction, Example]]) -> list[Posed]:
        """The questions, in order.

        Raises:
            SourceError: Some can't be scored (they do not fit the context, or an answer has no token).
        """
        keys = [question_key(wording, example) for wording, example in asked]
        new = {key: pair for key, pair in zip(keys, asked, strict=True) if key not in self._known}
        if new:
            prompts = [self._render(wording, example) for wording, example in new.values()]
            questions = tokenise(
                self._loaded.tokenizer, prompts, encoder_decoder=self._loaded.is_encoder_decoder,
                context_length=self._loaded.context_length, virtual=self._virtual,
            )  # fmt: skip
            _refuse(list(new.values()), questions)
            for (key, (_, example)), question in zip(new.items(), questions, strict=True):
                answers = question.answers
                if not example.options:  # free text: the model also learns to end
                    answers = tuple(answer + self._end() for answer in answers)
                self._known[key] = Posed(question.context, answers, example.gold[0] if example.gold else 0)
        return [self._known[key] for key in keys]

    def _end(self) -> Tokens:
        end = self._loaded.tokenizer.eos_token_id
        return () if end is None else (int(end),)

    def _render(self, wording: Instruction, example: Example) -> Any:
        if not example.options:
            if not example.references:
                raise SourceError(
                    f"a reference text in example {example.id!r}", got="none", remedy="leave the example out"
                )  # fmt: skip
            example = replace(example, options=example.references[:1], gold=(0,))
        return render(wording, example, (), self._format, self._chat)

    def _chat(self, turns: Sequence[tuple[str, str]]) -> str:
        conversation = [{"role": role, "content": content} for role, content in turns]
        text: str = self._loaded.tokenizer.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=True
        )  # fmt: skip
        return text


def _refuse(asked: Sequence[tuple[Instruction, Example]], questions: Sequence[Question]) -> None:
    found = [
        (wording.id, example.id, question.unscored)
        for (wording, example), question in zip(asked, questions, strict=True)
        if question.unscored is not None
    ]
    if not found:
        return
    wording, first, reason = found[0]
    others = [name for name in dict.fromkeys(name for _, name, _ in found) if name != first]
    raise SourceError(
        f"example {first!r} to be trainable under wording {wording!r}",
        got=reason + (f" (and further examples are not: {listed(others)})" if others else ""),
        remedy=f"leave the example{'s' if others else ''} out, or shorten the wording",
    )


def question_key(wording: Instruction, example: Example) -> _Key:
    """All that a question in tokens depends on: two sets may ask for a letter and for a label in the same words."""
    asked = (wording.template, wording.answer_template, wording.output_form, wording.option_layout)
    shown = (example.id, example.split, *example.fields.values(), *example.options, *example.references)
    return asked + shown, example.gold
