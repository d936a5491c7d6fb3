"""What a wording says, read from its words: what turns it round, which form of answer it asks for, what it is about.

Knows a language's lexicon and windows of words. It is no understanding: `paraphrase/` and `lint/` weigh what is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from isophrase.prompts import template_variables
from isophrase.wording.lexicon import Lexicon, lexicon
from isophrase.wording.words import Word, sentences, spoken, without, words

_AFTER, _BEFORE, _CONDITION, _PAIR = 3, 3, 8, 7
_WIDER = 3
"""Signs in an unspaced script that make up for one word."""


@dataclass(frozen=True, slots=True)
class Sense:
    """What a wording says.

    Attributes:
        text: Its text without slots, in lower case.
        slots: The names that its template uses.
        turns: The words that turn its task round, as they stand there.
        asked: Forms of answer that it asks for.
        refused: Forms of answer that it asks to leave away.
        concepts: What it is about.
        superlative: The word by which it asks for the longest, the most, … ; empty: none.
        known: Whether its language has a lexicon; without one, only `text` and `slots` are filled.
    """

    text: str
    slots: frozenset[str]
    turns: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    concepts: frozenset[str] = frozenset()
    superlative: str = ""
    known: bool = False


@lru_cache(maxsize=8192)
def sense(template: str, language: str, labels: tuple[str, ...] = ()) -> Sense:
    """Read a wording.

    Args:
        template: Its template.
        language: Its language.
        labels: The task's label words: `no` as an answer negates nothing.

    Raises:
        TemplateError: The template is not Jinja2.
    """
    text = spoken(template)
    slots = template_variables(template)
    found = lexicon(language)
    if found is None:
        return Sense(text, slots)
    bare = without(text, labels)
    plain = found.forms["yes_no"].sub("‹›", bare)
    asked, refused = _forms(found.idioms.sub("‹›", bare), found)
    concepts = frozenset(name for name, pattern in found.concepts.items() if pattern.search(text))
    return Sense(
        text=text,
        slots=slots,
        turns=tuple(word for part in sentences(plain) for word in _turns(part, found)),
        asked=asked,
        refused=refused - asked,
        concepts=concepts,
        superlative=next((word for part in sentences(plain) for word in _superlatives(part, found)), ""),
        known=True,
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """The words of a sentence, to look around in."""

    text: str
    words: tuple[Word, ...]
    scale: int

    def around(self, match: re.Match[str], before: int, after: int) -> str:
        """The text from so many words before a match to so many after it."""
        inside = [i for i, word in enumerate(self.words) if word.stop > match.start() and word.start < match.end()]
        if not inside:
            return match[0]
        first = max(0, inside[0] - before * self.scale)
        last = min(len(self.words) - 1, inside[-1] + after * self.scale)
        return self.text[self.words[first].start : self.words[last].stop]


def _window(part: str, found: Lexicon) -> _Window:
    return _Window(part, words(part), _WIDER if found.unspaced else 1)


def _turns(part: str, found: Lexicon) -> Iterator[str]:
    """The words of one sentence that turn what it asks for round."""
    window = _window(part, found)
    for match in found.negators.finditer(part):
        near = window.around(match, _BEFORE, _AFTER)
        spoken_of = window.around(match, _BEFORE, 2)
        if found.harmless.search(near) or found.first_person.search(spoken_of):
            continue
        if found.conditional.search(window.around(match, _CONDITION, 0)):
            continue
        if found.alternatives.search(window.around(match, 1, 0)):
            continue  # `or not?`
        yield match[0]
    for match in found.inverters.finditer(part):
        near = window.around(match, _PAIR, _PAIR)
        pair = found.alternatives.search(near) and found.affirmative.search(near)
        if not pair and not found.conditional.search(window.around(match, _CONDITION, 0)):
            yield match[0]


def _forms(text: str, found: Lexicon) -> tuple[frozenset[str], frozenset[str]]:
    asked: set[str] = set()
    refused: set[str] = set()
    for part in sentences(text):
        window = _window(part, found)
        for name, pattern in found.forms.items():
            for match in pattern.finditer(part):
                near = window.around(match, _BEFORE, 2 if found.language in ("tr", "ja") else 0)
                refuses = found.negators.search(near) or found.privatives.search(near)
                (refused if refuses else asked).add(name)
    return frozenset(asked), frozenset(refused)


def _superlatives(part: str, found: Lexicon) -> Iterator[str]:
    window = _window(part, found)
    for match in found.superlatives.finditer(part):
        if not found.superlatives_meant.search(window.around(match, 1, 3)):
            yield match[0]
