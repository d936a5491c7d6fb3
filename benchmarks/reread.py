"""A seeded sample of the catalogue for a re-read: each wording beside its reference, without its id or register.

    python -m benchmarks.reread --seed 1 --count 100 --foreign 25

Whoever reads says of each whether it means what its reference means; what was found is in docs/catalogue.md.
"""

from __future__ import annotations

import argparse
import random

from isophrase.sources.bundled import catalogue_sets, load_bundled_set
from isophrase.types import Instruction, Role


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reread", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--foreign", type=int, default=25, help="how many that are not English")
    parser.add_argument("--ids", action="store_true", help="say which they are")
    asked = parser.parse_args()
    for number, (place, wording, reference) in enumerate(sample(asked.seed, asked.count, asked.foreign), start=1):
        print(f"--- {number}" + (f" {place}" if asked.ids else ""))
        print(
            f"[{wording.output_form.value}] {reference.template}\n  ~ [{wording.output_form.value}, {wording.language}]"
        )
        print(wording.template)


def sample(seed: int, count: int, foreign: int) -> list[tuple[str, Instruction, Instruction]]:
    """(place, wording, its reference): `foreign` that are not English, the rest English; controls are left out."""
    pairs = [
        (f"{name}/{item.id}", item, by_id[item.reference])
        for name in catalogue_sets()
        for by_id in [{item.id: item for item in load_bundled_set(name).instructions}]
        for item in by_id.values()
        if item.role is Role.PARAPHRASE and item.reference is not None
    ]
    generator = random.Random(seed)
    english = [pair for pair in pairs if pair[1].language == "en"]
    others = [pair for pair in pairs if pair[1].language != "en"]
    chosen = generator.sample(english, count - foreign) + generator.sample(others, foreign)
    generator.shuffle(chosen)
    return chosen


if __name__ == "__main__":
    main()
