"""Prints the kept rows of the wording testbed as a Markdown table, a column for each method.

Usage: python docs/testbed_table.py docs/results/testbed [--source bigbench] [--method pt --method default]
       python docs/testbed_table.py docs/results/testbed/development --development [--tuned 0]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from isophrase.api.testbed import rows_table
from isophrase.testbed.recipe import Source
from isophrase.testbed.rows import all_keys, development_keys
from isophrase.testbed.table import FIGURES, Line, figure_text


def lines(columns: Sequence[Line]) -> Iterator[str]:
    """The table, one line for each figure."""
    yield _cells(["", *(f"`{line.method}`" if line.method != "none" else "no repair" for line in columns)])
    yield _cells(["---", *("---:" for _ in columns)])
    yield _cells(["runs", *(str(line.runs) for line in columns)])
    for name in FIGURES:
        yield _cells([name.replace(" - ", " − "), *(figure_text(line, name).replace("-", "−") for line in columns)])
    yield _cells(["parameters", *(f"{line.parameters:,}" for line in columns)])
    yield _cells(["minutes", *(f"{line.minutes:.1f}" for line in columns)])
    yield _cells(["p against `pt`", *("–" if line.versus is None else f"{line.versus:.3f}" for line in columns)])


def _cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def main() -> None:
    """Parse the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="the folder of kept rows")
    parser.add_argument("--source", type=Source, default=Source.OWN)
    parser.add_argument("--method", action="append", help="only these methods; default: all")
    parser.add_argument("--development", action="store_true", help="the rows from which `default` is chosen")
    parser.add_argument("--tuned", type=int, help="only rows of the tuned model with this seed")
    arguments = parser.parse_args()
    keys = development_keys(arguments.source) if arguments.development else all_keys(arguments.source)
    chosen = [key for key in keys if arguments.tuned in (None, key.tuned)]
    found = rows_table(arguments.results, arguments.source, chosen)
    print("\n".join(lines([line for line in found if not arguments.method or line.method in arguments.method])))


if __name__ == "__main__":
    main()
