"""The wiring: the few calls that join sources, grid, models, execution, statistics and report.

Everything public starts here. Holds no logic of its own beyond the order of the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import isophrase.experiment as experiments
from isophrase.alignment.exposure import with_exposure, without_seen
from isophrase.api.budgeting import Spending, spend
from isophrase.api.viewing import own_comparisons
from isophrase.cache import cache_folder
from isophrase.engine.local import LocalModel
from isophrase.errors import ConfigError, StoreError
from isophrase.execution.local import fill
from isophrase.experiment import Experiment
from isophrase.files import write_atomically
from isophrase.grid import Grid
from isophrase.manifest import new_manifest
from isophrase.models.base import GenerationLimits
from isophrase.models.catalog import CATALOG, ensure
from isophrase.models.huggingface import Identified, identify, load
from isophrase.paraphrase.audit import read_audit
from isophrase.paraphrase.pair import Verdict
from isophrase.plan import Plan, make_grid, make_plan
from isophrase.progress import Display, Silent
from isophrase.report.html import render_html
from isophrase.report.view import RunView
from isophrase.results import Inputs, Reading, read_run
from isophrase.sources.fetch import fetch_bigbench
from isophrase.statistics.choosing import Wish
from isophrase.store import Store, open_run
from isophrase.types import PromptFormat, Rule

DEMO = Path(__file__).parents[1] / "data" / "demo.yaml"
REPORT = "report.html"


@dataclass
class _Counter:
    """Counts cells for a display: the Progress of execution."""

    shown: Display
    name: str
    total: int
    done: int = 0

    def advance(self, cells: int, *, measured: bool) -> None:
        """So many more cells are done."""
        self.done += cells
        self.shown.step(self.name, self.done, self.total)


def load_experiment(path: Path | str) -> Experiment:
    """Read and check an experiment file.

    Raises:
        IsophraseError: Everything that is wrong with it.
    """
    return experiments.load_experiment(Path(path))


def evaluate(experiment: Experiment | Path | str, out: Path | str | None = None, shown: Display | None = None) -> Path:
    """Fill the grid of an experiment; call it again after any crash, and it goes on where it stopped.

    Args:
        experiment: The experiment, or the path of its file.
        out: The run folder; default `runs/NAME`.
        shown: Where progress is shown; default nowhere.

    Returns:
        The run folder.

    Raises:
        IsophraseError: Something that the user can mend; nothing that was measured is lost.
    """
    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment)
    shown = shown or Silent()
    folder = Path(out) if out is not None else Path("runs") / experiment.name
    _fetch_missing(experiment, shown)
    return fill_run(experiment, make_plan(experiment, cache_folder()), folder, shown)


def fill_run(experiment: Experiment, plan: Plan, folder: Path, shown: Display) -> Path:
    """Measure what a plan asks; arguments as for `evaluate`.

    Args:
        experiment: Models and settings.
        plan: What is asked.
        folder: The run folder.
        shown: Where progress is shown.

    Returns:
        The run folder.
    """
    plan = without_seen(plan, experiment.models, experiment.seen)
    # Asking for `chat` first finds a tokenizer without a template before anything is measured.
    wanted = PromptFormat.CHAT if PromptFormat.CHAT in experiment.formats else None
    models = [
        identify(replace(with_exposure(spec), prompt_format=wanted or spec.prompt_format), notify=shown.note)
        for spec in experiment.models
    ]
    grid = make_grid(plan, experiment, [model.spec for model in models])
    identity = {
        "config": experiment.identity,
        "digests": plan.digests,
        "models": {model.spec.name: {**model.identity, "dtype": model.spec.dtype} for model in models},
    }
    inputs = Inputs(
        models=tuple(model.spec for model in models),
        asked=plan.asked,
        cells=len(grid),
        reading=Reading(experiment.report.rule, experiment.report.level, experiment.report.resamples, experiment.seed),
    )
    store = open_run(folder, new_manifest(experiment.name, identity, plan.notes), inputs.to_json())
    for damaged in store.check_parts():
        shown.note(
            f"{damaged.part} is damaged ({damaged.reason}): set aside as {damaged.set_aside}; measuring it again"
        )
    for model in models:
        _fill(grid, model, store, experiment, shown)
    return folder


def _fill(grid: Grid, model: Identified, store: Store, experiment: Experiment, shown: Display) -> None:
    """Measure one model's share of the grid; the model is loaded only if something is left to measure."""
    share = Grid(tuple(block for block in grid.blocks if block.model == model.spec.name))
    if experiment.budget is not None:
        _spend(share, model, store, experiment, shown)
        return
    if store.choices():
        raise StoreError(
            f"a budget in the experiment, as {store.folder} was begun with one",
            got="none",
            remedy="give `budget: 1` to measure the rest, or another folder with --out",
        )
    done = store.parts()
    counter = _Counter(shown, f"{model.spec.name} cells", len(share))
    if all(unit.id in done for unit in share.units(experiment.unit_cells)):
        counter.advance(len(share), measured=False)
        return
    loaded = load(model.spec, notify=shown.note)
    local = LocalModel(loaded)
    limits = GenerationLimits(experiment.generation.max_new_tokens, experiment.generation.stop)
    fill(share.units(experiment.unit_cells), local, store, limits, counter)
    store.add_notes([f"{model.spec.name}: {note}" for note in (*loaded.notes, *local.notes)])


