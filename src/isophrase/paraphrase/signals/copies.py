"""Signal: the candidate is no near copy of its reference."""

from __future__ import annotations

from collections.abc import Iterator

from isophrase.duplicates import jaccard
from isophrase.paraphrase.pair import Pair, Reason, Verdict

NAME = "copy"
NEAR = 0.8
"""Jaccard similarity of character 5-grams from which two wordings count as one."""


def copies(pair: Pair) -> Iterator[Reason]:
    """Compare the letters of both."""
    similarity = jaccard(pair.reference.template, pair.candidate.template)
    if similarity >= NEAR:
        yield Reason(NAME, Verdict.FAIL, f"is {similarity:.2f} like its reference")
