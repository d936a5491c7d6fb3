"""The rows of the testbed's table: a method on a tuned model with a seed, trained, measured, and kept on disk.

Knows what identifies a row, so that it is computed once. Does not know statistics.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from isophrase.alignment.method import METHODS, Method, beyond_defaults, method_of
from isophrase.alignment.record import Record, make_folder
from isophrase.alignment.registers import bundled_registers
from isophrase.alignment.running import Provenance, run_training
from isophrase.alignment.sampling import drawable
from isophrase.alignment.training import Step, Training
from isophrase.alignment.watching import Watch
from isophrase.errors import StoreError
from isophrase.files import write_atomically
from isophrase.models.fingerprint import fingerprint_adapter
from isophrase.models.huggingface import LoadedModel, load
from isophrase.testbed.inputs import ALIGNED, HELD_OUT
from isophrase.testbed.measuring import CONFIRMATION, DEVELOPMENT, MAIN, OTHER, Quota, TaskResult, chosen_of, measure
from isophrase.testbed.recipe import Source, Testbed, folded
from isophrase.testbed.tuned import Notify, tuned_adapter, tuned_identity, tuned_model
from isophrase.testbed.untrained import UNTRAINED
from isophrase.types import digest, plain

_NOT_TRAINED = ("none", *UNTRAINED)
MAIN_ROWS = ("pt", "pt+kl", "default")
OTHER_ROWS = ("ft", "ft+kl", "paft", "consensus", "contrastive", "worst-wording")
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "length-1": {"base": "pt+kl", "parameters": {"length": 1}},
    "length-5": {"base": "pt+kl", "parameters": {"length": 5}},
    "length-40": {"base": "pt+kl", "parameters": {"length": 40}},
    "ten-times": {"base": "pt+kl", "schedule": {"steps": 10 * METHODS["pt+kl"].schedule.steps}},
}
"""Rows that are no named method: the length of the prefix, and one training ten times as long."""
CANDIDATES: Mapping[str, Mapping[str, Any]] = {
    "taught-more": {
        "base": "default",
        "supervised_reference": 0.0,
        "draws": {"references": 1},
        "schedule": {"steps": 240},
    }
}
"""What `default` is chosen beside, on development wordings and inputs (docs/lab-notes.md)."""
WATCHED = ("ten-times",)
"""Rows with all monitors."""
TUNED_MODELS = 2
MAIN_SEEDS = range(TUNED_MODELS, TUNED_MODELS + 6)
"""Of the table's trainings: `default` was chosen with others (`development_keys`), if after rows of earlier ones with
seeds 2 and 3 had been seen."""
OTHER_SEEDS, ABLATION_SEEDS = MAIN_SEEDS[:2], MAIN_SEEDS[:1]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowKey:
    """Which row.

    Attributes:
        method: A method's name, or `none` for no repair.
        seed: Of the alignment.
        tuned: Seed of the tuned model.
        source: Where the reviews are from.
        quota: How much is measured.
    """

    method: str
    seed: int
    tuned: int
    source: Source = Source.OWN
    quota: Quota = MAIN


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """A row as it is kept.

    Attributes:
        method: Its method's name.
        seed: Of the alignment.
        tuned: Seed of the tuned model.
        source: Where the reviews are from.
        digest: Of the recipe that makes the row.
        fingerprint: Of the tuned model's kept adapter; rows are compared with those of the same model.
        parameters: Numbers trained.
        minutes: Time in steps.
        measured_minutes: Time of the measurement.
        sights: What was seen while training, for rows that are watched.
        tasks: Answers by task.
    """

    method: str
    seed: int
    tuned: int
    source: Source
    digest: str
    fingerprint: str
    parameters: int
    minutes: float
    measured_minutes: float
    sights: tuple[Mapping[str, Any], ...] = ()
    tasks: Mapping[str, TaskResult]


def development_keys(source: Source) -> list[RowKey]:
    """The rows from which `default` is chosen; none of them sees a test wording or a test input.

    With each seed another quarter of the training registers is left out of training, and measured on.
    """
    return [
        RowKey(method=method, seed=seed, tuned=seed, source=source, quota=DEVELOPMENT)
        for seed in range(TUNED_MODELS)
        for method in ("none", "default", *CANDIDATES)
    ]


def sections(source: Source) -> dict[str, list[RowKey]]:
    """The rows of the whole table by section, in the order in which they are worth having.

    `main`; `confirmation`, on unobserved wordings and inputs that nothing else is measured on (its other wordings are
    those of `main`); `methods` and `ablations`, on fewer, beside main rows on the same.
    """
    seeds, models = (MAIN_SEEDS, TUNED_MODELS) if source is Source.OWN else (MAIN_SEEDS[:1], 1)
    unrepaired = [RowKey(method="none", seed=tuned, tuned=tuned, source=source) for tuned in range(models)]
    repaired = [
        RowKey(method=method, seed=seed, tuned=seed % models, source=source) for seed in seeds for method in MAIN_ROWS
    ]
    if source is Source.BIGBENCH:
        return {"main": unrepaired + repaired}
    confirmed = [replace(key, quota=CONFIRMATION) for key in unrepaired + repaired if key.method in ("none", "default")]
    others = {"methods": (OTHER_SEEDS, (*UNTRAINED, *OTHER_ROWS)), "ablations": (ABLATION_SEEDS, tuple(ABLATIONS))}
    return {"main": unrepaired + repaired, "confirmation": confirmed} | {
        name: [
            RowKey(method=method, seed=seed, tuned=seed % TUNED_MODELS, source=source, quota=OTHER)
            for seed in wanted
            for method in methods
        ]
        for name, (wanted, methods) in others.items()
    }


def all_keys(source: Source) -> list[RowKey]:
    """The rows of all sections."""
    return [key for keys in sections(source).values() for key in keys]


def row_path(results: Path, key: RowKey) -> Path:
    """Where a row is kept."""
    return results / key.quota.folder / f"{key.source.value}-{key.method}-seed{key.seed}-tuned{key.tuned}.json"


def row_method(name: str) -> Method:
    """The method of a row."""
    return method_of({**ABLATIONS, **CANDIDATES}.get(name, name))


def run_row(
    testbed: Testbed, key: RowKey, cache: Path, results: Path, notify: Notify, *, wait: bool = True
) -> RowResult | None:
    """A row's result: from disk where it is, else trained and measured.

    Args:
        testbed: Tasks and wordings.
        key: Which row.
        cache: Where whole models and the adapters of rows are kept.
        results: Where results and adapters of tuned models are kept.
        notify: Told what happens.
        wait: Whether to wait for another process that is at the same row.

    Returns:
        The row; None where another process is at it and `wait` is off.
    """
    testbed = _of_key(testbed, key)
    lock = cache / "testbed" / f"{digest([_row_digest(testbed, key), str(results.resolve())])[:16]}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=-1 if wait else 0):
            return _run_row(testbed, key, cache, results, notify)
    except Timeout:
        return None


def _run_row(testbed: Testbed, key: RowKey, cache: Path, results: Path, notify: Notify) -> RowResult:
    adapter = tuned_adapter(testbed, cache / "testbed", results, key.tuned, notify)
    identity, fingerprint = _row_digest(testbed, key), fingerprint_adapter(adapter)
    path = row_path(results, key)
    kept = read_row(path)
    if kept is not None and (kept.digest, kept.fingerprint) == (identity, fingerprint):
        return kept
    make_folder(path.parent, "--results")
    loaded = load(tuned_model(adapter, cache / "testbed"))
    record = None
    if key.method not in _NOT_TRAINED:
        folder = cache / "testbed" / f"row-{digest([_training_identity(testbed, key), fingerprint])[:16]}"
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            loaded, record = _align(testbed, key, loaded, folder, notify)
    began = time.perf_counter()
    tasks = measure(loaded, testbed.materials, key.quota, key.method if key.method in UNTRAINED else None)
    result = RowResult(
        method=key.method, seed=key.seed, tuned=key.tuned, source=key.source, digest=identity,
        fingerprint=fingerprint,
        parameters=0 if record is None else record.parameters,
        minutes=0.0 if record is None else record.seconds / 60,
        measured_minutes=(time.perf_counter() - began) / 60,
        sights=() if record is None else record.sights, tasks=tasks,
    )  # fmt: skip
    write_atomically(path, TypeAdapter(RowResult).dump_json(result, indent=0))
    return result


def _align(
    testbed: Testbed, key: RowKey, loaded: LoadedModel, folder: Path, notify: Notify
) -> tuple[LoadedModel, Record]:
    method = row_method(key.method)
    training = Training(
        method=method, materials=testbed.of(ALIGNED), registers=tuple(bundled_registers()), seed=key.seed, every=50
    )
    provenance = Provenance(kind="align", name=key.method, tuned_on=frozenset())

    def say(step: Step) -> None:
        notify(f"{key.method} seed {key.seed}: step {step.number}, loss {step.total:.3f}")

    source = loaded.spec
    watch = None
    if key.method in WATCHED:
        training = replace(training, every=150)
        texts = tuple(example.fields["text"] for example in testbed.materials[0].dev[:40])
        watch = Watch(wordings=3, inputs=20, outside=testbed.of(HELD_OUT), texts=texts)
    record = run_training(loaded, training, provenance, folder, watch, on_step=say)
    full = method.parameters.kind == "full"
    spec = replace(source, source=str(folder)) if full else replace(source, adapter=str(folder))
    return load(spec), record


def row_digest(testbed: Testbed, key: RowKey) -> str:
    """What identifies a row: all that its weights depend on, and what it is measured on."""
    return _row_digest(_of_key(testbed, key), key)


def _of_key(testbed: Testbed, key: RowKey) -> Testbed:
    """What of the testbed a row trains and is measured on."""
    folds = key.quota.folds
    return folded(testbed, key.seed % folds, folds) if folds else testbed


def _row_digest(testbed: Testbed, key: RowKey) -> str:
    return digest([_training_identity(testbed, key), _measured_identity(testbed, key.quota)])


@cache
def _measured_identity(testbed: Testbed, quota: Quota) -> str:
    return digest([plain(chosen_of(item, quota)) for item in testbed.materials])


def _training_identity(testbed: Testbed, key: RowKey) -> dict[str, Any]:
    """What a row's weights depend on: rows that are measured on different data may share them."""
    found = {"tuned": tuned_identity(testbed, key.tuned), "seed": key.seed}
    if key.method in _NOT_TRAINED:
        return {**found, "method": key.method}
    method = row_method(key.method)
    seen: list[object] = [_aligned_identity(testbed)]
    if method.draws.controls:
        seen.append([item.wordings.train_controls for item in testbed.of(ALIGNED)])
    if registers := drawable(bundled_registers(), method.draws):
        seen.append(registers)
    return {**found, "method": beyond_defaults(plain(method)), "seen": plain(seen)}


@cache
def _aligned_identity(testbed: Testbed) -> str:
    return digest([[item.wordings.references, item.wordings.train, item.train] for item in testbed.of(ALIGNED)])


def read_row(path: Path) -> RowResult | None:
    """A kept row; None where there is none.

    Raises:
        StoreError: It can't be read.
    """
    if not path.is_file():
        return None
    try:
        return TypeAdapter(RowResult).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # of JSON, and of its shape
        raise StoreError(
            "a row of the testbed of this version", got=f"{str(error).splitlines()[0]} in {path}",
            remedy="delete it: the row is computed anew",
        ) from error  # fmt: skip
