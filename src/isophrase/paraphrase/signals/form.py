"""Signal: the candidate asks for the same form of answer."""

from __future__ import annotations

from collections.abc import Iterator

from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.sources.problems import listed
from isophrase.types import OutputForm

NAME = "form"
_FINE = {
    OutputForm.LETTER: frozenset({"title", "letter", "word"}),
    OutputForm.LABEL: frozenset({"title", "word", "full", "sentence"}),
    OutputForm.TEXT: frozenset({"title", "full"}),
}
"""What a wording may also say where such an answer is wanted: an option may be a sentence or one word."""


def form(pair: Pair) -> Iterator[Reason]:
    """Compare the forms of answer that both ask for, and their declared output forms."""
    if pair.candidate.output_form is not pair.reference.output_form:
        yield Reason(
            NAME, Verdict.FAIL,
            f"has output form {pair.candidate.output_form.value} instead of {pair.reference.output_form.value}",
        )  # fmt: skip
    found, wanted = pair.of_candidate, pair.of_reference
    if not found.known:
        return
    new = found.asked - wanted.asked - _FINE[pair.reference.output_form]
    letter = pair.reference.output_form is OutputForm.LETTER
    if new:
        yield Reason(NAME, Verdict.FAIL, f"asks for another form of answer ({listed(sorted(new))})")
    if letter and "letter" in found.refused:
        yield Reason(NAME, Verdict.FAIL, "refuses the letter that the reference asks for")
    elif letter and "letter" in wanted.asked and "letter" not in found.asked:
        yield Reason(NAME, Verdict.DOUBT, "does not say that a letter is wanted")
