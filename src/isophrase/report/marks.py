"""The visual code: which shape and which tone an instruction has in every plot of a report.

Shape tells the collection (a diamond: a reference), tone tells observed from unobserved, or, where that is unknown,
reference from re-phrased; unobserved marks are hollow besides. So nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isophrase.report.view import Panel
from isophrase.types import Role

SHAPES = {
    "circle": "M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0-9.2 0z",
    "diamond": "M0-6.2L6.2 0L0 6.2L-6.2 0z",
    "square": "M-4.2-4.2h8.4v8.4h-8.4z",
    "triangle": "M0-5.4L5.2 4H-5.2z",
    "wedge": "M0 5.4L5.2-4H-5.2z",
    "plus": "M-1.7-5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z",
    "hexagon": "M-5.2 0L-2.6-4.5H2.6L5.2 0L2.6 4.5H-2.6z",
}
"""Name -> path data around (0, 0), in pixels."""

_COLLECTION_SHAPES = [name for name in SHAPES if name != "diamond"]
_OTHERS = "other collections"


@dataclass(frozen=True, slots=True)
class Mark:
    """How one instruction is drawn.

    Attributes:
        shape: A key of `SHAPES`.
        tone: `observed`, `unobserved`, `reference` or `rephrased`.
        kind: What shape and tone mean, for a legend.
    """

    shape: str
    tone: str
    kind: str


@dataclass(frozen=True)
class MarkCode:
    """The code of a whole report: the same collection has the same shape on every panel."""

    shapes: dict[str, str]

    def of(self, panel: Panel) -> tuple[Mark, ...]:
        """The mark of every row of a panel."""
        observed = panel.table.observed
        return tuple(
            self._mark(item.collection, item.role, None if observed is None else bool(observed[row]))
            for row, item in enumerate(panel.instructions)
        )

    def _mark(self, collection: str, role: Role, observed: bool | None) -> Mark:
        is_reference = role is Role.REFERENCE
        shape = "diamond" if is_reference else self.shapes.get(collection, _COLLECTION_SHAPES[-1])
        name = collection if collection in self.shapes else _OTHERS
        what = "reference" if is_reference else f"re-phrased, {name}"
        if observed is None:
            return Mark(shape, "reference" if is_reference else "rephrased", what)
        seen = "observed" if observed else "unobserved"
        return Mark(shape, seen, f"{what}, {seen}")


def mark_code(panels: Iterable[Panel]) -> MarkCode:
    """Give each collection of re-phrasings a shape, in order of appearance; the last shape stands for all others."""
    names = dict.fromkeys(
        item.collection for panel in panels for item in panel.instructions if item.role is not Role.REFERENCE
    )
    kept = list(names) if len(names) <= len(_COLLECTION_SHAPES) else list(names)[: len(_COLLECTION_SHAPES) - 1]
    return MarkCode(dict(zip(kept, _COLLECTION_SHAPES, strict=False)))


def legend(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """The different marks that occur, references first, then in order of appearance."""
    return tuple(sorted(dict.fromkeys(marks), key=lambda mark: mark.shape != "diamond"))
