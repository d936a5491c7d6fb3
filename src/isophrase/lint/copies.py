"""Rules before measuring: wordings that are copies of each other, or made of two.

Knows how alike two texts are, letter by letter (`duplicates.py`). Each rule is one function; the table is in
`rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isophrase.duplicates import jaccard, near_duplicates
from isophrase.lint.findings import Finding, Severity, Wordings
from isophrase.wording.words import spoken

NEAR = 0.8
"""Jaccard similarity of character 5-grams from which two wordings count as one."""
_LONG = 30
"""Letters from which a text inside another one is no accident."""


def near_copies(wordings: Wordings) -> Iterator[Finding]:
    """Two wordings of a set are nearly the same."""
    templates = {item.id: item.template for item in wordings.measured}
    for one, other, similarity in near_duplicates(templates, NEAR):
        yield Finding(
            "near-copy", Severity.ERROR, f"{wordings.instructions.name}/{other}",
            f"is {similarity:.2f} like {one!r} (character 5-grams)", "reword it, or leave it out",
        )  # fmt: skip


def concatenated(wordings: Wordings) -> Iterator[Finding]:
    """A wording says everything twice, or holds another whole wording of its set."""
    texts = {item.id: _plain(item.template) for item in wordings.measured}
    for item in wordings.measured:
        text = texts[item.id]
        half = len(text) // 2
        if half >= _LONG and jaccard(text[:half], text[half:]) >= NEAR:
            yield _joined(wordings, item.id, "says the same twice")
            continue
        for other, inside in texts.items():
            if other != item.id and len(inside) >= _LONG and inside != text and inside in text:
                yield _joined(wordings, item.id, f"holds the whole of {other!r}")


def _joined(wordings: Wordings, name: str, message: str) -> Finding:
    place = f"{wordings.instructions.name}/{name}"
    return Finding("concatenated", Severity.ERROR, place, message, "keep one of the two")


def _plain(template: str) -> str:
    return re.sub(r"\s+", " ", spoken(template)).strip()
