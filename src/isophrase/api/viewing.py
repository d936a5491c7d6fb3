"""The road from a folder of runs to pages that are served: a list of runs, each run's report, and two compared.

Holds no logic of its own beyond the order of the steps. A page is found by the name of a run in the list, never by a
path.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from isophrase.api.comparing import compare_views
from isophrase.errors import ConfigError, IsophraseError
from isophrase.files import write_atomically
from isophrase.manifest import MANIFEST, read_manifest
from isophrase.report.comparison import ComparisonView
from isophrase.report.html import Listed, render_html, render_index
from isophrase.report.merging import merged, models_of, only, told_apart
from isophrase.report.view import RunView
from isophrase.results import read_run
from isophrase.statistics.paired import Settings

_KEPT = 8


@dataclass
class Pages:
    """The pages of a folder of runs; a `Site` for `serving`.

    Attributes:
        folder: The folder; its direct subfolders that hold a manifest are runs, and so is the folder itself.
    """

    folder: Path
    _made: dict[tuple[object, ...], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, words: tuple[str, ...], query: Mapping[str, str]) -> str | None:
        """The page of an address, or None."""
        runs = runs_in(self.folder)
        match words:
            case ():
                return _index(self.folder, runs)
            case ("run", name) if name in runs:
                return self._kept(("run", _state(runs[name])), lambda: report_page(runs[name], home="../"))
            case ("compare",) if query.get("before") in runs and query.get("after") in runs:
                before, after = runs[query["before"]], runs[query["after"]]
                key = ("compare", _state(before), _state(after))
                return self._kept(key, lambda: comparison_page(read_run(before), read_run(after), home="./"))
            case _:
                return None

    def _kept(self, key: tuple[object, ...], make: Callable[[], str]) -> str:
        """A page, made once as long as what it was made from stays."""
        with self._lock:
            if key not in self._made:
                while len(self._made) >= _KEPT:
                    self._made.pop(next(iter(self._made)))
                self._made[key] = make()
            return self._made[key]


def runs_in(folder: Path) -> dict[str, Path]:
    """Name -> folder of every run in a folder, sorted; what a link leads out of the folder is not in it."""
    root = folder.resolve()
    found = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return {
        path.resolve().name: path
        for path in found
        if (path / MANIFEST).is_file() and path.resolve().is_relative_to(root)
    }


def checked_folder(folder: Path | str) -> Path:
    """The folder, if it is one.

    Raises:
        ConfigError: It is not.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError("a folder of runs", got=f"nothing at {folder}", remedy="give the folder that holds your runs")
    return folder


def report_page(folder: Path, *, home: str = "") -> str:
    """A run's report; where it has several models, the first one is compared with each other one."""
    view = read_run(folder)
    return render_html(view, own_comparisons(view), home=home)


def own_comparisons(view: RunView) -> tuple[ComparisonView, ...]:
    """The first model of a view compared with each other one, where they share cells."""
    first, *others = models_of(view) or ("",)
    found = []
    for name in others:
        try:
            found.append(compare_views(only(view, first), only(view, name), leave_out_trained=True))
        except IsophraseError:
            continue  # nothing in common: the page shows them side by side
    return tuple(found)


def comparison_page(
    before: RunView, after: RunView, *, settings: Settings | None = None, leave_out_trained: bool = True, home: str = ""
) -> str:
    """Two runs on one page, compared: the first model of one with the first of the other, and so on.

    Raises:
        ConfigError: They have no cells in common, or wordings are not held out.
    """
    first, second = told_apart((before, after))
    found = tuple(
        compare_views(only(first, one), only(second, other), settings=settings, leave_out_trained=leave_out_trained)
        for one, other in zip(models_of(first), models_of(second), strict=False)
    )
    return render_html(merged(first, second), found, home=home)


def write_comparison(
    page: Path, before: RunView, after: RunView, *, settings: Settings, leave_out_trained: bool
) -> Path:
    """Write the page that compares two runs.

    Returns:
        Its path.

    Raises:
        ConfigError: They have no cells in common, or the page can't be written there.
    """
    content = comparison_page(before, after, settings=settings, leave_out_trained=leave_out_trained)
    try:
        write_atomically(page, content.encode())
    except OSError as error:
        raise ConfigError("a file that can be written", got=str(error), remedy="give another --page") from None
    return page


def _index(folder: Path, runs: Mapping[str, Path]) -> str:
    listed, broken = [], []
    for name, path in runs.items():
        try:
            manifest = read_manifest(path)
            identity = manifest.identity
            tasks = tuple(identity["digests"]["tasks"])
            listed.append(Listed(name, manifest.name, manifest.created, tuple(identity["models"]), tasks))
        except (IsophraseError, KeyError, TypeError) as error:
            broken.append((name, str(error)))
    return render_index(folder.resolve().name, listed, broken)


def _state(folder: Path) -> tuple[object, ...]:
    """What changes when a run does: names and times of its files."""
    names = ("manifest.json", "inputs.json", "scores", "distances")
    times = [(folder / name).stat().st_mtime_ns for name in names if (folder / name).exists()]
    return (str(folder), *times)
