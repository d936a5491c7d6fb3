"""How alike two wordings are, letter by letter.

Knows character n-grams of template text. Does not know what a wording means: near duplicates are about copies, not
about meaning.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

_SIZE = 5
_SLOT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_SPACE = re.compile(r"\s+")


def shingles(template: str) -> frozenset[str]:
    """The character 5-grams of a template, in lower case, without its slots; a shorter text is one gram."""
    text = _SPACE.sub(" ", _SLOT.sub(" ", template)).strip().casefold()
    return frozenset(text[start : start + _SIZE] for start in range(max(1, len(text) - _SIZE + 1)))


def jaccard(one: str, other: str) -> float:
    """Jaccard similarity of two templates' 5-grams: 0 nothing in common, 1 the same letters (Broder 1997)."""
    return _jaccard(shingles(one), shingles(other))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def near_duplicates(templates: Mapping[str, str], threshold: float = 0.8) -> list[tuple[str, str, float]]:
    """All pairs of a set that are at least so alike.

    Args:
        templates: Template text by id.
        threshold: Jaccard similarity from which two count as near duplicates.

    Returns:
        (id, id, similarity), most alike first.
    """
    grams = {name: shingles(text) for name, text in templates.items()}
    pairs = [(a, b, _jaccard(grams[a], grams[b])) for a, b in itertools.combinations(grams, 2)]
    return _alike(pairs, threshold)


def near_duplicates_between(
    left: Mapping[str, str], right: Mapping[str, str], threshold: float = 0.8
) -> list[tuple[str, str, float]]:
    """All pairs of a member of `left` and one of `right` that are at least so alike, most alike first."""
    lefts, rights = ({name: shingles(text) for name, text in side.items()} for side in (left, right))
    pairs = [(a, b, _jaccard(gram, other)) for a, gram in lefts.items() for b, other in rights.items()]
    return _alike(pairs, threshold)


def _alike(pairs: Sequence[tuple[str, str, float]], threshold: float) -> list[tuple[str, str, float]]:
    return sorted((pair for pair in pairs if pair[2] >= threshold), key=lambda pair: -pair[2])
