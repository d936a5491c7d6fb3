"""The wiring of the wording testbed: build the tuned model, fill rows, make the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isophrase.cache import cache_folder
from isophrase.errors import StoreError
from isophrase.progress import Display, Silent
from isophrase.testbed.recipe import Source, load_testbed
from isophrase.testbed.rows import RowKey, all_keys, read_row, row_digest, run_row
from isophrase.testbed.table import Line, table
from isophrase.testbed.tuned import tuned_adapter, tuned_model


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


def rows_table(
    results: Path, source: Source = Source.OWN, keys: Sequence[RowKey] | None = None, shown: Display | None = None
) -> list[Line]:
    """The table over kept rows; what is kept of another recipe is left out, and said to be.

    Args:
        results: The folder of kept rows.
        source: Where the reviews are from.
        keys: Which rows; default: all of the table.
        shown: Where it is said that rows are left out.

    Raises:
        StoreError: There are no rows to compare.
    """
    testbed = load_testbed(source, cache_folder())
    order = {row_digest(testbed, key): place for place, key in enumerate(all_keys(source) if keys is None else keys)}
    kept = [row for path in sorted(results.glob(f"{source.value}-*.json")) if (row := read_row(path)) is not None]
    current = sorted((row for row in kept if row.digest in order), key=lambda row: order[row.digest])
    unrepaired = {row.fingerprint for row in current if row.method == "none"}
    found = [row for row in current if row.fingerprint in unrepaired]
    if other := len(kept) - len(found):
        (shown or Silent()).note(f"{other} rows of another recipe, version or tuned model are left out")
    if not found:
        raise StoreError(
            f"rows of the testbed in {results}, `none` among them", got=f"{len(current)} rows",
            remedy="run `isophrase testbed run` first",
        )  # fmt: skip
    return table(found)
