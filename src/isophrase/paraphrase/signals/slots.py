"""Signal: every slot of the reference is kept, and none is added."""

from __future__ import annotations

from collections.abc import Iterator

from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.sources.problems import listed
from isophrase.types import OutputForm
from isophrase.wording.words import spoken

NAME = "slots"


def slots(pair: Pair) -> Iterator[Reason]:
    """Compare the names that both templates use.

    A list of options may be replaced by naming every label, and the other way round.
    """
    kept, wanted = pair.of_candidate.slots, pair.of_reference.slots
    missing, added = wanted - kept, kept - wanted
    if pair.labels and pair.candidate.output_form is not OutputForm.LETTER:
        text = spoken(pair.candidate.template)
        if all(label.casefold() in text for label in pair.labels):
            missing -= {"options"}
        added -= {"options"}
    if missing:
        yield Reason(NAME, Verdict.FAIL, f"leaves out {listed(sorted(missing))}")
    if added:
        yield Reason(NAME, Verdict.FAIL, f"adds {listed(sorted(added))}")
