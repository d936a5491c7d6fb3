"""The wiring of tune, align and verify: a job's file -> a trained model -> its proof.

Holds no logic of its own beyond the order of the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isophrase.alignment.job import Job, load_job
from isophrase.alignment.method import Draws, Kind, Method, Parameters, Schedule
from isophrase.alignment.record import Record, make_folder
from isophrase.alignment.registers import bundled_registers
from isophrase.alignment.running import Purpose, run_training
from isophrase.alignment.sampling import Material
from isophrase.alignment.tracking import open_trackers
from isophrase.alignment.training import Step, Training
from isophrase.alignment.watching import Sight
from isophrase.api.runs import fill_run, write_report
from isophrase.cache import cache_folder
from isophrase.errors import ConfigError
from isophrase.experiment import parse_experiment
from isophrase.files import write_atomically
from isophrase.models.huggingface import load
from isophrase.plan import Asked, Plan
from isophrase.progress import Display, Silent
from isophrase.report.training_page import training_page
from isophrase.sources.documents import Document
from isophrase.types import ModelSpec, Split, digest, plain

TUNE = Method(
    parameters=Parameters(kind=Kind.FULL),
    supervised=0.5,
    supervised_reference=0.5,
    consistency=0.0,
    draws=Draws(wordings=4, references=4, inputs=4),
    schedule=Schedule(steps=200, rate=2e-5, weight_decay=0.01),
)
"""Instruction tuning with cross-entropy on the response, on references and training wordings alike."""
DEMO = Path(__file__).parents[1] / "data" / "demo-align.yaml"
ADAPTER, BEFORE, AFTER = "adapter", "before", "after"


@dataclass(frozen=True)
class Aligned:
    """What a training wrote.

    Attributes:
        folder: The PEFT folder (or the checkpoint of a full model).
        record: What it was trained on.
    """

    folder: Path
    record: Record


def align(path: Path | str, out: Path | str | None = None, shown: Display | None = None) -> Aligned:
    """Train an adapter that makes a model answer alike however an instruction is worded.

    Call it again after any crash, and it goes on where it stopped.

    Args:
        path: The job's file (docs/alignment.md).
        out: Where to write; default `runs/NAME`.
        shown: Where progress is shown.

    Raises:
        IsophraseError: Something that the user can mend.
    """
    return _train(load_job(Path(path), cache_folder()), "align", out, shown or Silent())


def tune(path: Path | str, out: Path | str | None = None, shown: Display | None = None) -> Aligned:
    """Instruction tuning with cross-entropy on the response; arguments as for `align`."""
    return _train(load_job(Path(path), cache_folder(), default=TUNE), "tune", out, shown or Silent())


def _train(job: Job, kind: str, out: Path | str | None, shown: Display) -> Aligned:
    folder = (Path(out) if out is not None else Path("runs") / job.name) / ADAPTER
    make_folder(folder)
    for note in job.notes:
        shown.note(note)
    full = job.method.parameters.kind is Kind.FULL
    loaded = load(_as_trained(job.model, full=full), notify=shown.note)
    training = Training(
        method=job.method, materials=job.materials, registers=tuple(bundled_registers()), seed=job.seed,
        every=job.every, autocast=job.model.dtype == "auto",
    )  # fmt: skip
    log, close = open_trackers(job.trackers, job.name, folder.parent / "trackers", plain(job.method))
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

    purpose = Purpose(kind=kind, name=job.method_name, tuned_on=job.model.trained_on)
    record = run_training(loaded, training, purpose, folder, job.watch, on_step=on_step, on_sight=on_sight)
    close()
    what = f"{job.method_name} on {job.model.name}, seed {job.seed}, {record.parameters:,} numbers trained"
    page = training_page(job.name, [what, *record.notes, *job.notes], record.steps, record.sights)
    write_atomically(folder.parent / "training.html", page.encode())
    return Aligned(folder, record)


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
        path: The job's file, whose training is finished.
        out: As for `align`.
        shown: Where progress is shown.

    Returns:
        The run folders before and after, which `compare` takes.
    """
    job = load_job(Path(path), cache_folder())
    shown = shown or Silent()
    place = Path(out) if out is not None else Path("runs") / job.name
    full = job.method.parameters.kind is Kind.FULL
    trained = str(place / ADAPTER)
    before = _as_trained(job.model, full=full)
    after = replace(before, source=trained) if full else replace(before, adapter=trained)
    folders = []
    for name, spec in ((BEFORE, before), (AFTER, after)):
        folder = fill_run(_experiment(job, name, spec), _held_out(job), place / name, shown)
        write_report(folder)
        folders.append(folder)
    return folders[0], folders[1]


def _held_out(job: Job) -> Plan:
    """References, test wordings and test controls on test inputs."""
    asked = tuple(_asked(item, job.verify) for item in job.materials)
    digests = {
        "tasks": {item.task.name: digest(item.task) for item in asked},
        "instructions": {item.task.name: digest(list(item.instructions)) for item in asked},
    }
    what = "test wordings and references on test inputs: alignment saw none of these test wordings"
    return Plan(asked, (what, *job.notes), digests)


def _asked(material: Material, limit: int) -> Asked:
    wordings = material.wordings
    examples = material.task.split(Split.TEST)[:limit]
    task = replace(material.task, examples=examples)
    return Asked(task, (*wordings.references, *wordings.test, *wordings.test_controls), examples)


def _experiment(job: Job, name: str, spec: ModelSpec) -> Any:
    section: Mapping[str, Any] = {
        "source": spec.source, "name": job.model.name, "revision": spec.revision, "dtype": spec.dtype,
        "device": spec.device, "adapter": spec.adapter, "format": spec.prompt_format,
        "trained_on": None if spec.trained_on is None else sorted(spec.trained_on),
    }  # fmt: skip
    content = {
        "name": f"{job.name}-{name}", "seed": job.seed, "models": [section],
        "tasks": [item.task.name for item in job.materials], "controls": True,
    }  # fmt: skip
    return parse_experiment(Document(f"{job.name}-{name}", content), base=Path())
