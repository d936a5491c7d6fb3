"""How text that came from a model, a data set or a user is made fit to be shown: as text, and all of it visible.

Knows Unicode and the slots of a template. Does not escape for HTML or for a terminal: that is done where text is put
into either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*(code for code in range(0x20) if code not in (0x09, 0x0A)), *range(0x7F, 0xA0))
_SURROGATES = range(0xD800, 0xE000)
_VISIBLE = {code: f"⟨U+{code:04X}⟩" for code in (*_BIDI, *_CONTROLS, *_SURROGATES)}
_SLOT = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_LOGIC = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a wording: plain words, or the name of what a slot is filled with."""

    text: str
    slot: bool


def visible(text: str) -> str:
    """The text with every bidi control, control character and lone surrogate written out, as in `⟨U+202E⟩`.

    Line feeds and tabs stay; the result can be encoded in UTF-8 and does not reorder what stands around it.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def shorten(text: str, limit: int) -> str:
    """One line of at most `limit` characters, cut with an ellipsis."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def wording(template: str, limit: int) -> tuple[Piece, ...]:
    """The beginning of a template as words and slots, without line breaks and Jinja2 statements.

    Args:
        template: Jinja2 text.
        limit: About how many characters to keep.
    """
    line = " ".join(_LOGIC.sub(" ", visible(template)).split())
    pieces, used, end = [], 0, 0
    for match in _SLOT.finditer(line):
        pieces += [Piece(line[end : match.start()], slot=False), Piece(match[1], slot=True)]
        end = match.end()
    pieces.append(Piece(line[end:], slot=False))
    kept = []
    for piece in pieces:
        room = limit - used
        if room <= 0:
            break
        text = piece.text if len(piece.text) <= room else piece.text[: max(1, room - 1)].rstrip() + "…"
        used += len(piece.text)
        if text:
            kept.append(Piece(text, piece.slot))
    return tuple(kept)


def wording_line(template: str, limit: int) -> str:
    """The same as one string, slots as `‹name›`."""
    return "".join(f"‹{piece.text}›" if piece.slot else piece.text for piece in wording(template, limit))
