"""The tuned model, which rows repair: the base model with an adapter that is trained once and kept beside the rows.

Knows how an adapter is kept and put into the weights. Two machines seldom train the same weights, so rows can be
compared, and computed anew, only while the adapter stays: a PEFT folder of a few megabytes. Does not know rows.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

from isophrase.alignment.method import beyond_defaults
from isophrase.alignment.record import RECORD, make_folder
from isophrase.alignment.running import Provenance, run_training
from isophrase.alignment.training import Step, Training
from isophrase.files import write_atomically
from isophrase.models.fingerprint import fingerprint_adapter
from isophrase.models.folders import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from isophrase.models.huggingface import identify, load
from isophrase.models.quiet import quiet
from isophrase.testbed.recipe import BASE, TUNING, VERSION, Testbed
from isophrase.types import ModelSpec, PromptFormat, digest, plain

Notify = Callable[[str], None]


def tuned_adapter(testbed: Testbed, place: Path, results: Path, seed: int, notify: Notify) -> Path:
    """The adapter of a tuned model, trained unless it is kept.

    Args:
        testbed: Tasks and wordings.
        place: The folder of trainings in progress.
        results: The folder of kept rows; adapters are in `tuned` there.
        seed: Of the tuning.
        notify: Told what happens.

    Returns:
        Its folder among the results.

    Raises:
        StoreError: The results can't be written.
    """
    name = f"{testbed.source.value}-{_tuned_digest(testbed)[:12]}-seed{seed}"
    kept = results / "tuned" / name
    place.mkdir(parents=True, exist_ok=True)
    make_folder(kept.parent, "--results")
    with FileLock(place / f"{name}.lock"):  # another process may be at it
        if not (kept / RECORD).is_file():
            _train(testbed, place / name, seed, notify)
            _keep(place / name, kept)
    return kept


def tuned_model(adapter: Path, place: Path) -> ModelSpec:
    """The whole model of a kept adapter: float64 sums products of bfloat16 exactly, so it is the same everywhere.

    Args:
        adapter: The kept adapter.
        place: The folder where whole models are cached.
    """
    base = identify(_base()).identity["fingerprint"]
    folder = place / f"{adapter.name}-{base[:8]}-{fingerprint_adapter(adapter)[:8]}"
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / f"{folder.name}.lock"):
        if not (folder / RECORD).is_file():
            loaded = load(replace(_base(), adapter=str(adapter), device="cpu"))
            merged = loaded.model.to(torch.float64).merge_and_unload().to(torch.float32)
            with quiet():
                merged.save_pretrained(folder)
            loaded.tokenizer.save_pretrained(folder)
            write_atomically(folder / RECORD, (adapter / RECORD).read_bytes())  # last: it says that all is there
    return ModelSpec("tuned", str(folder), dtype="float32", prompt_format=PromptFormat.PLAIN)


def tuned_identity(testbed: Testbed, seed: int) -> list[object]:
    """What a tuned model's weights depend on."""
    return [_tuned_digest(testbed), seed]


@cache
def _tuned_digest(testbed: Testbed) -> str:
    items = testbed.materials + testbed.opposites
    seen = [[item.wordings.references, item.train, item.weight, item.since] for item in items]
    tuning = beyond_defaults(plain(TUNING))
    return digest({"version": VERSION, "source": testbed.source, "base": BASE, "tuning": tuning, "seen": seen})


def _base() -> ModelSpec:
    return ModelSpec("base", BASE, dtype="float32", prompt_format=PromptFormat.PLAIN)


def _train(testbed: Testbed, folder: Path, seed: int, notify: Notify) -> None:
    def say(step: Step) -> None:
        notify(f"tuning: step {step.number}, loss {step.total:.3f}")

    materials = testbed.materials + testbed.opposites
    training = Training(method=TUNING, materials=materials, seed=seed, every=60)
    run_training(load(_base()), training, Provenance(kind="tune", name="testbed", tuned_on=None), folder, on_step=say)


def _keep(trained: Path, kept: Path) -> None:
    """Copies an adapter in bfloat16, in one piece; one that another process kept meanwhile stays."""
    weights = {name: weight.bfloat16() for name, weight in load_file(trained / ADAPTER_WEIGHTS).items()}
    config = json.loads((trained / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    # PEFT writes the folder of the machine that trained it, and a set in any order.
    config |= {"base_model_name_or_path": BASE, "target_modules": sorted(config["target_modules"])}
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as temporary:
        part = Path(temporary) / kept.name
        part.mkdir()
        save_file(weights, part / ADAPTER_WEIGHTS, {"format": "pt"})
        (part / ADAPTER_WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone
        (part / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")
        shutil.copyfile(trained / RECORD, part / RECORD)
        try:
            os.rename(part, kept)
        except OSError:
            if not (kept / RECORD).is_file():
                raise
