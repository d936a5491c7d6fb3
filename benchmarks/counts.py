"""How many wordings the catalogue has, by language and by set.

python -m benchmarks.counts
"""

from __future__ import annotations

from collections import Counter

from isophrase.sources.bundled import catalogue_sets, load_bundled_set


def main() -> None:
    everything = [(name, item) for name in catalogue_sets() for item in load_bundled_set(name).instructions]
    wordings = [(name, item) for name, item in everything if not item.role.is_control]
    languages = Counter(item.language for _, item in wordings)
    general = sum(not name.startswith("catalogue/bbl/") for name, _ in wordings)
    registers = {item.register for _, item in wordings}
    controls, bbl = len(everything) - len(wordings), len(wordings) - general
    print(f"{len(wordings):,} wordings in {len(languages)} languages and {len(catalogue_sets())} sets, with {controls}")
    print(
        f"controls and {len(registers)} registers; {general} in the general sets and those of MMLU, {bbl} in those of"
    )
    print("BIG-bench Lite")
    print(f"| {' | '.join(name for name, _ in languages.most_common())} |")
    print(f"|{'---|' * len(languages)}")
    print(f"| {' | '.join(str(count) for _, count in languages.most_common())} |")


if __name__ == "__main__":
    main()
