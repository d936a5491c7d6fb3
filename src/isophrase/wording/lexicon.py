"""The words of one language by what they do in an instruction: negate, ask for a letter, speak of a kind of task.

Knows the files in `data/lexicons`, one a language. Adding a language is one file. Does not know what follows from a
word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from isophrase.sources.documents import read_yaml

_NEVER = re.compile(r"(?!)")
_UNSPACED = frozenset({"zh", "ja"})


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Patterns over text in lower case.

    Attributes:
        language: The language's tag.
        unspaced: Whether it is written without blanks, so that a word is one sign.
        negators: Words that negate what stands near them.
        privatives: Words that only take something away from the answer (`without a comment`): they refuse a form of
        answer,
            and turn no task round.
        harmless: Words near which a negation does not turn the task round (`no explanation`, `I don't know`).
        first_person: Words that make a negation one about the speaker.
        conditional: Words that open a condition (`no if it does not`).
        inverters: Words that turn a task round by themselves (`incorrect`, `opposite`).
        affirmative: What says yes.
        negative: What says no.
        alternatives: What stands between alternatives (`true or false`).
        superlatives: Comparisons that ask for something of the answers themselves (`the longest`).
        superlatives_meant: Words that make a comparison one of fitness (`most likely`).
        idioms: Phrases in which a word that asks for a form of answer means something else (`to the letter`).
        forms: Form of answer -> what asks for it.
        concepts: What a task is about, or does -> its words.
    """

    language: str
    unspaced: bool
    negators: re.Pattern[str]
    privatives: re.Pattern[str]
    harmless: re.Pattern[str]
    first_person: re.Pattern[str]
    conditional: re.Pattern[str]
    inverters: re.Pattern[str]
    affirmative: re.Pattern[str]
    negative: re.Pattern[str]
    alternatives: re.Pattern[str]
    superlatives: re.Pattern[str]
    superlatives_meant: re.Pattern[str]
    idioms: re.Pattern[str]
    forms: Mapping[str, re.Pattern[str]]
    concepts: Mapping[str, re.Pattern[str]]


def base_language(tag: str) -> str:
    """`pt` of `pt-BR`."""
    return tag.split("-", 1)[0].lower()


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a lexicon, sorted."""
    names = (entry.name for entry in (files("isophrase.data") / "lexicons").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def lexicon(language: str) -> Lexicon | None:
    """The lexicon of a language tag, or None where there is none."""
    base = base_language(language)
    if base not in languages():
        return None
    content = read_yaml(files("isophrase.data") / "lexicons" / f"{base}.yaml").content
    unspaced = base in _UNSPACED
    lists = {name: _pattern(entries, unspaced) for name, entries in content.items() if isinstance(entries, list)}
    nested = {
        name: {key: _pattern(entries, unspaced) for key, entries in content[name].items()}
        for name in ("forms", "concepts")
    }
    return Lexicon(language=base, unspaced=unspaced, forms=nested["forms"], concepts=nested["concepts"], **lists)


def _pattern(entries: Sequence[str], unspaced: bool) -> re.Pattern[str]:
    if not entries:
        return _NEVER
    texts = [_entry(str(entry).casefold(), unspaced) for entry in sorted(entries, key=len, reverse=True)]
    return re.compile("|".join(texts))


def _entry(entry: str, unspaced: bool) -> str:
    if unspaced:
        return re.escape(entry)
    stem = re.escape(entry.rstrip("*")).replace(r"\ ", r"\s+")
    end = r"\w*" if entry.endswith("*") else "" if entry.endswith("'") else r"(?!\w)"
    return rf"(?<!\w){stem}{end}"
