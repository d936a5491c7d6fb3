"""What the page's template is given: every panel and condition with its rows, numbers and plots made ready.

Knows the view and the plots. Does not know HTML tags other than the SVG that it passes on; the templates do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from isophrase.report import plots
from isophrase.report.marks import Mark, MarkCode, legend, mark_code
from isophrase.report.numbers import count, hundredths, interval
from isophrase.report.overview import Condition, conditions, why_no_gap, why_no_spread
from isophrase.report.text import Piece, shorten, wording
from isophrase.report.view import Disagreement, Panel, RunView, disagreements
from isophrase.statistics.summary import InstructionSummary
from isophrase.statistics.tables import Estimate
from isophrase.types import Example, Role

_FLIPS_SHOWN = 10
_LINE = 180


@dataclass(frozen=True)
class InstructionRow:
    """One line of a task's table of instructions."""

    row: int
    id: str
    look: Mark
    pieces: tuple[Piece, ...]
    facts: tuple[str, ...]
    mark: Markup
    summary: InstructionSummary
    spark: Markup
    unlike: int | None
    compared: int


@dataclass(frozen=True)
class AnswerGroup:
    """One answer to one example, and how many instructions got it."""

    answer: str
    rows: tuple[int, ...]
    right: bool


@dataclass(frozen=True)
class Flip:
    """An example that is answered differently under different instructions."""

    column: int
    id: str
    line: str
    gold: str
    rate: float
    groups: tuple[AnswerGroup, ...]
    bar: Markup


@dataclass(frozen=True)
class PanelPage:
    """One panel, ready for the template."""

    index: int
    anchor: str
    panel: Panel
    title: str
    subtitle: str
    facts: tuple[tuple[str, str, str], ...]
    plot: Markup
    legend: tuple[tuple[Markup, str], ...]
    rows: tuple[InstructionRow, ...]
    flips: tuple[Flip, ...]
    n_flips: int
    best: InstructionRow | None
    worst: InstructionRow | None

    @property
    def is_dense(self) -> bool:
        """Whether there are so many instructions that each is drawn once, in the plot above the table."""
        return len(self.rows) > plots.MANY

    @property
    def has_references(self) -> bool:
        return any(row.unlike is not None for row in self.rows)

    @property
    def has_unscored(self) -> bool:
        return any(row.summary.unscored > 0 for row in self.rows)


@dataclass(frozen=True)
class ConditionPage:
    """One model × shots × format, ready for the template."""

    condition: Condition
    anchor: str
    strips: Markup
    gaps: Markup | None
    why_no_gap: str
    why_no_spread: str
    references: Markup | None
    legend: tuple[tuple[Markup, str], ...]
    panels: tuple[PanelPage, ...]

    @property
    def wordings(self) -> str:
        """`18 wordings of the same question`, or a range of counts."""
        counts = sorted({len(page.panel.instructions) for page in self.panels})
        most = count(counts[-1], "wording")
        return most if len(counts) == 1 else f"{counts[0]:,} to {most}"


def condition_pages(view: RunView) -> tuple[ConditionPage, ...]:
    """All that is shown, in the order of the conditions."""
    code, limits = mark_code(view.panels), plots.domain(view.panels)
    positions = {id(panel): index for index, panel in enumerate(view.panels)}
    found = conditions(view)
    pages = []
    for place, condition in enumerate(found):
        subtitle = condition.label if len(found) > 1 else ""
        panels = tuple(_panel(panel, positions[id(panel)], code, limits, subtitle) for panel in condition.panels)
        pages.append(_condition(condition, f"c{place}", panels, code, limits))
    return tuple(pages)


def _condition(
    condition: Condition, anchor: str, pages: tuple[PanelPage, ...], code: MarkCode, limits: tuple[float, float]
) -> ConditionPage:
    rows = [plots.Row(page.title, f"#{page.anchor}", page.panel, code.of(page.panel)) for page in pages]
    has_gap = bool(condition.gaps)
    references = [row for row in rows if has_both_roles(row.panel)]
    return ConditionPage(
        condition=condition,
        anchor=anchor,
        strips=plots.strips(rows, limits, id_=f"{anchor}-strips", title="Accuracy of every wording, by task"),
        gaps=plots.gaps(rows, limits, id_=f"{anchor}-gaps") if has_gap else None,
        why_no_gap="" if has_gap else why_no_gap(condition),
        why_no_spread=why_no_spread(condition),
        references=None if has_gap or not references else plots.references(references, limits, id_=f"{anchor}-refs"),
        legend=_legend(mark for row in rows for mark in row.marks),
        panels=pages,
    )


def has_both_roles(panel: Panel) -> bool:
    """Whether a panel has scored reference instructions and scored re-phrased ones."""
    roles = {
        instruction.role is Role.REFERENCE
        for instruction, item in zip(panel.instructions, panel.summary.instructions, strict=True)
        if item.unscored < 1
    }
    return len(roles) == 2


