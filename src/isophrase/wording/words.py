"""The words of a wording: its text without slots, cut into words and sentences.

Knows letters and scripts. Does not know what any word means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SLOT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[^\W_]+(?:'[^\W_]+)*'?", re.UNICODE)
"""A word with its apostrophes; in Chinese and Japanese, which have no blanks, one sign."""
_SENTENCE_END = re.compile(r"[.!?;。！？；\n]+(?=\s|$|[぀-ヿ㐀-鿿])|\n")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text.

    Attributes:
        text: In lower case.
        start: Where it begins in the text.
        stop: Where it ends.
    """

    text: str
    start: int
    stop: int


def spoken(template: str) -> str:
    """The text of a template without its slots, in lower case, with straight apostrophes."""
    return _SLOT.sub(" ", template).replace("\u2019", "'").casefold()


def sentences(text: str) -> Iterator[str]:
    """The sentences and lines of a text that hold a word."""
    return (part for part in _SENTENCE_END.split(text) if _WORD.search(part))


def words(text: str) -> tuple[Word, ...]:
    """The words of a text, in order."""
    return tuple(Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text))


def without(text: str, phrases: tuple[str, ...]) -> str:
    """The text with each phrase replaced by a mark that is no word, where it stands as whole words."""
    for phrase in sorted(phrases, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)", "‹›", text)
    return text
