"""Signal: the candidate is about the same task.

No model: the concepts that either wording's words stand for (`data/lexicons`) are compared. What only one of them
asks to do
(translate, count) is another task; what they ask about must meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.sources.problems import listed
from isophrase.types import OutputForm
from isophrase.wording.lexicon import Lexicon, lexicon
from isophrase.wording.words import sentences, spoken, without, words

NAME = "task"
ACTS = frozenset({"translate", "summarise", "count", "continue", "reply", "rewrite", "create", "headline"})
WEAK = frozenset({"person", "place", "date", "intent"})
"""Concepts whose words (`where`, `who`, `day`) also stand in wordings of other tasks."""
FRAME = frozenset({"answer", "class", "request", "choice_weak"})
"""Concepts of asking itself."""
_STEM = 5


def subject(pair: Pair) -> Iterator[Reason]:
    """Compare what both wordings are about, label words aside."""
    if not pair.of_candidate.known or not pair.of_reference.known:
        return
    mine, wanted = _concepts(pair, candidate=True), _concepts(pair, candidate=False)
    named = _named_labels(pair)
    acts = (mine - wanted) & ACTS
    if acts:
        yield Reason(NAME, Verdict.FAIL, f"asks to {listed(sorted(acts))}")
    free = pair.reference.output_form is OutputForm.TEXT
    # Which of them is looked for matters where a text is copied out; elsewhere such words tell nothing.
    told: frozenset[str] = frozenset() if free and wanted & WEAK else WEAK
    # A section or a subject is one more word for a class.
    told |= frozenset({"topic"}) if "class" in wanted else frozenset()
    about, asked = mine - ACTS - FRAME - told, wanted - ACTS - FRAME - told
    shared = mine & wanted - {"choice_weak"}
    if asked and about and not about & asked and not shared & ACTS:
        yield Reason(NAME, Verdict.FAIL, f"is about {listed(sorted(about))} instead of {listed(sorted(asked))}")
    elif about - asked and not shared & ACTS:
        yield Reason(NAME, Verdict.DOUBT, f"brings in {listed(sorted(about - asked))}")
    elif not shared and not named and not pair.translated and not _common_words(pair):
        yield Reason(NAME, Verdict.DOUBT, "shares no word of the task with its reference")
    if pair.of_candidate.superlative and not pair.of_reference.superlative:
        yield Reason(NAME, Verdict.DOUBT, f"asks for {pair.of_candidate.superlative!r}")


def _concepts(pair: Pair, *, candidate: bool) -> frozenset[str]:
    """The concepts of one side's text without its label words."""
    item = pair.candidate if candidate else pair.reference
    found = lexicon(item.language)
    assert found is not None, "the caller saw that the language is known"
    parts = list(sentences(without(spoken(item.template), pair.labels)))
    return frozenset(
        name for name, pattern in found.concepts.items() if any(_says(pattern, part, name, found) for part in parts)
    )


def _says(pattern: re.Pattern[str], part: str, name: str, found: Lexicon) -> bool:
    """Whether a sentence speaks of a concept; something that it says not to do (`do not rephrase`) does not count."""
    matches = list(pattern.finditer(part))
    if name not in ACTS:
        return bool(matches)
    before = [" ".join(word.text for word in words(part[: match.start()])[-2:]) for match in matches]
    return any(not found.negators.search(text) for text in before)


def _named_labels(pair: Pair) -> bool:
    """Whether the candidate names every label, which says much about what is asked."""
    if not pair.labels or pair.candidate.output_form is OutputForm.LETTER:
        return False
    text = spoken(pair.candidate.template)
    return all(label.casefold() in text for label in pair.labels)


def _common_words(pair: Pair) -> bool:
    stems = [
        {word.text[:_STEM] for word in words(spoken(item.template)) if len(word.text) >= _STEM}
        for item in (pair.reference, pair.candidate)
    ]
    return bool(stems[0] & stems[1])
