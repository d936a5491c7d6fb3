"""What is right: a plain transformers loop, one answer at a time, without batches, caches or packing.

Also small loaded models for the engine's tests, with and without adapters.
"""

from __future__ import annotations

import copy
import functools
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from isophrase.engine.seam import Question
from isophrase.types import ModelSpec
from tests.tiny_models import ENCODER_DECODERS, tiny_model

ADAPTERS = ("lora", "prompt", "p_tuning", "prefix")


@functools.cache
def folder(family: str, context: int = 512, layers: int = 2) -> Path:
    """The folder of a small random model, made once in a test run."""
    return tiny_model(tempfile.mkdtemp(prefix=f"{family}-"), family=family, context=context, layers=layers)


def loaded(family: str, adapter: str | None = None, *, dtype: torch.dtype = torch.float32, context: int = 512) -> Any:
    """A small random model, freshly loaded, with what `LoadedModel` has."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    pairs = family in ENCODER_DECODERS
    path = folder(family, context)
    model = (AutoModelForSeq2SeqLM if pairs else AutoModelForCausalLM).from_pretrained(path, dtype=dtype).eval()
    if adapter is not None:
        model = adapted(model, adapter, pairs=pairs)
    return SimpleNamespace(
        spec=ModelSpec(name=family, source=str(path), dtype="float32", device="cpu", adapter=adapter),
        model=model, tokenizer=AutoTokenizer.from_pretrained(path), is_encoder_decoder=pairs,
        context_length=None if pairs else context, identity={"class": type(model).__name__}, notes=(),
    )  # fmt: skip


def adapted(model: Any, kind: str, *, pairs: bool) -> Any:
    """The model with a random adapter of 5 virtual tokens or rank 4."""
    import peft

    task = peft.TaskType.SEQ_2_SEQ_LM if pairs else peft.TaskType.CAUSAL_LM
    config = model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or getattr(config, "d_kv", None)
    size = size or config.hidden_size // config.num_attention_heads
    configs = {
        "lora": lambda: peft.LoraConfig(
            task_type=task,
            r=4,
            target_modules="all-linear",
            init_lora_weights=False,
            fan_in_fan_out=config.model_type == "gpt2",
        ),
        "prompt": lambda: peft.PromptTuningConfig(task_type=task, num_virtual_tokens=5),
        "p_tuning": lambda: peft.PromptEncoderConfig(task_type=task, num_virtual_tokens=5, encoder_hidden_size=16),
        "prefix": lambda: peft.PrefixTuningConfig(
            task_type=task, num_virtual_tokens=5, num_attention_heads=heads, token_dim=heads * size
        ),
    }
    torch.manual_seed(3)
    model = peft.get_peft_model(model, configs[kind]()).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "prompt_encoder" in name:
                weight.copy_(torch.randn(weight.shape))
    return model


def exact(model: Any) -> Any:
    """A loaded model that computes in float64, so that what is right has no rounding of its own."""
    return SimpleNamespace(model=copy.deepcopy(model.model).double(), is_encoder_decoder=model.is_encoder_decoder)


@torch.inference_mode()
def sums(model: Any, question: Question) -> tuple[float, ...]:
    """Teacher-forced sums of log P(token) of a loaded model's own forward pass."""
    if model.is_encoder_decoder:
        return tuple(_pair(model.model, question.context, answer) for answer in question.answers)
    return tuple(_single(model.model, question.context, answer) for answer in question.answers)


def _single(model: Any, context: tuple[int, ...], answer: tuple[int, ...]) -> float:
    ids = torch.tensor([context + answer])
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].double()
    predicted = torch.log_softmax(logits[-len(answer) - 1 : -1], dim=-1)
    return float(predicted.gather(1, torch.tensor(answer)[:, None]).sum())


def _pair(model: Any, context: tuple[int, ...], answer: tuple[int, ...]) -> float:
    ids = torch.tensor([context])
    decoder = torch.tensor([(model.config.decoder_start_token_id, *answer[:-1])])
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=decoder).logits[0].double()
    predicted = torch.log_softmax(logits[-len(answer) :], dim=-1)
    return float(predicted.gather(1, torch.tensor(answer)[:, None]).sum())


@torch.inference_mode()
def greedy(model: Any, context: tuple[int, ...], count: int, ends: frozenset[int]) -> list[int]:
    """The tokens of greedy decoding, each from a forward pass over all tokens in front of it."""
    made: list[int] = []
    while len(made) < count and not (made and made[-1] in ends):
        if model.is_encoder_decoder:
            ids = torch.tensor([context])
            decoder = torch.tensor([[model.model.config.decoder_start_token_id, *made]])
            logits = model.model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=decoder).logits
        else:
            ids = torch.tensor([[*context, *made]])
            logits = model.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        made.append(int(logits[0, -1].argmax()))
    return made
