"""A PEFT adapter on a loaded model.

Knows when an adapter belongs to the model and refuses one that does not. Never merges: the base weights stay as they
are and the adapter stays beside them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.extras import first_line, local_library
from isophrase.models.folders import AdapterFolder

_TASKS = {"CAUSAL_LM": False, "SEQ_2_SEQ_LM": True}


def attach(
    model: Any, adapter: AdapterFolder, *, names: Iterable[str], is_encoder_decoder: bool
) -> tuple[Any, list[str]]:
    """The model with the adapter, and notes.

    Args:
        model: The loaded base model.
        adapter: The adapter's folder.
        names: All names and paths that the base model goes by.
        is_encoder_decoder: The base model's kind.

    Raises:
        ModelError: PEFT is not installed, or the adapter is another model's or broken.
    """
    peft = local_library("peft")
    notes = _check_base(adapter, tuple(names))
    task = adapter.config.get("task_type")
    if task is not None and _TASKS.get(str(task)) != is_encoder_decoder:
        wanted = "SEQ_2_SEQ_LM" if is_encoder_decoder else "CAUSAL_LM"
        raise ModelError(
            f"an adapter with task_type {wanted}", got=f"{task} in {adapter.path}",
            remedy="use the model that it was trained on",
        )  # fmt: skip
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            adapted = peft.PeftModel.from_pretrained(
                model, str(adapter.path), is_trainable=False, local_files_only=True
            )
    except Exception as error:  # PEFT raises ValueError, KeyError, TypeError, RuntimeError and safetensors' errors
        raise ModelError(
            f"an adapter for {type(model).__name__} in {adapter.path}", got=first_line(error),
            remedy="use the model that it was trained on, or train it again",
        ) from error  # fmt: skip
    missing = [str(item.message) for item in caught if "missing adapter keys" in str(item.message)]
    if missing:
        raise ModelError(
            f"all weights of the adapter in {adapter.path}", got=first_line(ValueError(missing[0])),
            remedy="use the model that it was trained on, or train it again",
        )  # fmt: skip
    return adapted, notes


def _check_base(adapter: AdapterFolder, names: tuple[str, ...]) -> list[str]:
    """Compare the base that the adapter names with the names of the loaded model."""
    base = adapter.base
    if not base:
        return ["the adapter does not say which model it was trained on; its weights fit this one"]
    if _normal(base) in {_normal(name) for name in names}:
        return []
    if _last(base) in {_last(name) for name in names}:
        return [f"the adapter was trained on {base}, which has the same last name as this model; its weights fit"]
    raise ModelError(
        f"the model that the adapter was trained on ({base})", got=names[0],
        remedy=f"use that model, or correct base_model_name_or_path in {adapter.path / 'adapter_config.json'}",
    )  # fmt: skip


def _normal(name: str) -> str:
    path = Path(name).expanduser()
    return str(path.resolve()) if path.exists() else name.rstrip("/").lower()


def _last(name: str) -> str:
    return name.rstrip("/").rsplit("/", 1)[-1].lower()
