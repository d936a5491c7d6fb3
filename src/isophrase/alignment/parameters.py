"""The weights that are trained, put on a frozen model: prefix, prompt, LoRA, or all of them.

Knows PEFT. What it makes is a standard PEFT model; whatever training adds (a re-parametrisation) is gone when it is
saved. Does not know losses.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from isophrase.alignment.method import Kind, Parameters, Start
from isophrase.engine.backbone import VirtualTokens
from isophrase.errors import ConfigError
from isophrase.models.extras import local_library
from isophrase.models.huggingface import LoadedModel


@dataclass(frozen=True)
class Trainable:
    """A model with the weights that are trained.

    Attributes:
        model: The PEFT model; the transformers model itself where all weights are trained.
        parameters: What was asked for.
    """

    model: Any
    parameters: Parameters

    @property
    def base(self) -> Any:
        """The transformers model; LoRA layers are inside it."""
        return self.model if self.parameters.kind is Kind.FULL else self.model.get_base_model()

    @property
    def weights(self) -> list[nn.Parameter]:
        """What the optimiser changes."""
        return [weight for weight in self.model.parameters() if weight.requires_grad]

    @property
    def count(self) -> int:
        """Numbers in the adapter as it is saved, without what only training has."""
        kind = self.parameters.kind
        if kind in (Kind.PREFIX, Kind.PROMPT):
            return int(self._embedding.weight.numel())
        named = self.model.named_parameters()
        return sum(weight.numel() for name, weight in named if kind is Kind.FULL or "lora_" in name)

    @property
    def _embedding(self) -> Any:
        return self.model.prompt_encoder[self.model.active_adapter].embedding

    def virtual(self) -> VirtualTokens:
        """What stands in front of every sequence, with gradients; empty for LoRA and all weights."""
        kind = self.parameters.kind
        if kind is Kind.PROMPT:
            embeddings: Tensor = self.model.get_prompt(batch_size=1)[0, : self.parameters.length]
            return VirtualTokens(embeddings=embeddings.to(self.base.dtype))
        if kind is Kind.PREFIX:
            cache = self.model.get_prompt(batch_size=1)
            layers = getattr(cache, "self_attention_cache", cache).layers
            return VirtualTokens(
                keys=tuple(layer.keys[0].to(self.base.dtype) for layer in layers),
                values=tuple(layer.values[0].to(self.base.dtype) for layer in layers),
            )
        return VirtualTokens()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """For the time of the block, LoRA layers do nothing: the model is the one from before training."""
        if self.parameters.kind is Kind.LORA:
            with self.model.disable_adapter():
                yield
        else:
            yield

    def finish(self) -> None:
        """Takes off what only training needs; the model computes the same afterwards."""
        if self.parameters.kind in (Kind.PREFIX, Kind.PROMPT) and parametrize.is_parametrized(self._embedding):
            parametrize.remove_parametrizations(self._embedding, "weight", leave_parametrized=True)
        self.model.eval().requires_grad_(False)


class _Network(nn.Module):
    """A re-parametrisation of virtual tokens: where they start, plus a two-layer network of an embedding each.

    Li & Liang 2021, section 4.3. The last layer begins at zero, so that training begins where it would without it.
    """

    def __init__(self, length: int, size: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(length, hidden) / hidden**0.5)
        self.inner = nn.Linear(hidden, hidden)
        self.outer = nn.Linear(hidden, size)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, start: Tensor) -> Tensor:
        added: Tensor = self.outer(torch.tanh(self.inner(self.embedding)))
        return start + added


def make_trainable(loaded: LoadedModel, parameters: Parameters, seed: int) -> Trainable:
    """Puts the weights on a model, which is changed in place.

    Args:
        loaded: The model, without an adapter.
        parameters: Which weights.
        seed: For whatever starts at random.

    Raises:
        ConfigError: The model already has an adapter, or can't be started so.
    """
    if hasattr(loaded.model, "peft_config"):
        raise ConfigError("a model without an adapter", got=str(loaded.spec.adapter), remedy="merge it first")
    torch.manual_seed(seed)
    if parameters.kind is Kind.FULL:
        loaded.model.requires_grad_(True)
        return Trainable(loaded.model, parameters)
    peft = local_library("peft")
    start = None if parameters.kind is Kind.LORA else _start(loaded, parameters)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # for PEFT's authors
        model = peft.get_peft_model(loaded.model, _config(peft, loaded, parameters)).eval()
    trainable = Trainable(model, parameters)
    if parameters.kind is Kind.LORA:
        return trainable
    embedding = trainable._embedding
    if start is not None:
        with torch.no_grad():
            embedding.weight.copy_(start)
    if parameters.hidden:
        embedding.weight.requires_grad_(False)
        length, size = embedding.weight.shape
        network = _Network(length, size, parameters.hidden).to(embedding.weight.device)
        parametrize.register_parametrization(embedding, "weight", network)
    return trainable


def _config(peft: Any, loaded: LoadedModel, parameters: Parameters) -> Any:
    task = "SEQ_2_SEQ_LM" if loaded.is_encoder_decoder else "CAUSAL_LM"
    match parameters.kind:
        case Kind.PREFIX:
            return peft.PrefixTuningConfig(task_type=task, num_virtual_tokens=parameters.length)
        case Kind.PROMPT:
            return peft.PromptTuningConfig(
                task_type=task, num_virtual_tokens=parameters.length, num_transformer_submodules=1
            )  # fmt: skip
        case _:
            return peft.LoraConfig(
                task_type=task, r=parameters.rank, lora_alpha=2 * parameters.rank, target_modules="all-linear"
            )  # fmt: skip


def _start(loaded: LoadedModel, parameters: Parameters) -> Tensor | None:
    """Where virtual tokens start, in the shape of PEFT's embedding; None: as PEFT draws them."""
    if parameters.start is Start.RANDOM:
        return None
    if loaded.context_length is not None and parameters.length >= loaded.context_length:
        raise ConfigError(
            f"parameters.length below the {loaded.context_length} tokens that the model reads",
            got=str(parameters.length), remedy="say fewer: prompts need room too",
        )  # fmt: skip
    ids = _token_ids(loaded, parameters)
    with torch.no_grad():
        if parameters.kind is Kind.PROMPT:
            embedded: Tensor = loaded.model.get_input_embeddings()(ids)
            return embedded[0]
        if loaded.is_encoder_decoder:
            raise ConfigError(
                "start: random for a prefix on an encoder-decoder model", got=f"start: {parameters.start}",
                remedy="say start: random, or use a prompt, which can start from text",
            )  # fmt: skip
        cache = loaded.model(input_ids=ids, use_cache=True).past_key_values
    # PEFT lays a virtual token out as [layers * (key, value), heads, head size].
    pairs = [tensor[0].transpose(0, 1) for layer in cache.layers for tensor in (layer.keys, layer.values)]
    return torch.stack(pairs, dim=1).flatten(1)


def _token_ids(loaded: LoadedModel, parameters: Parameters) -> Tensor:
    """[1, length] ids of the text, repeated or cut, or of random ordinary words."""
    tokenizer = loaded.tokenizer
    if parameters.start is Start.VOCABULARY:
        size = loaded.model.get_input_embeddings().num_embeddings
        ordinary = torch.tensor(sorted(set(range(min(size, len(tokenizer)))) - set(tokenizer.all_special_ids)))
        chosen = ordinary[torch.randint(len(ordinary), (parameters.length,))]
        return chosen[None].to(loaded.model.device)
    ids = tokenizer(parameters.text, add_special_tokens=False)["input_ids"]
    if not ids:
        raise ConfigError("a text to start from", got=repr(parameters.text), remedy="give parameters.text some words")
    repeated = (ids * (parameters.length // len(ids) + 1))[: parameters.length]
    return torch.tensor([repeated], device=loaded.model.device)
