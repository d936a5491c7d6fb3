"""What a text says of itself: features of instructions and examples for estimates from a part of the cells.

Knows strings. Features are the leading directions of a bag of words and word pairs, so that wordings with words in
common lie near each other; no model is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from isophrase.statistics.metrics import Floats

_WORD = re.compile(r"\w+|[^\w\s]|\n")


def text_features(texts: Sequence[str], size: int = 16) -> Floats:
    """Latent semantic features of texts: leading left singular vectors of their weighted words.

    Args:
        texts: At least one.
        size: At most so many features.

    Returns:
        Shape (texts, features); centred, rows of mean squared length 1; no columns where all texts are alike.
    """
    counted = [Counter(_terms(text)) for text in texts]
    seen = Counter(term for item in counted for term in item)
    kept = [term for term, count in sorted(seen.items()) if 1 < count < len(texts)]
    if not kept:
        return np.zeros((len(texts), 0))
    place = {term: index for index, term in enumerate(kept)}
    matrix = np.zeros((len(texts), len(kept)))
    for row, item in enumerate(counted):
        for term, count in item.items():
            if term in place:
                matrix[row, place[term]] = (1.0 + np.log(count)) * np.log(len(texts) / seen[term])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(lengths > 0, lengths, 1.0)
    matrix -= matrix.mean(axis=0)
    left, weights, _ = np.linalg.svd(matrix, full_matrices=False)
    number = min(size, int((weights > 1e-9).sum()))
    found = left[:, :number] * weights[:number]
    scale = float(np.sqrt((found**2).sum(axis=1).mean()))
    return np.asarray(found / scale if scale > 0 else np.zeros((len(texts), 0)))


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]
