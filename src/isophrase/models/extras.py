"""Libraries that only some installations have, imported when they are needed.

Knows which extra of the package brings which library.
"""

from __future__ import annotations

import importlib
from typing import Any

from isophrase.errors import ModelError

EXTRAS = {
    "torch": "local",
    "transformers": "local",
    "huggingface_hub": "local",
    "safetensors": "local",
    "accelerate": "local",
    "gguf": "local",
    "sentencepiece": "local",
    "peft": "train",
    "datasets": "datasets",
}
"""Library -> the extra that brings it."""


def local_library(name: str) -> Any:
    """The imported module.

    Raises:
        ModelError: It is not installed, or it is broken.
    """
    extra = EXTRAS[name.partition(".")[0]]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        raise ModelError(
            f"the library {missing}", got="it is not installed", remedy=f"run: pip install 'isophrase[{extra}]'"
        ) from error
    except (ImportError, OSError) as error:
        raise ModelError(
            f"a working library {name}", got=f"it fails to import: {first_line(error)}",
            remedy=f"run: pip install --force-reinstall 'isophrase[{extra}]'",
        ) from error  # fmt: skip


def first_line(error: BaseException, *, limit: int = 200) -> str:
    """An error's message for one line of text: its first lines until one ends without a colon, cut to `limit`."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    text = lines[0]
    for line in lines[1:]:
        if not text.endswith(":"):
            break
        text += " " + line
    return text if len(text) <= limit else text[: limit - 1] + "…"
