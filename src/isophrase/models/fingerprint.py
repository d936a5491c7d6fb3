"""What identifies the weights and the tokenizer in a folder, in seconds whatever their size.

Small files are hashed whole. Of a weight file the hash takes the length, the header (every tensor's name, type, shape
and place) and 64 blocks of 64 KiB spread evenly over it, first and last bytes among them; a file of up to 4 MiB is
hashed whole. So training, quantising, merging or swapping a model shows, and a file that differs only in a few values
between two blocks does not: this tells models apart, it does not protect against someone who forges one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BLOCKS = 64
BLOCK_BYTES = 64 * 1024
WHOLE_BYTES = BLOCKS * BLOCK_BYTES
"""Files up to this size are hashed whole."""

MODEL_FILES = ("config.json", "generation_config.json", "model.safetensors.index.json")
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json",
    "chat_template.jinja", "chat_template.json",
)  # fmt: skip
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
VOLATILE = ("transformers_version", "_name_or_path", "peft_version", "base_model_name_or_path", "revision")
"""Keys of JSON files that say who wrote them or from where, not what the model is."""
_JSON_BYTES = 1 << 18
"""Larger JSON files (vocabularies, lists of tensors) have no such keys and are hashed as they are."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Two sha256 in hexadecimal digits."""

    weights: str
    tokenizer: str


def fingerprint_model(folder: Path, weight_files: Iterable[str]) -> Fingerprint:
    """Of a model folder.

    Args:
        folder: The folder.
        weight_files: Names of its safetensors or GGUF files. A GGUF file holds configuration and tokenizer too, so
            that without tokenizer files of its own the folder's two fingerprints have the same origin.
    """
    weights = tuple(weight_files)
    tokenizer = [name for name in TOKENIZER_FILES if (folder / name).is_file()] or weights
    return Fingerprint(_combine(folder, [*MODEL_FILES, *weights]), _combine(folder, tokenizer))


def fingerprint_adapter(folder: Path) -> str:
    """Of a PEFT adapter folder."""
    return _combine(folder, ADAPTER_FILES)


def _combine(folder: Path, names: Iterable[str]) -> str:
    """One hash over name and hash of each file that is there."""
    total = hashlib.sha256()
    for name in sorted(set(names)):
        path = folder / name
        if path.is_file():
            total.update(f"{name}\0{fingerprint_file(path)}\n".encode())
    return total.hexdigest()


def fingerprint_file(path: Path) -> str:
    """The hash of one file: whole, without volatile keys (JSON), or sampled (large weights)."""
    if path.suffix == ".json":
        return _of_json(path)
    if path.suffix in (".safetensors", ".gguf"):
        return _of_weights(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_json(path: Path) -> str:
    data = path.read_bytes()
    if len(data) <= _JSON_BYTES:
        try:
            value = json.loads(data)
        except ValueError:
            value = None
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if key not in VOLATILE}
            data = json.dumps(kept, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def _of_weights(path: Path) -> str:
    size = path.stat().st_size
    total = hashlib.sha256(size.to_bytes(8, "little"))
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            total.update(file.read())
            return total.hexdigest()
        if path.suffix == ".safetensors":
            length = int.from_bytes(file.read(8), "little")
            total.update(file.read(min(length, size)))
        for block in range(BLOCKS):
            file.seek(block * (size - BLOCK_BYTES) // (BLOCKS - 1))
            total.update(file.read(BLOCK_BYTES))
    return total.hexdigest()
