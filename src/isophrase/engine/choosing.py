"""Which executor a model takes.

Knows what speaks against the tree for a model, and tries it on a few tokens before trusting it: a model whose
attention can't be replaced, or that then gives other numbers, runs in plain batches and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from isophrase.engine.backbone import Backbone
from isophrase.engine.pairs import PackedPairs
from isophrase.engine.plain import PlainDecoder
from isophrase.engine.plain_pairs import PlainPairs
from isophrase.engine.seam import Question, Tokens
from isophrase.engine.states import Floats, Where
from isophrase.engine.stopping import Stopping
from isophrase.engine.tree import Sizes, TreeDecoder

_PACKED_PAIRS = ("t5", "mt5")
_LAYERS = {"full_attention", "sliding_attention"}
_LENGTH_DEPENDENT_ROTARY = ("dynamic", "longrope")
_HELD_BYTES = 1 << 31
"""Memory for keys and values during generation."""


class Executor(Protocol):
    """What scores and continues token sequences."""

    def score(self, questions: Sequence[Question]) -> list[tuple[float, ...]]:
        """Teacher-forced sums of log P(token), for each question and answer."""
        ...

    def generate(self, contexts: Sequence[Tokens], stopping: Stopping) -> list[str]:
        """The text that greedy decoding adds to each context."""
        ...

    def states(self, contexts: Sequence[Tokens], where: Where) -> Floats:
        """The hidden state of each context, in float32: [contexts, hidden]."""
        ...


@dataclass(frozen=True)
class Chosen:
    """An executor, and what a reader of the results should know about the choice."""

    executor: Executor
    notes: tuple[str, ...] = ()


def choose(backbone: Backbone) -> Chosen:
    """The fastest executor that gives the model's own numbers."""
    plain: Executor = PlainPairs(backbone) if backbone.encoder_decoder else PlainDecoder(backbone)
    reason = _objection(backbone)
    if reason is None:
        reason = _trial(backbone, plain, quick(backbone, Sizes(pack=16, block=4, held=256, texts=4)))
    if reason is None:
        return Chosen(quick(backbone, sizes(backbone)))
    return Chosen(plain, (f"scored in plain batches, without a token tree: {reason}",))


def quick(backbone: Backbone, bounds: Sizes) -> TreeDecoder | PackedPairs:
    """The executor that computes nothing twice."""
    return PackedPairs(backbone, bounds.pack) if backbone.encoder_decoder else TreeDecoder(backbone, bounds)


def sizes(backbone: Backbone) -> Sizes:
    """What suits the device: on a CPU packs that stay in its caches, on a GPU packs that fill it."""
    config = backbone.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    held = _HELD_BYTES // (2 * config.num_hidden_layers * heads * size * backbone.dtype.itemsize)
    if backbone.device.type == "cpu":
        return Sizes(pack=1024, block=128, held=held, texts=512)
    return Sizes(pack=4096, block=4096, held=held, texts=256)


def _objection(backbone: Backbone) -> str | None:
    """What the configuration says against the tree."""
    config = backbone.config
    if backbone.encoder_decoder:
        return (
            None
            if config.model_type in _PACKED_PAIRS
            else f"encoder-decoder models of type {config.model_type} are not known"
        )
    if not getattr(backbone.model, "_supports_attention_backend", False):
        return f"the attention of {type(backbone.model).__name__} can't be replaced"
    unknown = set(getattr(config, "layer_types", None) or ()) - _LAYERS
    if unknown:
        return f"layers of type {', '.join(sorted(unknown))} are not known"
    rotary = (getattr(config, "rope_parameters", None) or {}).get("rope_type")
    if rotary in _LENGTH_DEPENDENT_ROTARY:
        return f"rotary positions of type {rotary} depend on the length of the whole row"
    return None


def _trial(backbone: Backbone, plain: Executor, tree: Executor) -> str | None:
    """Why the tree can't be trusted: it fails on, or differs on, questions with shared and unshared beginnings."""
    questions = _questions(min(backbone.vocabulary, 4096))
    expected = plain.score(questions)
    try:
        found = tree.score(questions)
    except Exception as error:  # whatever a model's code raises when its attention is not its own
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    wanted = _window(backbone.config)
    if isinstance(tree, TreeDecoder) and wanted is not None and wanted not in tree.windows:
        return f"the sliding window of {wanted} tokens is not passed on to attention"
    slack = 1e-4 if backbone.dtype == torch.float32 else 2e-2
    for question, ours, theirs in zip(questions, found, expected, strict=True):
        for answer, own, other in zip(question.answers, ours, theirs, strict=True):
            if not abs(own - other) <= slack * (len(answer) + abs(other)):
                return f"a trial gave {own:.5f} where the model itself gives {other:.5f}"
    return None


def _questions(vocabulary: int) -> list[Question]:
    def tokens(start: int, count: int) -> Tokens:
        return tuple((start * 37 + step * 101) % vocabulary for step in range(count))

    shared = tokens(1, 11)
    contexts = [shared + tokens(2, 6), shared + tokens(3, 2), tokens(4, 9), shared]
    return [Question(context, (tokens(5, 1), tokens(6, 3), tokens(6, 2))) for context in contexts]


def _window(config: Any) -> int | None:
    """The sliding window that some layer has to have."""
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if window is None or (kinds is not None and "sliding_attention" not in kinds):
        return None
    return int(window)
