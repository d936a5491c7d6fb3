"""The tokenizer of a model folder, as its authors saved it.

Knows that transformers rebuilds some tokenizers from their vocabulary and a class's own rules (for Qwen2 and others
whatever the folder says), which loses what tokenizer.json holds; so the loaded tokenizer is compared with the file.
Does not know prompts.
"""

from __future__ import annotations

from typing import Any

from isophrase.errors import ModelError
from isophrase.models.extras import first_line, local_library
from isophrase.models.folders import ModelFolder
from isophrase.models.gguf import mend_pre_tokenizer

_PROBE = (
    "Is it 1 or 1234?  A: yes,\tB: no.\n\nÜber 3.5 % — naïve café, don't you'll\n  \n"
    "(A) 你好 мир\r\nx==y; <b>_Z_</b> 🙂\n"
)
"""Text that pre-tokenisers differ on: digits, white space, contractions, scripts, punctuation."""


def load_tokenizer(folder: ModelFolder) -> tuple[Any, list[str]]:
    """The tokenizer and notes about it.

    Raises:
        ModelError: It can't be loaded without running code from the folder, or at all.
    """
    transformers = local_library("transformers")
    arguments: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    if folder.gguf is not None:
        arguments["gguf_file"] = folder.gguf
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder.path, **arguments)
    except Exception as error:  # every library below has its own tree of errors
        raise ModelError(
            f"a tokenizer in {folder.path}", got=first_line(error), remedy="save it there anew with save_pretrained"
        ) from error  # fmt: skip
    if folder.gguf is not None:
        return tokenizer, mend_pre_tokenizer(tokenizer, folder.path / folder.gguf)
    saved = _saved(folder)
    if saved is None or _encode(tokenizer) == saved:
        return tokenizer, []
    faithful = transformers.PreTrainedTokenizerFast.from_pretrained(folder.path, local_files_only=True)
    if _encode(faithful) != saved:
        return tokenizer, ["the tokenizer that transformers builds differs from the folder's tokenizer.json"]
    name = type(tokenizer).__name__
    return faithful, [f"used the tokenizer as tokenizer.json has it; transformers' {name} would split text otherwise"]


def _encode(tokenizer: Any) -> list[int]:
    ids: list[int] = tokenizer(_PROBE, add_special_tokens=False)["input_ids"]
    return ids


def _saved(folder: ModelFolder) -> list[int] | None:
    """The probe's tokens by tokenizer.json itself, or None where there is no such file."""
    path = folder.path / "tokenizer.json"
    if not path.is_file():
        return None
    from tokenizers import Tokenizer

    try:
        saved = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(
            f"a tokenizer in {path}", got=first_line(error), remedy="copy or download it again"
        ) from error  # fmt: skip
    saved.no_truncation()
    saved.no_padding()
    ids: list[int] = saved.encode(_PROBE, add_special_tokens=False).ids
    return ids


def check_vocabulary(tokenizer: Any, rows: int) -> list[str]:
    """Notes on a tokenizer whose added tokens the model has no embedding for.

    Args:
        tokenizer: The tokenizer.
        rows: How many tokens the model embeds.

    Raises:
        ModelError: Its own vocabulary is larger than the model's: it belongs to another model.
    """
    if tokenizer.vocab_size > rows:
        raise ModelError(
            f"a tokenizer of at most {rows:,} tokens", got=f"one of {tokenizer.vocab_size:,}",
            remedy="put the model's own tokenizer into its folder",
        )  # fmt: skip
    if len(tokenizer) > rows:
        return [f"the tokenizer has {len(tokenizer) - rows} added tokens that the model does not embed"]
    return []