def _spend(share: Grid, model: Identified, store: Store, experiment: Experiment, shown: Display) -> None:
    """Measure a part of one model's share, as the experiment's budget says."""
    assert experiment.budget is not None
    loaded = load(model.spec, notify=shown.note)
    local = LocalModel(loaded)
    limits = GenerationLimits(experiment.generation.max_new_tokens, experiment.generation.stop)
    asked = experiment.budget
    wish = Wish(asked.share, asked.precision, asked.rounds, seed=experiment.seed)
    counter = _Counter(shown, f"{model.spec.name} cells", round(asked.share * len(share)))
    by = Spending(store, local, limits, experiment.report.rule, counter)
    for block in share.blocks:
        spend(block, wish, by)
    store.add_notes([f"{model.spec.name}: {note}" for note in (*loaded.notes, *local.notes)])


def read(
    folder: Path | str, *, rule: Rule | None = None, level: float | None = None, leave_out: frozenset[str] = frozenset()
) -> RunView:
    """The estimates of a run, with what they were made from.

    Args:
        folder: The run folder.
        rule: How options are compared; default: as the experiment says.
        level: Confidence level of the intervals; default: as the experiment says.
        leave_out: Instructions (`set/id`) to take for not measured: see `doubted`.

    Raises:
        IsophraseError: The folder is not a run, or an argument is wrong.
    """
    return read_run(Path(folder), rule=rule, level=level, leave_out=leave_out)


def doubted(audit: Path | str) -> frozenset[str]:
    """The instructions (`set/id`) that an audit file does not let through, a person's overrides counted.

    Raises:
        IsophraseError: It is no audit file.
    """
    return frozenset(f"{item.set}/{item.id}" for item in read_audit(Path(audit))[0] if item.final is not Verdict.PASS)


def write_report(folder: Path | str, view: RunView | None = None, name: str = REPORT) -> Path:
    """Write `report.html`, or a file of another name, into a run folder.

    Returns:
        Its path.
    """
    folder = Path(folder)
    path = folder / name
    view = view if view is not None else read(folder)
    write_atomically(path, render_html(view, own_comparisons(view)).encode())
    return path


def fetch(benchmark: str, shown: Display | None = None) -> Path:
    """Get a benchmark's tasks into the cache, verified; nothing is done if they are there.

    Args:
        benchmark: `bigbench`.
        shown: Where progress is shown.

    Returns:
        The folder with the tasks.
    """
    if benchmark != "bigbench":
        raise ConfigError("a benchmark that can be fetched: bigbench", got=repr(benchmark), remedy="correct the name")
    return fetch_bigbench(cache_folder(), (shown or Silent()).step)


def get_model(name: str, shown: Display | None = None) -> Path:
    """Get a model of the catalog into the cache, checked and converted; nothing is done if it is there.

    Returns:
        The model's folder.
    """
    entry = CATALOG.get(name)
    if entry is None:
        raise ConfigError(f"a model of the catalog ({', '.join(CATALOG)})", got=repr(name), remedy="correct the name")
    return ensure(entry, notify=(shown or Silent()).note)


def _fetch_missing(experiment: Experiment, shown: Display) -> None:
    """Fetch BIG-bench if the experiment asks for its tasks and gives no folder."""
    for request in experiment.tasks:
        reference = request.reference
        asks = reference.startswith("bigbench/") if isinstance(reference, str) else "bigbench" in reference
        if asks and request.folder is None:
            fetch_bigbench(cache_folder(), shown.step)
            return
