"""The tuned model, which rows repair: the base model with an adapter that is trained once and kept beside the rows.

Knows how an adapter is kept and put into the weights. Two machines never train the same weights, so rows can be
compared, and computed anew, only while the adapter stays: a PEFT folder of a few megabytes. Does not know rows.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

from isophrase.alignment.method import beyond_defaults
from isophrase.alignment.record import RECORD
from isophrase.alignment.running import Purpose, run_training
from isophrase.alignment.training import Step, Training
from isophrase.files import write_atomically
from isophrase.models.catalog import CATALOG
from isophrase.models.fingerprint import fingerprint_adapter
from isophrase.models.folders import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from isophrase.models.huggingface import load
from isophrase.models.quiet import quiet
from isophrase.testbed.recipe import BASE, TUNING, VERSION, Testbed
from isophrase.types import ModelSpec, PromptFormat, digest, plain

Notify = Callable[[str], None]


def build_tuned(testbed: Testbed, cache_folder: Path, results: Path, seed: int, notify: Notify) -> Path:
    """The tuned model of a seed; its adapter is trained unless it is kept.

    Args:
        testbed: Tasks and wordings.
        cache_folder: Where the training and the whole model are kept.
        results: The folder of kept rows; the adapter is in `tuned` there.
        seed: Of the tuning.
        notify: Told what happens.

    Returns:
        A model folder.
    """
    name = f"{testbed.source.value}-{tuned_identity(testbed)[:12]}-seed{seed}"
    kept, place = results / "tuned" / name, cache_folder / "testbed" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(f"{name}.lock")):  # another process may be at it
        if not (kept / RECORD).is_file():
            _train(testbed, place, seed, notify)
            _keep(place, kept)
        folder = place.with_name(f"{name}-{fingerprint_adapter(kept)[:8]}")
        if not (folder / RECORD).is_file():
            _merge(kept, folder)
    return folder


@cache
def tuned_identity(testbed: Testbed) -> str:
    """What a tuned model's weights depend on, beside its seed."""
    items = testbed.materials + testbed.opposites
    seen = [[item.wordings.references, item.train, item.weight, item.since] for item in items]
    tuning = beyond_defaults(plain(TUNING))
    return digest({"version": VERSION, "source": testbed.source, "base": BASE, "tuning": tuning, "seen": seen})


def _base(adapter: Path | None = None) -> ModelSpec:
    name = None if adapter is None else str(adapter)
    return ModelSpec("base", BASE, adapter=name, dtype="float32", device="cpu", prompt_format=PromptFormat.PLAIN)


def _train(testbed: Testbed, folder: Path, seed: int, notify: Notify) -> None:
    def say(step: Step) -> None:
        notify(f"tuning: step {step.number}, loss {step.total:.3f}")

    materials = testbed.materials + testbed.opposites
    training = Training(method=TUNING, materials=materials, seed=seed, every=60, autocast=True)
    run_training(load(_base()), training, Purpose(kind="tune", name="testbed", tuned_on=None), folder, on_step=say)


def _keep(trained: Path, kept: Path) -> None:
    """Copies an adapter in bfloat16, under the name that its base model has everywhere."""
    kept.mkdir(parents=True, exist_ok=True)
    weights = load_file(trained / ADAPTER_WEIGHTS)
    save_file(
        {name: weight.bfloat16() for name, weight in weights.items()}, kept / ADAPTER_WEIGHTS, {"format": "pt"}
    )  # fmt: skip
    config = json.loads((trained / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    entry = CATALOG.get(BASE)
    config["base_model_name_or_path"] = BASE if entry is None else entry.hub_id
    write_atomically(kept / ADAPTER_CONFIG, json.dumps(config, indent=2, sort_keys=True).encode())
    shutil.copyfile(trained / RECORD, kept / RECORD)  # last: it says that all is there


def _merge(kept: Path, folder: Path) -> None:
    """Writes the whole model; float64 sums products of bfloat16 exactly, so every machine gets the same weights."""
    loaded = load(_base(kept))
    merged = loaded.model.to(torch.float64).merge_and_unload().to(torch.float32)
    with quiet():
        merged.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    shutil.copyfile(kept / RECORD, folder / RECORD)
