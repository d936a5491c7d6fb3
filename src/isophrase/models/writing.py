"""The seam for whatever writes free text: requests in, replies with token counts out.

Knows nouns. A local model (`writing_local.py`) or a server (`writing_server.py`) stands behind it. Unlike `Model`, a
writer
samples: it is asked for variety, not for a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from isophrase.models.base import Message


@dataclass(frozen=True, slots=True)
class WritingRequest:
    """What is asked of a writer.

    Attributes:
        messages: The conversation.
        temperature: Of sampling; 0 is greedy.
        seed: Of sampling, where the writer takes one.
        max_new_tokens: Where it must end.
    """

    messages: tuple[Message, ...]
    temperature: float = 1.0
    seed: int = 0
    max_new_tokens: int = 512


@dataclass(frozen=True, slots=True)
class Reply:
    """What a writer wrote, or why it wrote nothing.

    Attributes:
        text: The text; empty where it failed.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        failed: Why there is no text, or None.
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    failed: str | None = None


class Writer(Protocol):
    """Something that writes."""

    @property
    def name(self) -> str:
        """What identifies the writer, for the cache and for `author`."""
        ...

    def write(self, requests: Sequence[WritingRequest]) -> list[Reply]:
        """One reply for each request, in order; a request that fails says why."""
        ...
