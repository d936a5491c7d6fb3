"""How well the gate tells true re-phrasings from damaged ones.

python -m benchmarks.gate                 # both halves; the held-out one is what counts
python -m benchmarks.gate --embedding     # beside the gate that knows embeddings only (about a minute)
python -m benchmarks.gate --judge MODEL   # with a model as a judge of what passes
python -m benchmarks.gate --errors        # each pair of the development half that is judged wrongly
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.gate.pairs import HALVES, KINDS, SAME, Case, read_cases
from isophrase.paraphrase.gate import judge_pair
from isophrase.paraphrase.pair import Verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedding", action="store_true")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--judge", default="", help="a model that weighs what the signals let through")
    asked = parser.parse_args()
    cases = {half: read_cases(half) for half in HALVES}
    columns = {"gate": {half: [passes(case) for case in cases[half]] for half in HALVES}}
    if asked.embedding:
        columns["embedding only"] = by_embedding(cases)
    if asked.judge:
        columns[f"gate and {asked.judge}"] = judged(cases, columns["gate"], asked.judge)
    for half in HALVES:
        show(half, cases[half], {name: column[half] for name, column in columns.items()})
    if asked.errors:
        errors(cases["development"])


def passes(case: Case) -> bool:
    """Whether the default gate lets a pair through: no network, no model."""
    return judge_pair(case.pair).verdict is Verdict.PASS


def quality(cases: Sequence[Case], accepted: Sequence[bool]) -> tuple[float, float]:
    """Precision and recall of what is let through."""
    right = sum(ok for case, ok in zip(cases, accepted, strict=True) if case.kind == SAME)
    true = sum(case.kind == SAME for case in cases)
    return right / max(sum(accepted), 1), right / true


def by_embedding(cases: dict[str, list[Case]]) -> dict[str, list[bool]]:
    """Accept what is more alike than a threshold: the one with the best F1 on the development half."""
    from benchmarks.gate.embedding import similarities

    found = {
        half: similarities([(case.pair.reference.template, case.pair.candidate.template) for case in some])
        for half, some in cases.items()
    }
    tuning, values = cases["development"], found["development"]

    def f1(threshold: float) -> float:
        precision, recall = quality(tuning, (values >= threshold).tolist())
        return 2 * precision * recall / max(precision + recall, 1e-9)

    best = max(sorted(set(values.tolist())), key=f1)
    print(f"embedding only: cosine at least {best:.3f}")
    return {half: (found[half] >= best).tolist() for half in cases}


def judged(cases: dict[str, list[Case]], gate: dict[str, list[bool]], model: str) -> dict[str, list[bool]]:
    """What a judge lets through of what the signals do."""
    from isophrase.api.paraphrase import judge_of

    judge = judge_of(model)
    found = {}
    for half, some in cases.items():
        asked = [case.pair for case, ok in zip(some, gate[half], strict=True) if ok]
        reasons = iter(judge.weigh(asked))
        found[half] = [ok and not next(reasons) for ok in gate[half]]
    return found


def show(half: str, cases: Sequence[Case], columns: dict[str, list[bool]]) -> None:
    """One table: by kind, how many pairs there are and how many are let through."""
    print(f"\n{half}: {len(cases)} pairs")
    print(f"| kind | pairs | {' | '.join(f'passed by {name}' for name in columns)} |")
    print(f"|---|---|{'---|' * len(columns)}")
    for kind in KINDS:
        mine = [index for index, case in enumerate(cases) if case.kind == kind]
        passed = [str(sum(column[index] for index in mine)) for column in columns.values()]
        print(f"| {kind} | {len(mine)} | {' | '.join(passed)} |")
    for place, name in enumerate(("precision", "recall")):
        values = [f"{quality(cases, column)[place]:.3f}" for column in columns.values()]
        print(f"| {name} | | {' | '.join(values)} |")


def errors(cases: Sequence[Case]) -> None:
    """What the gate gets wrong, with its reasons."""
    for case in cases:
        judged = judge_pair(case.pair)
        if (judged.verdict is Verdict.PASS) != (case.kind == SAME):
            text = " / ".join(case.pair.candidate.template.split("\n"))
            print(f"\n{case.pair.candidate.id}: {judged.verdict}\n  {text}")
            for reason in judged.reasons:
                print(f"  - {reason}")


if __name__ == "__main__":
    main()
