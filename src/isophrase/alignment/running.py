"""One training from start to folder: train, keep the best weights, record, save.

Knows the order. Does not know experiment files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from isophrase.alignment.method import beyond_defaults
from isophrase.alignment.mixtures import parts_seen, wordings_seen
from isophrase.alignment.record import Record, content_digests, read_record, save
from isophrase.alignment.sampling import drawable
from isophrase.alignment.training import Step, Trained, Training, autocasts, train, vars_of
from isophrase.alignment.watching import Sight, Watch, Watcher, history
from isophrase.alignment.wordings import digests
from isophrase.manifest import environment
from isophrase.models.huggingface import LoadedModel
from isophrase.types import PromptFormat, digest, plain


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a training is, and what its base model has seen.

    Attributes:
        kind: `tune` or `align`.
        name: The method's name.
        tuned_on: What is known of the base model's instruction tuning; None: nothing.
        aligned_on: Wordings that the base model was aligned on.
        examples: Examples that the base model was trained on.
    """

    kind: str
    name: str
    tuned_on: frozenset[str] | None
    aligned_on: frozenset[str] = frozenset()
    examples: frozenset[str] = frozenset()


def run_training(
    loaded: LoadedModel,
    training: Training,
    provenance: Provenance,
    folder: Path,
    watch: Watch | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    on_sight: Callable[[Sight], None] | None = None,
) -> Record:
    """Train into a folder; a finished folder is left as it is, an unfinished one goes on.

    The adapter of another training in the folder is replaced.

    Args:
        loaded: The base model; it is changed in place.
        training: What to train; its checkpoint is put into the folder.
        provenance: What kind of training it is, and what its base model has seen.
        folder: Where the PEFT folder (or the checkpoint of a full model) is written.
        watch: What to look at meanwhile.
        on_step: Told of each step.
        on_sight: Told of each look.

    Returns:
        The record.

    Raises:
        IsophraseError: A question can't be trained on, or training would make a test wording.
    """
    done = finished(loaded, training, provenance, folder, watch)
    if done is not None:
        return done
    wanted = _record(loaded, training, provenance, watch)
    state = folder / ".training" / f"{digest(_identity(wanted))[:16]}.pt"
    watcher = Watcher(watch, on_sight) if watch is not None else None
    looks = [watcher] if watcher is not None else []
    trained = train(loaded, replace(training, checkpoint=state), looks=looks, notify=on_step)
    record = replace(
        wanted,
        parameters=trained.trainable.count,
        seconds=trained.steps[-1].seconds if trained.steps else 0.0,
        steps=tuple(vars_of(step) for step in trained.steps),
        sights=tuple(history(watcher.sights)) if watcher is not None else (),
        notes=_notes(trained),
    )
    save(folder, loaded, trained.trainable, record)
    state.unlink(missing_ok=True)
    return record


def finished(
    loaded: LoadedModel, training: Training, provenance: Provenance, folder: Path, watch: Watch | None = None
) -> Record | None:
    """The record of this very training where a folder has it; None: it is still to be done. Arguments as above."""
    done = read_record(folder)
    return done if done is not None and _same(done, _record(loaded, training, provenance, watch)) else None


def _notes(trained: Trained) -> tuple[str, ...]:
    notes = list(trained.notes)
    if trained.stopped is not None:
        notes.append(f"stopped after step {trained.stopped}: no better on development wordings")
    if trained.best is not None:
        notes.append(f"weights are those after step {trained.best}, the best on development wordings")
    return tuple(notes)


def _record(loaded: LoadedModel, training: Training, provenance: Provenance, watch: Watch | None) -> Record:
    seen = wordings_seen(training.materials, training.method.draws)
    templates = digests([one for found in seen.values() for one in found])
    tuned, aligned = provenance.tuned_on, provenance.aligned_on
    if provenance.kind == "tune":
        tuned = (tuned or frozenset()) | templates
    else:
        aligned |= templates
    examples = {one for item in training.materials for example in item.train for one in content_digests(example)}
    return Record(
        kind=provenance.kind,
        name=provenance.name,
        method=plain(training.method),
        seed=training.seed,
        base={
            "source": loaded.spec.source,
            "dtype": loaded.spec.dtype,
            "format": (loaded.spec.prompt_format or PromptFormat.PLAIN).value,
            "products": "bfloat16" if autocasts(loaded, training) else loaded.spec.dtype,
            **loaded.identity,
        },
        tuned_on=None if tuned is None else tuple(sorted(tuned)),
        aligned_on=tuple(sorted(aligned)),
        material=_material(training, watch),
        examples=tuple(sorted(examples | provenance.examples)),
        instructions={name: tuple(one.id for one in found) for name, found in seen.items()},
        versions=environment(),
    )


def _material(training: Training, watch: Watch | None) -> str:
    """The digest of what the weights depend on beside method, seed and base."""
    parts = parts_seen(training.method.draws)
    tasks = [
        [item.weight, item.since, [plain(getattr(item.wordings, part)) for part in parts], plain(item.train)]
        for item in training.materials
    ]
    registers = plain(drawable(training.registers, training.method.draws))
    stops = None
    if watch is not None and watch.patience:
        looked_at = [[plain(item.wordings.dev), plain(item.dev)] for item in training.materials]
        stops = [training.every, watch.patience, watch.wordings, watch.inputs, looked_at]
    return digest([tasks, registers, stops])


def _identity(record: Record) -> dict[str, object]:
    return {
        "kind": record.kind, "method": beyond_defaults(record.method), "seed": record.seed, "base": record.base,
        "examples": record.examples, "aligned_on": record.aligned_on, "tuned_on": record.tuned_on,
        "material": record.material,
    }  # fmt: skip


def _same(one: Record, other: Record) -> bool:
    return digest(_identity(one)) == digest(_identity(other))
