"""Which of the two kinds a model is, from its configuration alone.

Knows decoder-only from encoder-decoder, and what a model that is neither, or that brings code of its own, looks like.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.extras import first_line, local_library
from isophrase.models.folders import ModelFolder

_LENGTH_NAMES = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "max_seq_len", "seq_length")
_RELATIVE = ("t5", "mt5", "umt5", "longt5", "switch_transformers", "pop2piano")
"""Encoder-decoders with relative positions: whatever their configurations say, no table of positions ends."""
_UNSET_LENGTH = 1_000_000
"""Tokenizers without a limit say 10^30."""


@dataclass(frozen=True, slots=True)
class ContextLength:
    """How many tokens fit, None where nothing limits them, and where that is from."""

    tokens: int | None
    origin: str


def read_config(folder: ModelFolder) -> Any:
    """The library's configuration object.

    Raises:
        ModelError: It needs code from the folder, or the library does not know it.
    """
    if folder.gguf is None:
        _check_model_type(folder.path.name, folder.config)
    auto = local_library("transformers").AutoConfig
    arguments: dict[str, Any] = {} if folder.gguf is None else {"gguf_file": folder.gguf}
    try:
        config = auto.from_pretrained(folder.path, trust_remote_code=False, local_files_only=True, **arguments)
    except Exception as error:  # the library raises ValueError, KeyError, ImportError and its validators' errors
        raise ModelError(
            f"a usable configuration in {folder.path}", got=first_line(error), remedy="give another model folder"
        ) from error  # fmt: skip
    return config


def _check_model_type(name: str, config: Mapping[str, Any]) -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    kind = config.get("model_type")
    if kind in CONFIG_MAPPING_NAMES:
        return
    if config.get("auto_map"):
        raise ModelError(
            "a model that the library knows", got=f"{name} ({kind or 'no model_type'}), which needs code of its own",
            remedy="use a model that runs without trust_remote_code; it stays off",
        )  # fmt: skip
    if kind is None:
        raise ModelError("model_type in config.json", got=f"none in {name}", remedy="give a complete model folder")
    raise ModelError(
        "an architecture that the installed transformers knows", got=f"{kind!r} in {name}",
        remedy="update transformers or use another model",
    )  # fmt: skip


def is_encoder_decoder(config: Any) -> bool:
    """True for an encoder-decoder that writes text, False for a decoder.

    Raises:
        ModelError: The model is neither (an encoder, a classifier).
    """
    from transformers.models.auto import modeling_auto as auto

    decoders = auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    pairs = auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    kind = config.model_type
    named = tuple(config.architectures or ())
    if config.is_encoder_decoder and kind in pairs:
        expected = pairs[kind]
        pair = True
    elif not config.is_encoder_decoder and kind in decoders and not _is_encoder(config, named):
        expected = decoders[kind]
        pair = False
    else:
        raise _not_generative(kind, named)
    known = {expected} if isinstance(expected, str) else set(expected)
    if named and not known & set(named) and not _writes_text(named):
        raise _not_generative(kind, named)
    return pair


def _writes_text(named: tuple[str, ...]) -> bool:
    endings = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
    return any(name.endswith(endings) for name in named)


def _is_encoder(config: Any, named: tuple[str, ...]) -> bool:
    """BERT and its kind have a decoder class too, which only makes sense for checkpoints trained as one."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    return (
        config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        and not getattr(config, "is_decoder", False)
        and not _writes_text(named)
    )


def _not_generative(kind: str, named: tuple[str, ...]) -> ModelError:
    return ModelError(
        "a decoder-only or encoder-decoder language model", got=f"{', '.join(named) or 'a model'} ({kind})",
        remedy="use a model that can write text",
    )  # fmt: skip


def context_length(config: Any, tokenizer: Any) -> ContextLength:
    """How many tokens the model takes: from its configuration; with relative positions, from its tokenizer."""
    text = config.get_text_config()
    if config.model_type not in _RELATIVE:
        for name in _LENGTH_NAMES:
            value = getattr(text, name, None)
            if isinstance(value, int) and value > 0:
                return ContextLength(value, f"config: {name}")
    limit = getattr(tokenizer, "model_max_length", math.inf)
    if limit < _UNSET_LENGTH:
        return ContextLength(int(limit), "tokenizer: model_max_length")
    return ContextLength(None, "unlimited: neither configuration nor tokenizer sets a length")
