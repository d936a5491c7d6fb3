"""Signal: the label words are kept, and each is still bound to the same case.

A wording may list its labels in any order; where it says *when* to write which (`yes if …, no if …`), the cases are
compared with the labels and with the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.sources.problems import listed
from isophrase.types import OutputForm
from isophrase.wording.lexicon import Lexicon, lexicon
from isophrase.wording.words import sentences, spoken, words

NAME = "labels"
_NOT = ("in", "un", "im", "ir", "non", "not ")
_COGNATE = 4
"""Letters that a word and a label must share at their beginning to be of one family."""


def labels_kept(pair: Pair) -> Iterator[Reason]:
    """Every label that the reference names is named, unless the options are listed."""
    if not pair.labels or pair.candidate.output_form is OutputForm.LETTER or "options" in pair.of_candidate.slots:
        return
    before, after = spoken(pair.reference.template), spoken(pair.candidate.template)
    missing = [label for label in pair.labels if _find(label, before) and not _find(label, after)]
    if missing:
        yield Reason(NAME, Verdict.FAIL, f"leaves out the label{'s' * (len(missing) > 1)} {listed(map(repr, missing))}")


@dataclass(frozen=True, slots=True)
class _Bound:
    """A label with the words that say when to write it."""

    label: str
    case: str


def bindings(pair: Pair) -> Iterator[Reason]:
    """Where the candidate says when to write which label, the cases are the right ones."""
    found = lexicon(pair.candidate.language)
    if not pair.labels or found is None:
        return
    for part in sentences(spoken(pair.candidate.template).replace(";", ",")):
        bound = _bound(part, pair.labels, found)
        if bound:
            yield from _weigh(bound, pair, found)


def _bound(part: str, labels: tuple[str, ...], found: Lexicon) -> list[_Bound]:
    """The labels of one sentence with their cases; empty where it binds none."""
    marks = sorted((match.start(), match.end(), label) for label in labels for match in _matches(label, part))
    opened = found.conditional.search(part)
    if len(marks) < 2 or opened is None or _only_listed(part, marks, found):
        return []
    after = marks[0][0] < opened.start()
    edges = [0, *(stop for _, stop, _ in marks)] if not after else [*(start for start, _, _ in marks), len(part)]
    return [_Bound(label, part[edges[i] : edges[i + 1]]) for i, (_, _, label) in enumerate(marks)]


def _only_listed(part: str, marks: list[tuple[int, int, str]], found: Lexicon) -> bool:
    """Whether the labels stand side by side: `positive, negative or neutral`."""
    between = [part[one[1] : other[0]] for one, other in pairwise(marks)]
    return all(len(words(text)) <= 3 and not found.conditional.search(text) for text in between)


def _weigh(bound: list[_Bound], pair: Pair, found: Lexicon) -> Iterator[Reason]:
    for item in bound:
        others = [label for label in pair.labels if label != item.label]
        text = _without_label(item)
        if any(_cognate(label, text) for label in others) and not _cognate(item.label, text):
            yield Reason(NAME, Verdict.FAIL, f"binds {item.label!r} to a case that speaks of another label")
            return
    if all(_cognate(item.label, _without_label(item)) for item in bound):
        return
    yes = [item for item in bound if _affirms(item.label, pair.labels, found)]
    no = [item for item in bound if _denies(item.label, pair.labels, found)]
    if not yes or not no:
        yield Reason(NAME, Verdict.DOUBT, "says itself when to write which label")
        return
    likeness = [_likeness(item[0].case, pair, found) for item in (yes, no)]
    if likeness[0] < likeness[1]:
        yield Reason(NAME, Verdict.FAIL, f"binds {no[0].label!r} to what the reference asks about")
    elif likeness[0] == likeness[1]:
        yield Reason(NAME, Verdict.DOUBT, "says itself when to write which label")


def _denies(label: str, labels: tuple[str, ...], found: Lexicon) -> bool:
    """Whether a label says no, or is another label with a prefix that negates it (`invalid`)."""
    text, others = label.casefold(), {other.casefold() for other in labels}
    return bool(found.negative.fullmatch(text)) or any(text == prefix + other for prefix in _NOT for other in others)


def _affirms(label: str, labels: tuple[str, ...], found: Lexicon) -> bool:
    """Whether a label says yes, or is what another label negates."""
    text, others = label.casefold(), {other.casefold() for other in labels}
    return bool(found.affirmative.fullmatch(text)) or any(prefix + text in others for prefix in _NOT)


def _likeness(case: str, pair: Pair, found: Lexicon) -> float:
    """How much a case speaks of what the reference asks about, less where it is negated or the rest of the cases."""
    reference = spoken(pair.reference.template)
    common = {word.text[:5] for word in words(case) if len(word.text) > 3}
    asked = {word.text[:5] for word in words(reference) if len(word.text) > 3}
    inside = re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, pair.labels))})(?!\w)", " ", case, flags=re.IGNORECASE)
    against = found.negators.search(inside) or found.inverters.search(inside) or len(words(inside)) <= 2
    return len(common & asked) - (10.0 if against else 0.0)


def _without_label(item: _Bound) -> str:
    return re.sub(rf"(?<!\w){re.escape(item.label.casefold())}(?!\w)", " ", item.case, count=1)


def _cognate(label: str, text: str) -> bool:
    """Whether the text holds the label or a word of its family (`alegría` and `alegre`)."""
    stem = label.casefold()[: max(_COGNATE, len(label) - 3)] if len(label) > _COGNATE else label.casefold()
    return any(word.text.startswith(stem) for word in words(text))


def _find(label: str, text: str) -> bool:
    return next(_matches(label, text), None) is not None


def _matches(label: str, text: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"(?<!\w){re.escape(label.casefold())}(?!\w)", text)
