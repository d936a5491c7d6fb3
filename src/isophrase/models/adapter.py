"""A PEFT adapter on a loaded model.

Knows when an adapter belongs to the model and refuses one that does not. Never merges: the base weights stay as they
are and the adapter stays beside them.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.extras import first_line, local_library
from isophrase.models.fingerprint import fingerprint_model
from isophrase.models.folders import ADAPTER_CONFIG, ADAPTER_WEIGHTS, AdapterFolder, open_model
from isophrase.models.weights import tensor_names

_TASKS = {"CAUSAL_LM": False, "SEQ_2_SEQ_LM": True}


@dataclass(frozen=True, slots=True)
class Base:
    """The loaded model, as far as an adapter has to know it.

    Attributes:
        names: All names and paths that it goes by; the first is the user's.
        fingerprint: Of its weights.
        is_encoder_decoder: Its kind.
    """

    names: tuple[str, ...]
    fingerprint: str
    is_encoder_decoder: bool


def attach(model: Any, adapter: AdapterFolder, base: Base) -> tuple[Any, list[str]]:
    """The model with the adapter beside its weights, and notes.

    Args:
        model: The loaded base model.
        adapter: The adapter's folder.
        base: What is known of that model.

    Raises:
        ModelError: PEFT is not installed, or the adapter is another model's or broken.
    """
    peft = local_library("peft")
    notes = _check_base(adapter, base)
    _check_task(adapter, base.is_encoder_decoder)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            adapted = peft.PeftModel.from_pretrained(
                model, str(adapter.path), is_trainable=False, local_files_only=True
            )  # fmt: skip
    except Exception as error:  # PEFT raises ValueError, KeyError, TypeError, RuntimeError and safetensors' errors
        raise ModelError(
            f"an adapter for {type(model).__name__} in {adapter.path}", got=first_line(error),
            remedy="use the model that it was trained on, or train it again",
        ) from error  # fmt: skip
    for item in caught:
        keys = re.findall(r"'([^']+)'", str(item.message)) if "missing adapter keys" in str(item.message) else []
        if keys:
            raise ModelError(
                f"all weights of the adapter in {adapter.path}", got=f"{len(keys)} missing (first: {keys[0]})",
                remedy="use the model that it was trained on, or train it again",
            )  # fmt: skip
    adapted.eval().requires_grad_(False)
    return adapted, notes + _unused(peft, adapted, adapter)


def _check_task(adapter: AdapterFolder, is_encoder_decoder: bool) -> None:
    task = adapter.config.get("task_type")
    if task is not None and _TASKS.get(str(task)) != is_encoder_decoder:
        wanted = "SEQ_2_SEQ_LM" if is_encoder_decoder else "CAUSAL_LM"
        raise ModelError(
            f"an adapter with task_type {wanted}", got=f"{task} in {adapter.path}",
            remedy="use the model that it was trained on",
        )  # fmt: skip


def _unused(peft: Any, adapted: Any, adapter: AdapterFolder) -> list[str]:
    used = set(peft.get_peft_model_state_dict(adapted, save_embedding_layers=False))
    unused = sorted(set(tensor_names(adapter.path / ADAPTER_WEIGHTS)) - used)
    return [f"{len(unused)} tensors of the adapter are not used (first: {unused[0]})"] if unused else []


def _check_base(adapter: AdapterFolder, base: Base) -> list[str]:
    """Compare the model that the adapter names with the loaded one; notes where that leaves a doubt."""
    wanted = adapter.base
    if not wanted:
        return ["the adapter does not say which model it was trained on; its weights fit this one"]
    if _normal(wanted) in {_normal(name) for name in base.names} or _same_weights(wanted, base.fingerprint):
        return []
    if _last(wanted) in {_last(name) for name in base.names}:
        return [f"the adapter was trained on {wanted}, which has the same last name as this model; its weights fit"]
    raise ModelError(
        f"the model that the adapter was trained on ({wanted})", got=base.names[0],
        remedy=f"use that model, or correct base_model_name_or_path in {adapter.path / ADAPTER_CONFIG}",
    )  # fmt: skip


def _same_weights(wanted: str, fingerprint: str) -> bool:
    """Whether the name is a folder on this disk with the same weights."""
    path = Path(wanted).expanduser()
    if not path.is_dir():
        return False
    try:
        folder = open_model(path)
    except ModelError:
        return False
    return fingerprint_model(folder.path, folder.weight_files).weights == fingerprint


def _normal(name: str) -> str:
    path = Path(name).expanduser()
    return str(path.resolve()) if path.exists() else name.rstrip("/").lower()


def _last(name: str) -> str:
    return name.rstrip("/").rsplit("/", 1)[-1].lower()
