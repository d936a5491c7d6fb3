"""What a trained model is and where it comes from: a PEFT folder, or a checkpoint, with a record beside it.

Knows the folder's files. The folder loads with plain transformers and PEFT; the record is for those who want to know
what it was trained on. Does not know how training is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pydantic import TypeAdapter, ValidationError

from isophrase.alignment.method import Kind
from isophrase.alignment.parameters import Trainable
from isophrase.errors import ModelError, StoreError
from isophrase.files import write_atomically
from isophrase.models.huggingface import LoadedModel
from isophrase.types import Example, digest, plain

RECORD = "isophrase.json"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a training leaves behind beside its weights.

    Attributes:
        kind: `tune` or `align`.
        name: The method's name, or `custom`.
        method: All that the method says.
        seed: The seed.
        base: What identifies the model that it was trained on: its source and fingerprints, the
            format of its prompts, the dtype of its weights and of its products in training.
        tuned_on: Template digests and collections seen in instruction tuning, of the base model and of this training if
            it is one; None where nothing is known.
        aligned_on: Template digests of wordings that alignment saw, the base model's too.
        material: Digest of all else that the weights depend on: wordings and examples in full, weights of tasks,
            registers, and what may stop the training.
        examples: Content digests of the examples that it and the base model saw.
        instructions: Ids of the wordings that it saw, by task.
        parameters: Numbers trained and saved.
        seconds: Time in steps, without looks.
        steps: What is recorded of each step.
        sights: What was seen while training.
        versions: Library versions.
        notes: What a reader should know (stopped early, wordings that are in no divergence).
    """

    kind: str
    name: str
    method: Mapping[str, Any]
    seed: int
    base: Mapping[str, str]
    tuned_on: tuple[str, ...] | None
    aligned_on: tuple[str, ...] = ()
    material: str = ""
    examples: tuple[str, ...] = ()
    instructions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: int = 0
    seconds: float = 0.0
    steps: tuple[Mapping[str, Any], ...] = ()
    sights: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def content_digest(example: Example) -> str:
    """What identifies an example whatever split it stands in: the digest of its content."""
    return digest([plain(example.fields), example.options, example.gold, example.references])


def content_digests(example: Example) -> list[str]:
    """What an example may be known by later: one without a label would be met again with any of them."""
    if example.labelled:
        return [content_digest(example)]
    return [content_digest(replace(example, gold=(place,))) for place in range(len(example.options))]


def make_folder(folder: Path, option: str = "--out") -> None:
    """Make the folder of a training, or see that what stands there can be written to, before hours are spent.

    Args:
        folder: The folder.
        option: What names another one at the command line.

    Raises:
        StoreError: It can't.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(
            "a folder that can be written to", got=f"{error.strerror} at {folder}", remedy=f"choose another {option}"
        ) from None


def save(folder: Path, loaded: LoadedModel, trainable: Trainable, record: Record) -> None:
    """Write a PEFT folder (for trained full models: a model folder) with its record.

    Args:
        folder: Where; it is made.
        loaded: The model that was trained.
        trainable: The finished weights.
        record: What is to be known of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / RECORD).is_file():  # of an earlier training, whose weights may be of another kind
        for name in ("adapter_config.json", "adapter_model.safetensors", "config.json", "model.safetensors", RECORD):
            (folder / name).unlink(missing_ok=True)
    trainable.model.save_pretrained(folder)
    if trainable.parameters.kind is Kind.FULL:
        loaded.tokenizer.save_pretrained(folder)
    content = TypeAdapter(Record).dump_json(record, indent=1)
    write_atomically(folder / RECORD, content)


def read_record(folder: Path) -> Record | None:
    """The record in a folder; None where there is none.

    Raises:
        ModelError: It can't be read.
    """
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return TypeAdapter(Record).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, ValueError) as error:
        raise ModelError(
            f"a record of this version in {path}", got=str(error).splitlines()[0],
            remedy="train again, or delete the file: the weights load without it",
        ) from error  # fmt: skip
