"""The catalogue through its own gate; what is stopped is written to its audit file, for a person to read.

python -m benchmarks.gate.catalogue       # overrides that stand there are kept
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from isophrase.paraphrase.audit import final_verdict, read_audit, write_audit
from isophrase.paraphrase.gate import Judgement, judge_all, judge_pair
from isophrase.paraphrase.pair import Pair, Verdict
from isophrase.sources.bundled import catalogue_sets, load_bundled_set
from isophrase.types import Role

AUDIT = Path(__file__).parents[2] / "src" / "isophrase" / "data" / "catalogue" / "audit.csv"
LABELS = {
    "catalogue/bbl/strategyqa": ("Yes", "No"),
    "catalogue/bbl/vitaminc_fact_verification": ("True", "False", "Neither"),
    "catalogue/bbl/winowhy": ("correct", "incorrect"),
    "catalogue/bbl/formal_fallacies_syllogisms_negation": ("valid", "invalid"),
    "catalogue/bbl/play_dialog_same_or_different": ("same", "different"),
}
"""Options of the tasks of BIG-bench Lite that have the same for all examples."""


def judged() -> Iterator[tuple[str, Judgement]]:
    """Every wording of the catalogue against its reference, controls left out."""
    for name in catalogue_sets():
        members = [item for item in load_bundled_set(name).instructions if not item.role.is_control]
        by_id = {item.id: item for item in members}
        pairs = [Pair(by_id[item.reference], item, LABELS.get(name, ())) for item in members if item.reference]
        yield from ((name, item) for item in judge_all(pairs))


def controls_judged() -> Iterator[tuple[Role, bool]]:
    """Every control against its reference, as if it claimed to be a re-phrasing: (its role, whether it would pass)."""
    for name in catalogue_sets():
        members = load_bundled_set(name).instructions
        references = [item for item in members if item.role is Role.REFERENCE]
        by_id = {item.id: item for item in members}
        for item in members:
            if item.role.is_control:
                reference = by_id.get(item.reference or "", references[0])
                claimed = replace(item, output_form=reference.output_form, language=item.language)
                judgement = judge_pair(Pair(reference, claimed, LABELS.get(name, ())))
                yield item.role, judgement.verdict is Verdict.PASS


def main() -> None:
    found = list(judged())
    stopped = [(name, item) for name, item in found if item.verdict is not Verdict.PASS]
    overrides = read_audit(AUDIT)[1] if AUDIT.exists() else {}
    write_audit(AUDIT, stopped, overrides)
    left = sum(final_verdict(item, overrides) is not Verdict.PASS for _, item in stopped)
    print(
        f"{len(found):,} wordings: {len(found) - len(stopped):,} pass by the gate alone, {len(stopped) - left:,} by a"
    )
    print(f"reader's override, {left:,} are stopped ({AUDIT.name})")
    controls = Counter(controls_judged())
    for role in sorted({role for role, _ in controls}):
        print(f"{role}: {controls[role, False]} of {controls[role, False] + controls[role, True]} controls are stopped")


if __name__ == "__main__":
    main()
