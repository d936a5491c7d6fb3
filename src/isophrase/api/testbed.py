"""The wiring of the wording testbed: build the tuned model, fill rows, make the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isophrase.cache import cache_folder
from isophrase.errors import StoreError
from isophrase.progress import Display, Silent
from isophrase.testbed.recipe import Source, Testbed, load_testbed
from isophrase.testbed.rows import (
    RowKey,
    RowResult,
    all_keys,
    development_keys,
    read_row,
    row_digest,
    row_path,
    run_row,
    sections,
)
from isophrase.testbed.table import beside
from isophrase.testbed.tuned import Notify, tuned_adapter, tuned_model

BESIDE_MAIN = ("methods", "ablations")
"""Sections measured on fewer wordings and inputs than main rows, which stand beside them."""


def build_testbed(results: Path, source: Source = Source.OWN, seed: int = 0, shown: Display | None = None) -> Path:
    """The instruction-tuned model of the testbed: its adapter is trained once and kept among the results.

    Args:
        results: The folder of kept rows.
        source: Where the reviews are from.
        seed: Of the tuning.
        shown: Where progress is shown.

    Returns:
        The folder of the whole model, in the cache.
    """
    testbed, place = load_testbed(source, cache_folder()), cache_folder() / "testbed"
    adapter = tuned_adapter(testbed, place, results, seed, (shown or Silent()).note)
    return Path(tuned_model(adapter, place).source)


def fill_rows(
    results: Path, source: Source = Source.OWN, keys: Sequence[RowKey] | None = None, shown: Display | None = None
) -> None:
    """Train and measure rows of the table; those that are kept in `results` are left as they are.

    Several processes may fill the same folder: each takes the rows that no other is at.

    Args:
        results: The folder of kept rows.
        source: Where the reviews are from.
        keys: Which rows; default: all of the table.
        shown: Where progress is shown.
    """
    shown = shown or Silent()
    testbed = load_testbed(source, cache_folder())
    wanted = all_keys(source) if keys is None else list(keys)
    left: list[RowKey] = []
    done = 0
    for wait, keys_now in ((False, wanted), (True, left)):  # what other processes are at comes last
        for key in keys_now:
            shown.step("testbed rows", done, len(wanted))
            if run_row(testbed, key, cache_folder(), results, shown.note, wait=wait) is None:
                left.append(key)
            else:
                done += 1
    shown.step("testbed rows", done, len(wanted))


def sections_of(source: Source) -> tuple[str, ...]:
    """The names of the sections that a source's table has."""
    return (*sections(source), "development")


def kept_rows(
    results: Path, source: Source = Source.OWN, section: str = "main", shown: Display | None = None
) -> list[RowResult]:
    """The rows of a section that are kept, and for sections on fewer wordings and inputs main rows as far as they go.

    What is missing, of another recipe or of a tuned model without its own row is left out, and said to be.

    Args:
        results: The folder of kept rows.
        source: Where the reviews are from.
        section: Of the table; `development` has the candidates for `default`.
        shown: Where it is said what is left out.

    Raises:
        StoreError: There are no rows to compare.
    """
    testbed, note = load_testbed(source, cache_folder()), (shown or Silent()).note
    keys = {**sections(source), "development": development_keys(source)}
    rows = _current(testbed, results, keys[section], note)
    if rows and section in BESIDE_MAIN:
        runs = {(row.seed, row.tuned) for row in rows}
        main = [key for key in keys["main"] if key.method == "none" or (key.seed, key.tuned) in runs]
        rows = beside(rows, _current(testbed, results, main, note)) + rows
    unrepaired = {row.fingerprint for row in rows if row.method == "none"}
    if alone := [row for row in rows if row.fingerprint not in unrepaired]:
        note(f"left out, as `none` of their tuned model is missing: {_names(alone)}")
    if not unrepaired:
        raise StoreError(
            f"rows of the section {section} in {results}, `none` among them", got=f"{len(rows)} rows",
            remedy="run `isophrase testbed run` first",
        )  # fmt: skip
    return [row for row in rows if row.fingerprint in unrepaired]


def _current(testbed: Testbed, results: Path, keys: Sequence[RowKey], note: Notify) -> list[RowResult]:
    found, missing, other = [], [], []
    for key in keys:
        row = read_row(row_path(results, key))
        if row is None:
            missing.append(key)
        elif row.digest != row_digest(testbed, key):
            other.append(key)
        else:
            found.append(row)
    for left, said in ((missing, "not computed yet"), (other, "of another recipe or version")):
        if left:
            note(f"left out, as they are {said}: {_names(left)}")
    return found


def _names(rows: Sequence[RowKey | RowResult]) -> str:
    seeds: dict[str, list[str]] = {}
    for row in rows:
        seeds.setdefault(row.method, []).append(str(row.seed))
    return "; ".join(f"{method} of seed {', '.join(found)}" for method, found in seeds.items())
