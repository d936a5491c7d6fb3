"""What is in a model folder, found out before anything heavy is loaded.

Knows the files that a model or an adapter consists of and says in one line what is missing or must not be there. Does
not know where the folder comes from and loads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.gguf import read_metadata
from isophrase.models.weights import read_safetensors

UNSAFE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack", ".npz")
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
TOKENIZER_SOURCES = (
    "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt",
    "tekken.json",
)  # fmt: skip
"""Each holds a vocabulary: one of them is enough."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with all that a model needs.

    Attributes:
        path: The folder.
        config: The parsed config.json; empty where a GGUF file has it all.
        weight_files: Names of the weight files.
        gguf: The name of the GGUF file to load, or None for safetensors.
        elements: Number of weights; 0 where it is not known (GGUF).
    """

    path: Path
    config: Mapping[str, Any]
    weight_files: tuple[str, ...]
    gguf: str | None
    elements: int


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """A PEFT folder; `config` is the parsed adapter_config.json."""

    path: Path
    config: Mapping[str, Any]

    @property
    def base(self) -> str:
        """The model that it was trained on, as its record names it; empty where it does not say."""
        return str(self.config.get("base_model_name_or_path") or "")


def open_model(path: Path) -> ModelFolder:
    """Look into a model folder, or at one GGUF file.

    Raises:
        ModelError: Something is missing, broken or refused; the message says what.
    """
    if path.is_file():
        return _open_file(path)
    if not path.is_dir():
        raise ModelError("a model folder", got=f"nothing at {path}", remedy="correct the model's source")
    if not (path / "config.json").is_file():
        return _open_without_config(path)
    config = read_json(path / "config.json")
    weights = _safetensors(path)
    if not weights:
        gguf = _only_gguf(path)
        if gguf is None:
            raise _no_weights(path)
        return ModelFolder(path, config, (gguf,), gguf, 0)
    if not any((path / name).is_file() for name in TOKENIZER_SOURCES):
        raise ModelError(
            f"a tokenizer in {path}", got=f"none of {', '.join(TOKENIZER_SOURCES)}",
            remedy="save it there: tokenizer.save_pretrained(folder)",
        )  # fmt: skip
    elements = sum(read_safetensors(path / name).elements for name in weights)
    return ModelFolder(path, config, weights, None, elements)


def _open_file(path: Path) -> ModelFolder:
    if path.suffix != ".gguf":
        raise ModelError("a model folder or a .gguf file", got=str(path), remedy="give the folder that it is in")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"a GGUF file at {path}", got="another kind of file", remedy="download it again")
    read_metadata(path, ())
    return ModelFolder(path.parent, {}, (path.name,), path.name, 0)


def _open_without_config(path: Path) -> ModelFolder:
    if (path / ADAPTER_CONFIG).is_file():
        raise ModelError(
            "a model folder", got=f"a PEFT adapter in {path}", remedy="give it as `adapter`, and its base as `source`"
        )  # fmt: skip
    gguf = _only_gguf(path)
    if gguf is None:
        found = ", ".join(sorted(item.name for item in path.iterdir())[:5]) or "an empty folder"
        raise ModelError(f"config.json in {path}", got=found, remedy="give a folder written by save_pretrained")
    return _open_file(path / gguf)


def _safetensors(path: Path) -> tuple[str, ...]:
    """Names of the weight files: those of the index, else the single one."""
    if (path / INDEX).is_file():
        index = read_json(path / INDEX).get("weight_map")
        if not isinstance(index, dict) or not index:
            raise ModelError(
                f"a weight_map in {path / INDEX}", got="none", remedy="copy or download the folder again"
            )  # fmt: skip
        names = tuple(sorted(set(map(str, index.values()))))
        missing = [name for name in names if not (path / name).is_file()]
        if missing:
            raise ModelError(
                f"{len(names)} weight files in {path}", got=f"{len(missing)} missing (first: {missing[0]})",
                remedy="copy or download the folder again",
            )  # fmt: skip
        return names
    return (SINGLE,) if (path / SINGLE).is_file() else ()


def _only_gguf(path: Path) -> str | None:
    names = sorted(item.name for item in path.glob("*.gguf"))
    if len(names) > 1:
        raise ModelError(
            f"one GGUF file in {path}", got=f"{len(names)}: {', '.join(names[:4])}", remedy="give the path of one"
        )  # fmt: skip
    return names[0] if names else None


def _no_weights(path: Path) -> ModelError:
    unsafe = sorted(item.name for item in path.iterdir() if item.suffix in UNSAFE_SUFFIXES)
    if unsafe:
        return unsafe_weights(str(path), unsafe)
    other = sorted(item.name for item in path.glob("*.safetensors"))
    got = f"only {', '.join(other[:3])}" if other else "no weights"
    return ModelError(f"{SINGLE} or {INDEX} in {path}", got=got, remedy="give a folder written by save_pretrained")


def unsafe_weights(where: str, names: list[str]) -> ModelError:
    """The refusal of weight files that can run code when they are read."""
    return ModelError(
        f"weights as safetensors or GGUF in {where}", got=f"only {', '.join(names[:3])}, a format that can run code",
        remedy="convert it first: load it where you trust it and call save_pretrained",
    )  # fmt: skip


def open_adapter(path: Path) -> AdapterFolder:
    """Look into a PEFT adapter folder.

    Raises:
        ModelError: Something is missing, broken or refused.
    """
    if not path.is_dir():
        raise ModelError("an adapter folder", got=f"nothing at {path}", remedy="correct the model's adapter")
    if not (path / ADAPTER_CONFIG).is_file():
        raise ModelError(f"{ADAPTER_CONFIG} in {path}", got="none", remedy="give a folder written by PEFT")
    config = read_json(path / ADAPTER_CONFIG)
    if not isinstance(config.get("peft_type"), str):
        raise ModelError(f"peft_type in {path / ADAPTER_CONFIG}", got="none", remedy="give a folder written by PEFT")
    if not (path / ADAPTER_WEIGHTS).is_file():
        unsafe = sorted(item.name for item in path.iterdir() if item.suffix in UNSAFE_SUFFIXES)
        if unsafe:
            raise unsafe_weights(str(path), unsafe)
        raise ModelError(f"{ADAPTER_WEIGHTS} in {path}", got="none", remedy="give a folder written by PEFT")
    read_safetensors(path / ADAPTER_WEIGHTS)
    return AdapterFolder(path, config)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelError: The file is something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"JSON in {path}", got=str(error), remedy="copy or download the folder again") from error
    if not isinstance(value, dict):
        raise ModelError(f"a JSON object in {path}", got=type(value).__name__, remedy="copy the folder again")
    return value
