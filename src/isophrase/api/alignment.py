"""The wiring of tune, align and verify: a job's file -> a trained model -> its proof.

Knows the order of the steps and which model each of them loads. Does not know how any of them is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isophrase.alignment.exposure import examples_seen, with_exposure
from isophrase.alignment.held_out import held_out
from isophrase.alignment.job import Job, load_job
from isophrase.alignment.method import TUNE, Kind, beyond_defaults
from isophrase.alignment.mixtures import by_task, wordings_seen
from isophrase.alignment.record import Record, make_folder, read_record
from isophrase.alignment.registers import bundled_registers
from isophrase.alignment.running import Provenance, finished, run_training
from isophrase.alignment.tracking import open_trackers
from isophrase.alignment.training import Step, Training
from isophrase.alignment.watching import Sight
from isophrase.api.runs import fill_run, write_report
from isophrase.cache import cache_folder
from isophrase.errors import ConfigError, StoreError
from isophrase.experiment import parse_experiment
from isophrase.files import write_atomically
from isophrase.manifest import MANIFEST
from isophrase.models.huggingface import identify, load
from isophrase.plan import Plan
from isophrase.progress import Display, Silent
from isophrase.report.training_page import training_page
from isophrase.sources.documents import Document, read_yaml
from isophrase.types import ModelSpec, digest, plain

DEMO = Path(__file__).parents[1] / "data" / "demo-align.yaml"
ADAPTER, BEFORE, AFTER = "adapter", "before", "after"


@dataclass(frozen=True)
class Aligned:
    """What a training wrote.

    Attributes:
        folder: The PEFT folder (or the checkpoint of a full model).
        record: What it was trained on.
        tasks: The tasks that it was trained on.
        outside: The other tasks that `verify` measures.
    """

    folder: Path
    record: Record
    tasks: tuple[str, ...]
    outside: tuple[str, ...] = ()


def align(
    path: Path | str, out: Path | str | None = None, shown: Display | None = None, *, to_verify: bool = False
) -> Aligned:
    """Train an adapter that makes a model answer alike however an instruction is worded.

    Call it again after any crash, and it goes on where it stopped.

    Args:
        path: The job's file (docs/alignment.md).
        out: Where to write; default `runs/NAME`.
        shown: Where progress is shown.
        to_verify: Whether `verify` will follow: what would stop it is then said before training.

    Raises:
        IsophraseError: Something that the user can mend.
    """
    return _train(load_job(Path(path), cache_folder()), "align", out, shown or Silent(), to_verify=to_verify)


def tune(
    path: Path | str, out: Path | str | None = None, shown: Display | None = None, *, to_verify: bool = False
) -> Aligned:
    """Instruction tuning with cross-entropy on the response; arguments as for `align`."""
    job = load_job(Path(path), cache_folder(), default=TUNE)
    return _train(job, "tune", out, shown or Silent(), to_verify=to_verify)


def _train(job: Job, kind: str, out: Path | str | None, shown: Display, *, to_verify: bool) -> Aligned:
    place = _place(job, out)
    folder = place / ADAPTER
    make_folder(folder)
    for note in job.notes:
        shown.note(note)
    if to_verify:
        for note in _held_out(job).notes:
            shown.note(note)
    full = job.method.parameters.kind is Kind.FULL
    loaded = load(_as_trained(job.model, full=full), notify=shown.note)
    training = Training(
        method=job.method, materials=job.materials, registers=tuple(bundled_registers()), seed=job.seed,
        every=job.every, autocast=job.model.dtype == "auto",
    )  # fmt: skip
    base = with_exposure(job.model)
    provenance = Provenance(
        kind=kind, name=job.method_name, tuned_on=base.trained_on, aligned_on=base.aligned_on or frozenset(),
        examples=examples_seen(base),
    )  # fmt: skip
    if to_verify and finished(loaded, training, provenance, folder, job.watch) is None:
        _refuse_other_runs(place)
    log, close = open_trackers(job.trackers, job.name, place / "trackers", plain(job.method))
    steps = job.method.schedule.steps

    def on_step(step: Step) -> None:
        shown.step(f"{job.name} steps", step.number, steps)
        log(
            {"loss": step.total, "gradient_norm": step.norm, **{f"loss/{name}": v for name, v in step.parts.items()}},
            step.number,
        )

    def on_sight(sight: Sight) -> None:
        shown.note(f"step {sight.step}: " + ", ".join(f"{name} {value:.3f}" for name, value in sight.values.items()))
        log({f"look/{name}": value for name, value in sight.values.items()}, sight.step)

    try:
        record = run_training(loaded, training, provenance, folder, job.watch, on_step=on_step, on_sight=on_sight)
    finally:
        close()
    what = f"{job.method_name} on {job.model.name}, seed {job.seed}, {record.parameters:,} numbers trained"
    page = training_page(job.name, [what, *record.notes, *job.notes], record.steps, record.sights)
    write_atomically(place / "training.html", page.encode())
    return Aligned(folder, record, tuple(by_task(job.materials)), tuple(item.task.name for item in job.outside))


def _place(job: Job, out: Path | str | None) -> Path:
    return Path(out) if out is not None else Path("runs") / job.name


def _refuse_other_runs(place: Path) -> None:
    """Verification goes on in its two folders, so they must not be of the adapter that a training will replace.

    Raises:
        StoreError: They are.
    """
    standing = [str(place / name) for name in (BEFORE, AFTER) if (place / name / MANIFEST).is_file()]
    if standing:
        raise StoreError(
            "no measurement of another training where this one is to be verified", got=" and ".join(standing),
            remedy="choose another --out, or delete these folders: the training there is another one and is replaced",
        )  # fmt: skip


def _as_trained(spec: ModelSpec, *, full: bool) -> ModelSpec:
    """The model as it is trained: weights that the optimiser changes are float32, or small steps would be rounded away.

    Raises:
        ConfigError: Half precision is asked for where all weights are trained.
    """
    if not full:
        return spec
    if spec.dtype not in ("auto", "float32"):
        raise ConfigError(
            "dtype auto or float32 where all weights are trained", got=spec.dtype,
            remedy="say dtype: auto (float32 weights, bfloat16 products where the device is fast in them), or train an "
            "adapter",
        )  # fmt: skip
    return replace(spec, dtype="float32")


def verify(path: Path | str, out: Path | str | None = None, shown: Display | None = None) -> tuple[Path, Path]:
    """Measure the model before and after on wordings and inputs that training never saw.

    Args:
        path: The file of a finished `align` or `tune`.
        out: As for `align`.
        shown: Where progress is shown.

    Returns:
        The run folders before and after, which `compare_runs` takes.

    Raises:
        IsophraseError: Something that the user can mend.
    """
    place = Path(out) if out is not None else Path("runs") / _name(Path(path))
    record = read_record(place / ADAPTER)
    default = TUNE if record is not None and record.kind == "tune" else None
    job = load_job(Path(path), cache_folder(), default=default, to_train=False)
    if record is None:
        raise StoreError(
            "a finished training", got=f"none in {place / ADAPTER}", remedy="train first: `align` or `tune`"
        )  # fmt: skip
    full = record.method["parameters"]["kind"] == Kind.FULL
    before = _as_trained(job.model, full=full)
    _refuse_other_training(job, record, identify(before).identity, place)
    after = _trained(before, place / ADAPTER, full=full)
    plan = _held_out(job)
    what = "test wordings and references on test inputs: this training saw none of these test wordings"
    plan = replace(plan, notes=(what, *plan.notes, *job.notes))
    folders = []
    for name, spec in ((BEFORE, before), (AFTER, after)):
        folder = fill_run(_experiment(job, name, spec), plan, place / name, shown or Silent())
        write_report(folder)
        folders.append(folder)
    return folders[0], folders[1]


def _trained(base: ModelSpec, folder: Path, *, full: bool) -> ModelSpec:
    """The model with what was trained on it. What it has seen, and what was known of the base, is in its record."""
    if full:
        return replace(base, source=str(folder), revision=None, trained_on=None)
    return replace(base, adapter=str(folder), trained_on=None)


def _name(path: Path) -> str:
    """The name that a job's file gives, before it is known what training it is of."""
    content = read_yaml(path).content
    return str(content.get("name")) if isinstance(content, Mapping) else ""


