"""Signal: nothing turns the task round that does not turn the reference's round too: negations, `wrong`, `opposite`."""

from __future__ import annotations

from collections.abc import Iterator

from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.sources.problems import listed

NAME = "negation"


def polarity(pair: Pair) -> Iterator[Reason]:
    """Compare what turns either wording round."""
    found, wanted = pair.of_candidate, pair.of_reference
    if not found.known or not wanted.known:
        return
    if found.turns and not wanted.turns:
        yield Reason(NAME, Verdict.FAIL, f"turns the task round ({listed(map(repr, dict.fromkeys(found.turns)))})")
    elif wanted.turns and not found.turns:
        lost = listed(map(repr, dict.fromkeys(wanted.turns)))
        yield Reason(NAME, Verdict.FAIL, f"lacks what turns the reference round ({lost})")
