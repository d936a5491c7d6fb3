"""The words that do it: a wording with one of its fragments left out, to be measured again.

Knows how a template falls into fragments that may be left out: sentences and lines without a slot, other than the
user's own
instruction. What leaving one out changes is measured, not guessed from the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from isophrase.duplicates import jaccard
from isophrase.types import Instruction

_PIECE = re.compile(r"[^\n.!?]*[.!?]+[\"”»']?(?=\s|$)|[^\n]+", re.MULTILINE)
_MOST = 4
_SAME = 0.6
"""Likeness from which a piece is the user's own sentence."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a wording that may be left out.

    Attributes:
        of: The id of the wording.
        text: The piece.
        instruction: The wording without it.
    """

    of: str
    text: str
    instruction: Instruction


def fragments(instruction: Instruction, own: str) -> Iterator[Fragment]:
    """The wording without each of its fragments in turn, longest first, at most four.

    Args:
        instruction: The wording.
        own: The user's own sentence, which stays.
    """
    template = instruction.template
    pieces = [match for match in _PIECE.finditer(template) if _removable(match[0], own)]
    for number, match in enumerate(sorted(pieces, key=lambda item: -len(item[0]))[:_MOST], start=1):
        left = template[: match.start()] + template[match.end() :]
        left = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]{2,}", " ", left)).lstrip("\n")
        changed = replace(
            instruction, id=f"{instruction.id}.without-{number}", template=left, reference=None, collection="fragments"
        )
        yield Fragment(instruction.id, match[0].strip(), changed)


def worst_first(differences: Sequence[float], most: int) -> list[int]:
    """The places of the most negative differences, at most so many; those that do no harm are left out."""
    ranked = sorted((value, place) for place, value in enumerate(differences) if value < 0)
    return [place for _, place in ranked[:most]]


def _removable(piece: str, own: str) -> bool:
    text = piece.strip()
    return bool(re.search(r"\w", text)) and "{" not in text and "}" not in text and not _holds(text, own)


def _holds(text: str, own: str) -> bool:
    return own in text or text in own or jaccard(text, own) >= _SAME