def _legend(marks: Iterable[Mark]) -> tuple[tuple[Markup, str], ...]:
    return tuple((plots.key(mark), mark.kind) for mark in legend(marks))


def _panel(panel: Panel, index: int, code: MarkCode, limits: tuple[float, float], subtitle: str) -> PanelPage:
    anchor, marks, summary = f"p{index}", code.of(panel), panel.summary
    rows = tuple(_row(panel, row, marks[row], limits) for row in panel.ranking)
    scored = [row for row in rows if row.summary.unscored < 1]
    flips = disagreements(panel)
    return PanelPage(
        index=index,
        anchor=anchor,
        panel=panel,
        title=summary.task,
        subtitle=subtitle,
        facts=tuple(_facts(panel)),
        plot=plots.dots(
            plots.Row(summary.task, f"#{anchor}", panel, marks), limits, id_=f"{anchor}-dots", anchor=anchor
        ),
        legend=_legend(marks),
        rows=rows,
        flips=tuple(_flip(panel, item) for item in flips[:_FLIPS_SHOWN]),
        n_flips=len(flips),
        best=scored[0] if scored else None,
        worst=scored[-1] if scored else None,
    )


def lazy_rows(page: PanelPage) -> list[dict[str, Any]]:
    """The rows of a dense table as JSON-ready values, which the page's script makes rows of (`templates/rows.js`)."""
    return [
        {
            "row": row.row,
            "shape": row.look.shape,
            "tone": row.look.tone,
            "pieces": [[piece.text, piece.slot] for piece in row.pieces],
            "facts": row.facts,
            "mean": [
                None if math.isnan(share) else round(share, 4)
                for share in (row.summary.mean.value, row.summary.mean.low, row.summary.mean.high)
            ],
            "unscored": round(row.summary.unscored, 4),
            "unlike": row.unlike,
            "compared": row.compared,
        }
        for row in page.rows
    ]


def _facts(panel: Panel) -> list[tuple[str, str, str]]:
    summary = panel.summary
    estimates: list[tuple[str, Estimate, str]] = [
        ("mean", summary.mean, "%"),
        ("standard deviation", summary.std, "points"),
        ("spread", summary.spread, "points"),
        ("worst", summary.minimum, "%"),
        ("best", summary.maximum, "%"),
        ("flip rate", summary.flip_rate, "%"),
    ]
    if summary.gap is not None:
        estimates.append(("gap", summary.gap, "points"))
    facts = [(name, f"{hundredths(item.value)} {unit}", interval(item)) for name, item, unit in estimates]
    if summary.unscored.value > 0:
        facts.append(("unscored", f"{hundredths(summary.unscored.value)} %", ""))
    return facts


def _row(panel: Panel, row: int, mark: Mark, limits: tuple[float, float]) -> InstructionRow:
    instruction = panel.instructions[row]
    unlike, compared = unlike_reference(panel, row)
    facts = [instruction.collection, instruction.register, instruction.role.value]
    if instruction.language != "en":
        facts.append(instruction.language)
    if panel.table.observed is not None:
        facts.append("observed" if panel.table.observed[row] else "unobserved")
    return InstructionRow(
        row=row,
        id=instruction.id,
        look=mark,
        pieces=wording(instruction.template, _LINE),
        facts=tuple(dict.fromkeys(fact for fact in facts if fact)),
        mark=plots.key(mark),
        summary=panel.summary.instructions[row],
        spark=Markup("") if len(panel.instructions) > plots.MANY else plots.sparkline(panel, row, mark, limits),
        unlike=unlike,
        compared=compared,
    )


def unlike_reference(panel: Panel, row: int) -> tuple[int | None, int]:
    """(number of examples answered otherwise than under the instruction's own reference, number scored under both).

    The first is None where the instruction re-phrases none that is in the table.
    """
    reference = panel.instructions[row].reference
    if reference is None or reference not in panel.table.instructions:
        return None, 0
    own, other = panel.table.choices[row], panel.table.choices[panel.table.instructions.index(reference)]
    both = (own >= 0) & (other >= 0)
    return int((both & (own != other)).sum()), int(both.sum())


def _flip(panel: Panel, item: Disagreement) -> Flip:
    example = panel.examples[item.example]
    groups = tuple(
        AnswerGroup(answer, rows, bool(panel.table.values[rows[0], item.example] >= 1)) for answer, rows in item.groups
    )
    return Flip(
        column=item.example,
        id=example.id,
        line=example_line(example, _LINE),
        gold=gold_line(example),
        rate=item.rate,
        groups=groups,
        bar=plots.shares([(len(group.rows), group.right) for group in groups]),
    )


def example_line(example: Example, limit: int) -> str:
    """An example's fields in one line."""
    if len(example.fields) == 1:
        return shorten(next(iter(example.fields.values())), limit)
    return shorten("; ".join(f"{name}: {value}" for name, value in example.fields.items()), limit)


def gold_line(example: Example) -> str:
    """The right answers in one line."""
    right = [example.options[index] for index in example.gold] or list(example.references)
    return shorten(" or ".join(right), 120)
