"""Safetensors files, read only as far as their header.

Knows the file format (https://github.com/huggingface/safetensors#format): 8 bytes of length, a JSON header, the data.
Does not know models. No heavy library.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isophrase.errors import ModelError

_LFS = b"version https://git-lfs"
_LARGEST_HEADER = 100_000_000
"""The format's own limit, in bytes."""
_ELEMENT_BITS = {"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
                 "U16": 16}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SafetensorsFile:
    """A whole safetensors file.

    Attributes:
        path: The file.
        header_bytes: Where the data begins.
        size: The file's length.
        elements: Number of values in all tensors.
    """

    path: Path
    header_bytes: int
    size: int
    elements: int


def read_safetensors(path: Path) -> SafetensorsFile:
    """Check that the file is whole: its header parses and its length is what the header says.

    Raises:
        ModelError: It is not; the message tells a git-lfs pointer from a truncated file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(max(8, len(_LFS)))
        if start.startswith(_LFS):
            raise ModelError(
                f"weights in {path}", got="a git-lfs pointer to them", remedy="run: git lfs pull"
            )  # fmt: skip
        length = int.from_bytes(start[:8], "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise _broken(path, f"{size:,} bytes that do not begin with a whole header")
        file.seek(8)
        header = _parse(path, file.read(length))
    ends = [tensor["data_offsets"][1] for tensor in header.values()]
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise _broken(path, f"{size:,} bytes where its header says {expected:,}")
    elements = sum(_elements(tensor) for tensor in header.values())
    return SafetensorsFile(path, 8 + length, size, elements)


def tensor_names(path: Path) -> tuple[str, ...]:
    """The names of a whole file's tensors, in the header's order."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return tuple(_parse(path, file.read(length)))


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    try:
        header = json.loads(data)
        tensors = {name: value for name, value in header.items() if name != "__metadata__"}
        for value in tensors.values():
            int(value["data_offsets"][1]), list(value["shape"]), str(value["dtype"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise _broken(path, "a header that is not the format's JSON") from error
    return tensors


def _elements(tensor: dict[str, Any]) -> int:
    """From the shape; packed formats (fewer than 16 bits) from their bytes, an element each."""
    begin, end = tensor["data_offsets"]
    bits = _ELEMENT_BITS.get(tensor["dtype"], 8)
    return int((end - begin) * 8 // bits)


def _broken(path: Path, got: str) -> ModelError:
    return ModelError(f"a whole safetensors file at {path}", got=got, remedy="copy or download it again")
