"""Signal: the candidate is in the language that it says."""

from __future__ import annotations

from collections.abc import Iterator

from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.wording.language import behind, detect
from isophrase.wording.lexicon import base_language
from isophrase.wording.words import spoken, without

NAME = "language"
FAR, NEAR = 0.30, 0.12
"""Nats an n-gram by which another language must be likelier, to fail and to doubt."""


def tongue(pair: Pair) -> Iterator[Reason]:
    """Compare the declared language with the likeliest one."""
    text = without(spoken(pair.candidate.template), pair.labels)
    declared = base_language(pair.candidate.language)
    margin = behind(text, declared)
    if margin <= NEAR:
        return
    guess = detect(text)
    assert guess is not None, "a text that is behind in one language has a likeliest one"
    verdict = Verdict.FAIL if margin > FAR else Verdict.DOUBT
    yield Reason(NAME, verdict, f"reads like {guess.language!r} and says {pair.candidate.language!r}")
