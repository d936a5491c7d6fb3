"""The audit file: every verdict with its reasons, as a table that a person edits.

Knows the columns. A person writes `pass` or `fail` under `override`; an override holds as long as the wording's text
is the
same, whatever the gate says later.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from isophrase.errors import SourceError
from isophrase.files import write_atomically
from isophrase.paraphrase.gate import Judgement
from isophrase.paraphrase.pair import Verdict
from isophrase.sources.problems import Problems
from isophrase.sources.tables import read_table
from isophrase.types import digest

COLUMNS = (
    "set", "id", "reference", "language", "register", "verdict", "reasons", "override", "by", "note", "template",
    "digest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Override:
    """What a person decided.

    Attributes:
        verdict: `pass` or `fail`.
        by: Who.
        note: Why.
    """

    verdict: Verdict
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an audit file.

    Attributes:
        set: Name of the set.
        id: The candidate's id.
        verdict: What the gate said.
        override: What a person said, or None.
    """

    set: str
    id: str
    verdict: Verdict
    override: Override | None

    @property
    def final(self) -> Verdict:
        """The person's word, else the gate's."""
        return self.override.verdict if self.override is not None else self.verdict


def template_key(template: str) -> str:
    """What ties an override to a text: the first half of its digest."""
    return digest(template)[:32]


def write_audit(path: Path, judged: Iterable[tuple[str, Judgement]], earlier: Mapping[str, Override]) -> None:
    """Write an audit file; overrides of an earlier one are kept where the text is the same.

    Args:
        path: Where to.
        judged: (name of the set, judgement).
        earlier: Overrides by `template_key`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for name, item in judged:
        candidate, key = item.pair.candidate, template_key(item.pair.candidate.template)
        kept = earlier.get(key)
        person = (kept.verdict.value, kept.by, kept.note) if kept is not None else ("", "", "")
        writer.writerow(
            (
                name, candidate.id, item.pair.reference.id, candidate.language, candidate.register, item.verdict.value,
                "; ".join(map(str, item.reasons)), *person, candidate.template, key,
            )
        )  # fmt: skip
    write_atomically(path, text.getvalue().encode())


def read_audit(path: Path) -> tuple[tuple[Entry, ...], dict[str, Override]]:
    """The lines of an audit file, and the overrides by `template_key`.

    Raises:
        SourceError: It can't be read, or is no audit file.
        ManyErrors: Values that can't be used, with lines.
    """
    if path.is_file() and path.read_text(encoding="utf-8").strip() == ",".join(COLUMNS):
        return (), {}  # nothing was judged
    problems = Problems(str(path))
    table = read_table(path, problems)
    missing = [name for name in ("set", "id", "verdict", "override", "digest") if name not in table.columns]
    if missing:
        raise SourceError(
            f"an audit file with the columns {', '.join(COLUMNS)}",
            got=f"{path} without {', '.join(missing)}", remedy="write it with `isophrase paraphrase --audit`",
        )  # fmt: skip
    entries, overrides = [], {}
    for row in table.rows:
        verdict = _verdict(row.values["verdict"], row.place, "verdict", tuple(Verdict), problems)
        said = str(row.values["override"]).strip()
        override = None
        if said:
            chosen = _verdict(said, row.place, "override", (Verdict.PASS, Verdict.FAIL), problems)
            override = Override(chosen, str(row.values.get("by", "")), str(row.values.get("note", "")))
            overrides[str(row.values["digest"])] = override
        entries.append(Entry(str(row.values["set"]), str(row.values["id"]), verdict, override))
    problems.check()
    return tuple(entries), overrides


def final_verdict(judgement: Judgement, overrides: Mapping[str, Override]) -> Verdict:
    """A person's word where there is one for this very text, else the gate's."""
    kept = overrides.get(template_key(judgement.pair.candidate.template))
    return kept.verdict if kept is not None else judgement.verdict


def _verdict(value: object, place: str, column: str, allowed: tuple[Verdict, ...], problems: Problems) -> Verdict:
    text = str(value).strip().lower()
    if text not in allowed:
        problems.add(place, f"{column}: expected {' or '.join(allowed)}; got {text!r}; correct it")
        return Verdict.DOUBT
    return Verdict(text)
