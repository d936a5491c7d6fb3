"""What a GGUF file says of its tokenizer, and what transformers makes of it.

Knows the key-value part of the format (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) and the rules by
which llama.cpp splits text before byte pairs are merged (`tokenizer.ggml.pre`). transformers has only some of these
rules and silently falls back to GPT-2's for the others, which gives other tokens where white space meets a digit.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from isophrase.errors import ModelError
from isophrase.models.extras import local_library

PRE = "tokenizer.ggml.pre"
_MODEL = "tokenizer.ggml.model"
_DIGIT_BY_DIGIT = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"})
"""llama.cpp: first every digit by itself (`\\p{N}`), then GPT-2's rule."""
_AS_GPT2 = frozenset({"gpt-2", "gpt2", "mpt", "olmo", "jais", "phi-2", "roberta-bpe", "default"})
_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def read_metadata(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """The plain values (numbers and texts) of some keys; arrays are passed over.

    Raises:
        ModelError: The file is not a whole GGUF file of version 2 or 3.
    """
    found: dict[str, Any] = {}
    try:
        with path.open("rb") as file:
            magic, version, _, count = struct.unpack("<4sIQQ", _take(file, 24))
            if magic != b"GGUF" or version not in (2, 3):
                raise ValueError("not GGUF of version 2 or 3")
            for _ in range(count):
                key = _text(file)
                value = _value(file, *struct.unpack("<I", _take(file, 4)))
                if key in keys:
                    found[key] = value
    except (ValueError, KeyError, struct.error) as error:
        raise ModelError(f"a whole GGUF file at {path}", got=str(error), remedy="download it again") from error
    return found


def _take(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise ValueError("it ends too early")
    return data


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _take(file, 8))
    return _take(file, length).decode("utf-8", errors="replace")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        of, count = struct.unpack("<IQ", _take(file, 12))
        if of in (_STRING, _ARRAY):
            for _ in range(count):
                _value(file, of)
        else:
            _take(file, count * struct.calcsize("<" + _FORMATS[of]))
        return None
    return struct.unpack("<" + _FORMATS[kind], _take(file, struct.calcsize("<" + _FORMATS[kind])))[0]


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, the slow reader of the library `gguf` goes through a file once, however often transformers asks.

    transformers opens the file anew for configuration, tokenizer and weights, and each time the reader walks the whole
    vocabulary in Python (a minute for 262,000 tokens).
    """
    library = local_library("gguf")
    reader = library.GGUFReader
    library.GGUFReader = lru_cache(maxsize=1)(reader)
    try:
        yield
    finally:
        library.GGUFReader = reader


def mend_pre_tokenizer(tokenizer: Any, path: Path) -> list[str]:
    """Give the tokenizer the file's own splitting rule where transformers did not; notes if that can't be done.

    Args:
        tokenizer: As transformers read it from the file; changed in place.
        path: The GGUF file.
    """
    from tokenizers import pre_tokenizers
    from transformers.integrations import gguf as library

    metadata = read_metadata(path, (PRE, _MODEL))
    rule = metadata.get(PRE, "default")
    if metadata.get(_MODEL) != "gpt2" or rule in _AS_GPT2:
        return []
    if rule in _DIGIT_BY_DIGIT:
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        return []
    if rule in _rules_of(library):
        return []
    return [f"the GGUF file splits text by the rule {rule!r}, which is not known here: tokens may differ from its own"]


def _rules_of(library: Any) -> Collection[str]:
    """The rules that the installed transformers follows (none before it followed any)."""
    mapping = getattr(library, "gguf_tokenizer_mapping", None)
    rules: Collection[str] = getattr(mapping, "GGUF_PRE_TOKENIZER_SPLITS", ())
    return rules
