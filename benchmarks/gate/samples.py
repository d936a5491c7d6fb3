"""The text samples that languages are told apart by: every wording of the catalogue, one file a language.

python -m benchmarks.gate.samples         # writes src/isophrase/data/languages
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from isophrase.sources.bundled import catalogue_sets, load_bundled_set
from isophrase.types import Role
from isophrase.wording.words import spoken

FOLDER = Path(__file__).parents[2] / "src" / "isophrase" / "data" / "languages"
MOST = 12_000
"""Letters of a sample."""


def main() -> None:
    texts: dict[str, list[str]] = defaultdict(list)
    for name in catalogue_sets():
        for item in load_bundled_set(name).instructions:
            if item.role is not Role.NONSENSE:
                texts[item.language].append(re.sub(r"\s+", " ", spoken(item.template)).strip())
    FOLDER.mkdir(exist_ok=True)
    for language, lines in sorted(texts.items()):
        # Every so-manyth, so that each set has its share.
        step = max(1, sum(map(len, lines)) // MOST)
        (FOLDER / f"{language}.txt").write_text("\n".join(lines[::step]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
