"""How a generated text is compared with reference texts: normalised exact match and token F1.

Knows strings only. The normalisation is that of SQuAD (Rajpurkar et al. 2016) with one difference: punctuation is
removed at the ends of words, not inside them, and a sign before a digit stays: "-1.5" is neither "1.5" nor "15".
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

_ARTICLES = frozenset({"a", "an", "the"})


def normalise(text: str) -> str:
    """NFKC, case-folded, without articles, surrounding punctuation and extra white space.

    A text of which nothing would be left ("+", "The") keeps its words, so that different answers stay different.
    """
    words = unicodedata.normalize("NFKC", text).casefold().split()
    kept = [word for word in map(_strip, words) if word and word not in _ARTICLES]
    return " ".join(kept or words)


def _strip(word: str) -> str:
    start, end = 0, len(word)
    while end > start and _is_punctuation(word[end - 1]):
        end -= 1
    while start < end and _is_punctuation(word[start]):
        if word[start] in "+-" and word[start + 1 : start + 2].isdigit():
            break
        start += 1
    return word[start:end]


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P") or character in "`^~|<>+="


def exact_match(text: str, references: Sequence[str]) -> float:
    """1.0 if the normalised text equals any normalised reference, else 0.0."""
    return float(normalise(text) in {normalise(reference) for reference in references})


def token_f1(text: str, references: Sequence[str]) -> float:
    """The best F1 between the words of the text and those of a reference (Rajpurkar et al. 2016, section 6.1)."""
    return max((_f1(normalise(text).split(), normalise(reference).split()) for reference in references), default=0.0)


def _f1(given: list[str], wanted: list[str]) -> float:
    if not given or not wanted:
        return float(given == wanted)
    common = sum((Counter(given) & Counter(wanted)).values())
    return 2 * common / (len(given) + len(wanted))
