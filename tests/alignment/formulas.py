"""The losses of a draw written out from what plain transformers says, to hold training against.

Knows the small task's wordings. Does not use isophrase's questions, readings, teachers or losses, and gradients flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from isophrase.alignment.method import Space
from isophrase.alignment.sampling import Draw, Material, draw
from isophrase.alignment.training import Session
from isophrase.types import Example, Instruction
from tests.alignment.small import material


def draws_of(session: Session, number: int) -> list[Draw]:
    """What a pass of a training sees."""
    training = session.training
    return draw(training.materials, training.method.draws, training.registers, training.seed, number)


def even() -> Material:
    """The small task with options that the small model finds about as likely: over its own it is nearly certain."""
    item = material()
    return replace(item, train=tuple(replace(one, options=("positive", "science")) for one in item.train))


def moved(session: Session) -> Session:
    """The session with weights away from where they start, where an adapter often does nothing."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in session.trainable.weights:
            weight.add_(torch.randn(weight.shape, generator=random), alpha=0.05)
    return session


def tokens_of(model: Any, tokenizer: Any, option: str) -> list[int]:
    """The tokens of an option."""
    written = option if model.config.is_encoder_decoder else f" {option}"
    found: list[int] = tokenizer(written, add_special_tokens=False)["input_ids"]
    return found


def words(model: Any, tokenizer: Any, wording: Instruction, example: Example, option: str) -> Tensor:
    """Log-probabilities of all words at each token of an option: [tokens, vocabulary]."""
    text = wording.template.replace("{{ text }}", str(example.fields["text"]))
    pairs = model.config.is_encoder_decoder
    ids = tokenizer(text, add_special_tokens=pairs)["input_ids"]
    answer = tokens_of(model, tokenizer, option)
    if pairs:
        decoded = torch.tensor([[model.config.decoder_start_token_id, *answer[:-1]]])
        logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=decoded).logits[0]
    else:
        logits = model(input_ids=torch.tensor([ids + answer])).logits[0, -len(answer) - 1 : -1]
    return torch.log_softmax(logits.double(), dim=-1)


def supervised(model: Any, tokenizer: Any, item: Draw, option: str | None = None) -> Tensor:
    """-log P of the tokens of the right answer, or of an option, their mean."""
    option = option or item.example.options[item.example.gold[0]]
    said = words(model, tokenizer, item.wording, item.example, option)
    tokens = tokens_of(model, tokenizer, option)
    return -torch.stack([row[token] for row, token in zip(said, tokens, strict=True)]).mean()


def labels(model: Any, tokenizer: Any, wording: Instruction, example: Example) -> Tensor:
    """Log-probabilities of the options, normalised among them: [1, options]."""
    sums = []
    for option in example.options:
        said = words(model, tokenizer, wording, example, option)
        tokens = tokens_of(model, tokenizer, option)
        sums.append(sum(row[token] for row, token in zip(said, tokens, strict=True)))
    return torch.log_softmax(torch.stack(sums), dim=-1)[None]


def compared(student: Any, teacher: Any, tokenizer: Any, item: Draw, *, space: str, kind: str) -> Tensor:
    """The divergence of a draw's wording, read by the student, from its reference, read by the teacher."""
    right = item.example.options[item.example.gold[0]]
    if space == Space.LABELS:
        q = labels(student, tokenizer, item.wording, item.example).exp()
        p = labels(teacher, tokenizer, item.reference, item.example).exp()
    else:
        q = words(student, tokenizer, item.wording, item.example, right).exp()
        p = words(teacher, tokenizer, item.reference, item.example, right).exp()
    middle = (p + q) / 2
    found = {
        "forward": p * (p / q).log(),
        "reverse": q * (q / p).log(),
        "js": (p * (p / middle).log() + q * (q / middle).log()) / 2,
    }[kind]
    return found.sum(dim=-1).mean()


def mean(values: Sequence[Tensor]) -> Tensor:
    """Their mean."""
    return torch.stack(list(values)).mean()
