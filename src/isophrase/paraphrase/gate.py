"""The gate: which candidates may stand for their reference.

Knows the table of signals and how their reasons become a verdict. To add a signal: one file in `signals/`, one line in
`SIGNALS`, one test. Without a model it needs no network; a judge (`judge.py`) adds its own reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from isophrase.duplicates import jaccard
from isophrase.paraphrase.pair import Pair, Reason, Signal, Verdict
from isophrase.paraphrase.signals.copies import NAME as COPY
from isophrase.paraphrase.signals.copies import NEAR, copies
from isophrase.paraphrase.signals.form import form
from isophrase.paraphrase.signals.labels import bindings, labels_kept
from isophrase.paraphrase.signals.polarity import polarity
from isophrase.paraphrase.signals.slots import slots
from isophrase.paraphrase.signals.subject import subject
from isophrase.paraphrase.signals.tongue import tongue

SIGNALS: Sequence[Signal] = (slots, labels_kept, bindings, form, tongue, polarity, subject, copies)


class Judge(Protocol):
    """A model that weighs pairs; its reasons are added to those of the signals."""

    def weigh(self, pairs: Sequence[Pair]) -> list[tuple[Reason, ...]]:
        """For each pair what speaks against it, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of one candidate.

    Attributes:
        pair: What was weighed.
        verdict: `fail` if any reason fails it, else `doubt` if any doubts it, else `pass`.
        reasons: What speaks against it.
    """

    pair: Pair
    verdict: Verdict
    reasons: tuple[Reason, ...]


def judge_pair(pair: Pair, signals: Sequence[Signal] = SIGNALS) -> Judgement:
    """Weigh one candidate by the signals alone.

    Args:
        pair: Reference and candidate.
        signals: Which signals are asked.
    """
    return _judgement(pair, tuple(reason for signal in signals for reason in signal(pair)))


def judge_all(
    pairs: Sequence[Pair], *, judge: Judge | None = None, signals: Sequence[Signal] = SIGNALS
) -> list[Judgement]:
    """Weigh candidates together: a near copy of an earlier candidate that passed fails too.

    Args:
        pairs: Candidates with their references; earlier ones are preferred.
        judge: A model that is asked about those that the signals do not fail.
        signals: Which signals are asked.
    """
    found = [judge_pair(pair, signals) for pair in pairs]
    if judge is not None:
        asked = [index for index, item in enumerate(found) if item.verdict is not Verdict.FAIL]
        for index, reasons in zip(asked, judge.weigh([pairs[index] for index in asked]), strict=True):
            found[index] = _judgement(pairs[index], (*found[index].reasons, *reasons))
    kept: list[Judgement] = []
    for item in found:
        kept.append(item if item.verdict is Verdict.FAIL else _against_copies(item, kept))
    return kept


def _against_copies(item: Judgement, earlier: Sequence[Judgement]) -> Judgement:
    for other in earlier:
        if other.verdict is Verdict.FAIL:
            continue
        similarity = jaccard(other.pair.candidate.template, item.pair.candidate.template)
        if similarity >= NEAR:
            reason = Reason(COPY, Verdict.FAIL, f"is {similarity:.2f} like {other.pair.candidate.id!r}")
            return _judgement(item.pair, (*item.reasons, reason))
    return item


def _judgement(pair: Pair, reasons: tuple[Reason, ...]) -> Judgement:
    verdicts = {reason.verdict for reason in reasons}
    verdict = next((item for item in (Verdict.FAIL, Verdict.DOUBT) if item in verdicts), Verdict.PASS)
    return Judgement(pair, verdict, reasons)
