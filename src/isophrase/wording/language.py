"""Which language a text is in, without a network: character n-grams against samples of our own.

Knows the samples in `data/languages`, one file a language. Adding a language is one file. Short texts are left unknown.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from isophrase.wording.words import spoken

SHORTEST = 24
"""Letters below which nothing is said; three for each sign of Chinese or Japanese."""
_SIZES = (1, 2, 3)
_LETTERS = re.compile(r"[^\W\d_]")
_SIGNS = re.compile(r"[぀-ヿ㐀-鿿]")
_UNSEEN = 0.5
"""Count of an n-gram that a sample lacks (Jeffreys' prior)."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A language with what speaks for it.

    Attributes:
        language: The tag.
        margin: Mean log-likelihood of the text's n-grams above that of the next best language, natural logarithm.
    """

    language: str
    margin: float


@cache
def samples() -> Mapping[str, str]:
    """The sample text of each language, by tag."""
    folder = files("isophrase.data") / "languages"
    return {
        entry.name.removesuffix(".txt"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda item: item.name)
        if entry.name.endswith(".txt")
    }


def likelihoods(text: str) -> dict[str, float]:
    """For each language the mean log-likelihood of the text's n-grams (naive Bayes; Cavnar and Trenkle 1994).

    Returns:
        By language tag; empty where the text is too short to say anything.
    """
    grams = Counter(_grams(spoken(text)))
    if _weight(spoken(text)) < SHORTEST:
        return {}
    total = sum(grams.values())
    found = {}
    for language, (counts, size) in _profiles().items():
        score = sum(number * math.log((counts.get(gram, 0) + _UNSEEN) / size) for gram, number in grams.items())
        found[language] = score / total
    return found


def detect(text: str) -> Guess | None:
    """The likeliest language of a text (slots are passed over), or None where it is too short."""
    ranked = sorted(likelihoods(text).items(), key=lambda item: -item[1])
    if not ranked:
        return None
    return Guess(ranked[0][0], ranked[0][1] - ranked[1][1] if len(ranked) > 1 else math.inf)


def behind(text: str, language: str) -> float:
    """How much less likely a text is in this language than in the likeliest one; 0 where nothing can be said."""
    found = likelihoods(text)
    return max(found.values()) - found[language] if language in found else 0.0


def _weight(text: str) -> int:
    return len(_LETTERS.findall(text)) + 2 * len(_SIGNS.findall(text))


def _grams(text: str) -> list[str]:
    marked = " ".join(re.findall(r"[^\W\d_]+", text))
    padded = f" {marked} "
    return [padded[start : start + size] for size in _SIZES for start in range(len(padded) - size + 1)]


@cache
def _profiles() -> dict[str, tuple[Counter[str], float]]:
    counted = {language: Counter(_grams(spoken(text))) for language, text in samples().items()}
    kinds = len(set().union(*counted.values()))
    return {language: (counts, sum(counts.values()) + _UNSEEN * kinds) for language, counts in counted.items()}
