"""Where a prompt ends and its answers begin, in tokens.

Knows how a tokenizer treats the joined text and what has to be scored. Does not know what computes the scores. Pure
but for the tokenizer that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from isophrase.types import Prompt

Tokens = tuple[int, ...]

_TEXTS_A_CALL = 1024
"""Texts handed to the tokenizer at once: enough to keep its threads busy, few enough to bound memory."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt in tokens.

    Attributes:
        context: What the model reads first. Decoder-only: the tokens in front of every answer. Encoder-decoder: the
            encoder's tokens.
        answers: The tokens that are scored, for each answer; empty for generation.
        bytes: UTF-8 length of each answer without the white space that joins it to the prompt.
        merged: Whether the tokenizer merges prompt and answer across their seam.
        unscored: Why it can't be scored, or None.
    """

    context: Tokens
    answers: tuple[Tokens, ...] = ()
    bytes: tuple[int, ...] = ()
    merged: bool = False
    unscored: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The special tokens that a tokenizer puts in front of a text and behind it."""

    before: Tokens
    after: Tokens


def special_frame(tokenizer: Any) -> Frame:
    """What the tokenizer adds around a text, found by asking it for one."""
    bare = list(_encode(tokenizer, ["a"])[0])
    full = list(tokenizer("a", add_special_tokens=True)["input_ids"])
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return Frame(tuple(full[:start]), tuple(full[start + len(bare) :]))
    return Frame((), ())


def tokenise(
    tokenizer: Any,
    prompts: Sequence[Prompt],
    *,
    encoder_decoder: bool,
    context_length: int | None,
    virtual: int = 0,
    room: int = 0,
) -> list[Question]:
    """One question for each prompt, in order.

    Args:
        tokenizer: A transformers tokenizer.
        prompts: What to ask.
        encoder_decoder: Whether answers go to a decoder of their own.
        context_length: Tokens that the model can read; None where it has no limit.
        virtual: Tokens that an adapter puts in front.
        room: Tokens that generation may add to a prompt without answers.
    """
    frame = special_frame(tokenizer)
    split = _split_encoder_decoder if encoder_decoder else _split_joined
    questions = split(tokenizer, frame, prompts)
    return [_within(question, context_length, virtual, room, encoder_decoder) for question in questions]


def _split_joined(tokenizer: Any, frame: Frame, prompts: Sequence[Prompt]) -> list[Question]:
    """Decoder-only: the answers are what the joined texts have behind the tokens shared with the prompt."""
    texts = [text for prompt in prompts for text in (prompt.text, *(prompt.text + answer for answer in prompt.answers))]
    encoded = iter(_encode(tokenizer, texts))
    questions = []
    for prompt in prompts:
        before = frame.before if prompt.special_tokens else ()
        alone = before + next(encoded)
        joined = [before + next(encoded) for _ in prompt.answers]
        questions.append(_question(prompt, alone, joined))
    return questions


def _question(prompt: Prompt, alone: Tokens, joined: Sequence[Tokens]) -> Question:
    shared = len(alone)
    for tokens in joined:
        shared = min(shared, common(alone, tokens))
    answers = tuple(tokens[shared:] for tokens in joined)
    sizes = tuple(len(answer.lstrip().encode()) for answer in prompt.answers)
    merged = shared < len(alone)
    reason = None
    if shared == 0:
        reason = "the prompt has no token in front of the answer"
    return Question(alone[:shared], answers, sizes, merged, reason or _empty(prompt, answers, sizes))


def _split_encoder_decoder(tokenizer: Any, frame: Frame, prompts: Sequence[Prompt]) -> list[Question]:
    """Encoder-decoder: the prompt with its end-of-sequence token, and the answers without glue and without one."""
    texts = [text for prompt in prompts for text in (prompt.text, *(answer.lstrip() for answer in prompt.answers))]
    encoded = iter(_encode(tokenizer, texts))
    questions = []
    for prompt in prompts:
        body = next(encoded)
        context = frame.before + body + frame.after if prompt.special_tokens else body
        answers = tuple(next(encoded) for _ in prompt.answers)
        sizes = tuple(len(answer.lstrip().encode()) for answer in prompt.answers)
        reason = None if context else "the prompt has no token"
        questions.append(Question(context, answers, sizes, False, reason or _empty(prompt, answers, sizes)))
    return questions


def _empty(prompt: Prompt, answers: Sequence[Tokens], sizes: Sequence[int]) -> str | None:
    for index, (tokens, size) in enumerate(zip(answers, sizes, strict=True)):
        if not tokens or not size:
            return f"answer {index + 1} ({prompt.answers[index]!r}) has no token of its own"
    return None


def _within(question: Question, limit: int | None, virtual: int, room: int, encoder_decoder: bool) -> Question:
    """The question, marked unscored if it does not fit the model's context."""
    if question.unscored is not None or limit is None:
        return question
    longest = max((len(answer) for answer in question.answers), default=room)
    prompt = len(question.context) + virtual
    # A decoder of its own has its start token in front of the answer and the whole context to itself.
    needed = max(prompt, longest + 1) if encoder_decoder else prompt + longest
    if needed <= limit:
        return question
    what = "prompt and answer take" if question.answers else f"prompt and up to {room} new tokens take"
    reason = f"{what} {needed} tokens, the model's context is {limit}"
    return Question(question.context, question.answers, question.bytes, question.merged, reason)


def common(left: Tokens, right: Tokens) -> int:
    """Length of the longest common prefix."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _encode(tokenizer: Any, texts: Sequence[str]) -> list[Tokens]:
    """Token ids without special tokens; equal texts are encoded once."""
    unique = list(dict.fromkeys(texts))
    known: dict[str, Tokens] = {}
    for start in range(0, len(unique), _TEXTS_A_CALL):
        part = unique[start : start + _TEXTS_A_CALL]
        encoded = tokenizer(part, add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]
        known.update(zip(part, map(tuple, encoded), strict=True))
    return [known[text] for text in texts]
