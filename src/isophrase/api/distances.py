"""The road from a run to representation distances: states are captured where they are missing, then measured.

Holds no logic of its own beyond the order of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isophrase.engine.local import LocalModel
from isophrase.engine.states import Position, Where
from isophrase.errors import ConfigError, StoreError
from isophrase.grid import Block
from isophrase.manifest import difference
from isophrase.models.huggingface import identify, load
from isophrase.plan import Asked
from isophrase.progress import Display, Silent
from isophrase.report.view import RunView
from isophrase.representations.capture import capture
from isophrase.representations.distances import distances
from isophrase.representations.files import About, Captured, Measured, read_states, write_distances, write_states
from isophrase.representations.projection import project
from isophrase.results import read_inputs, read_run
from isophrase.statistics.observed import observed_rows, reference_rows
from isophrase.store import PanelKey, existing_run
from isophrase.types import ModelSpec, PromptFormat

DEFAULT_EXAMPLES = 100


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the run, with what was asked."""

    key: PanelKey
    asked: Asked
    spec: ModelSpec

    def block(self, examples: int) -> Block:
        """Its prompts, without controls, for the first examples."""
        rows = tuple(item for item in self.asked.instructions if not item.role.is_control)
        return Block(
            self.key.model, self.key.dtype, PromptFormat(self.key.prompt_format), self.asked.task, rows,
            self.asked.examples[:examples], self.key.shots, self.key.exemplar_seed,
        )  # fmt: skip


def measure_distances(
    folder: Path | str,
    *,
    layer: int = -2,
    position: str = "last",
    examples: int = DEFAULT_EXAMPLES,
    seed: int = 0,
    shown: Display | None = None,
) -> RunView:
    """Capture the hidden states of a run's prompts, measure their distances, and read the run with them.

    States that were captured before, at the same layer and position, are used again.

    Args:
        folder: The run folder.
        layer: As in transformers' `hidden_states`; negative numbers count from the end.
        position: `last` (prompt token, or first decoder step) or `mean`.
        examples: The first so many of each task.
        seed: Of the projection.
        shown: Where progress is shown.

    Raises:
        IsophraseError: The folder is not a run, its model can't be had or is another one now, or an argument is wrong.
    """
    folder, shown = Path(folder), shown or Silent()
    if position not in list(Position):
        raise ConfigError("a position: last or mean", got=repr(position), remedy="choose one of them")
    if examples < 1:
        raise ConfigError("at least one example", got=str(examples), remedy="give a larger number")
    store, manifest = existing_run(folder)
    inputs = read_inputs(store)
    by_name = {item.task.name: item for item in inputs.asked}
    specs = {item.name: item for item in inputs.models}
    tables = [_Table(key, by_name[key.task], specs[key.model]) for key in store.panels()]
    if not tables:
        raise StoreError("a run with scores", got=f"none yet in {folder}", remedy="run the experiment first")
    where = Where(layer, Position(position))
    captured: dict[PanelKey, Captured] = {}
    for name, spec in specs.items():
        own = [table for table in tables if table.key.model == name]
        captured |= _capture(folder, own, spec, manifest.identity["models"][name], where, examples, shown)
    _measure(folder, tables, captured, seed, shown)
    return read_run(folder)


def _capture(
    folder: Path, tables: Sequence[_Table], spec: ModelSpec, identity: dict[str, str], where: Where, examples: int,
    shown: Display,
) -> dict[PanelKey, Captured]:  # fmt: skip
    """The states of one model's tables; the model is loaded only where some are missing."""
    model = _Lazy(spec, identity, shown)
    total = sum(len(table.block(examples)) for table in tables)
    done, found = 0, {}

    def advance(prompts: int) -> None:
        nonlocal done
        done += prompts
        shown.step(f"{spec.name} states", done, total)

    for table in tables:
        block = table.block(examples)
        about = About(
            table.key, where.layer, where.position.value, tuple(item.id for item in block.instructions),
            tuple(item.id for item in block.examples),
        )  # fmt: skip
        known = read_states(folder, about)
        if known is None:
            write_states(folder, capture(block, about, model.loaded(), where, advance))
            # As it was rounded: what is computed now is what the next call will compute.
            known = read_states(folder, about)
            assert known is not None
        else:
            advance(len(block))
        found[table.key] = known
    return found


class _Lazy:
    """A model that is loaded when it is first needed.

    Args:
        spec: As the run has it.
        identity: What identified it when the run was measured.
        shown: Where progress is shown.
    """

    def __init__(self, spec: ModelSpec, identity: dict[str, str], shown: Display) -> None:
        self._spec, self._identity, self._shown = spec, identity, shown
        self._model: LocalModel | None = None

    def loaded(self) -> LocalModel:
        """The model, the same one that the run measured."""
        if self._model is None:
            now = {**identify(self._spec, notify=self._shown.note).identity, "dtype": self._spec.dtype}
            changed = list(difference(self._identity, now))
            if changed:
                raise StoreError(
                    f"the model that the run measured ({self._spec.name})", got=f"changes: {'; '.join(changed)}",
                    remedy="restore the model's folder, or measure a new run",
                )  # fmt: skip
            self._model = LocalModel(load(self._spec, notify=self._shown.note))
        return self._model


def _measure(
    folder: Path, tables: Sequence[_Table], captured: dict[PanelKey, Captured], seed: int, shown: Display
) -> None:
    groups: dict[tuple[object, ...], list[_Table]] = {}
    for table in tables:
        # A model and its repaired self are drawn in one plane, since their states mean the same.
        same = (table.spec.source, table.spec.revision, table.key.task, table.key.shots, table.key.prompt_format)
        groups.setdefault(same, []).append(table)
    for number, group in enumerate(groups.values(), 1):
        states = [captured[table.key].states for table in group]
        names = [table.key.model for table in group]
        for table, points in zip(group, project(states, names, seed), strict=True):
            rows = [item for item in table.asked.instructions if not item.role.is_control]
            own = captured[table.key]
            found = distances(own.states, observed_rows(rows, table.spec.trained_on), reference_rows(rows))
            write_distances(folder, Measured(own.about, found, points))
        shown.step("distances", number, len(groups))
