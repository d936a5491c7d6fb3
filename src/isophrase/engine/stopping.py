"""When greedy generation ends, and what text it leaves.

Knows the limits and the tokenizer. Does not know how the tokens were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from isophrase.models.base import GenerationLimits


@dataclass(frozen=True, slots=True)
class Stopping:
    """The end of a generated text: its number of tokens, an end-of-sequence token, or a stop string.

    Attributes:
        tokenizer: Turns tokens to text.
        limits: Number of tokens and stop strings.
        ends: The end-of-sequence tokens.
    """

    tokenizer: Any
    limits: GenerationLimits
    ends: frozenset[int]

    def finished(self, tokens: Sequence[int]) -> bool:
        """Whether nothing may follow these generated tokens."""
        if len(tokens) >= self.limits.max_new_tokens or tokens[-1] in self.ends:
            return True
        text = self._decode(tokens).lstrip()
        return any(stop in text for stop in self.limits.stop)

    def text(self, tokens: Sequence[int]) -> str:
        """The text in front of the end-of-sequence token and of the first stop string, without leading white space.

        A model that begins with a line break has not answered yet: a stop string counts only after the first word.
        """
        text = self._decode([token for token in tokens if token not in self.ends]).lstrip()
        cuts = [text.find(stop) for stop in self.limits.stop]
        return text[: min((cut for cut in cuts if cut >= 0), default=len(text))]

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a text, by the model's generation settings and the tokenizer."""
    ends: set[int] = set()
    settings = getattr(model, "generation_config", None)
    for value in (getattr(settings, "eos_token_id", None), tokenizer.eos_token_id):
        if isinstance(value, int):
            ends.add(value)
        elif value is not None:
            ends.update(value)
    return frozenset(ends)