def _refuse_other_training(job: Job, record: Record, base: Mapping[str, str], place: Path) -> None:
    """What is verified has to be what the file trains: another seed or set holds other wordings out.

    Args:
        job: The file.
        record: Of the training that is there.
        base: What identifies the model of the file.
        place: Where it is there.

    Raises:
        StoreError: It is another training.
    """
    seen = wordings_seen(job.materials, job.method.draws)
    known: Mapping[str, tuple[object, object]] = {
        "base model": (base, {name: record.base.get(name) for name in base}),
        "seed": (job.seed, record.seed),
        "method": (digest(beyond_defaults(plain(job.method))), digest(beyond_defaults(record.method))),
        "wordings": ({name: [one.id for one in found] for name, found in seen.items()},
                     {name: list(ids) for name, ids in record.instructions.items()}),
    }  # fmt: skip
    if other := [name for name, (mine, theirs) in known.items() if mine != theirs]:
        raise StoreError(
            f"the training of this file in {place / ADAPTER}", got=f"one with another {' and '.join(other)}",
            remedy="train again, or choose the --out of that training",
        )  # fmt: skip


def _held_out(job: Job) -> Plan:
    return held_out(
        job.materials, job.method.draws, job.model, seed=job.seed, limit=job.verify, outside=job.outside
    )  # fmt: skip


def _experiment(job: Job, name: str, spec: ModelSpec) -> Any:
    section: Mapping[str, Any] = {
        "source": spec.source, "name": job.model.name, "revision": spec.revision, "dtype": spec.dtype,
        "device": spec.device, "adapter": spec.adapter, "format": spec.prompt_format,
        "trained_on": None if spec.trained_on is None else sorted(spec.trained_on),
    }  # fmt: skip
    content = {
        "name": f"{job.name}-{name}", "seed": job.seed, "models": [section],
        "tasks": [*by_task(job.materials), *(item.task.name for item in job.outside)], "controls": True,
    }  # fmt: skip
    return parse_experiment(Document(f"{job.name}-{name}", content), base=Path())
