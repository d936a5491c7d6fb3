"""A `ModelSpec` becomes a model in memory, with its tokenizer and all that identifies it.

Knows the road from a name to weights: catalog name, folder, GGUF file or hub id -> a folder on this disk -> a loaded
model. Does not know prompts or how anything is scored. Code from a model's folder never runs (`trust_remote_code` is
off) and weights are read from safetensors or GGUF only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from isophrase.errors import ModelError
from isophrase.models import catalog, hub
from isophrase.models.adapter import Base, attach
from isophrase.models.architecture import context_length, is_encoder_decoder, read_config
from isophrase.models.devices import resolve
from isophrase.models.extras import first_line, local_library
from isophrase.models.fingerprint import fingerprint_adapter, fingerprint_model
from isophrase.models.folders import AdapterFolder, ModelFolder, open_adapter, open_model
from isophrase.models.memory import check_memory
from isophrase.models.quiet import quiet
from isophrase.models.tokenizer import check_vocabulary, load_tokenizer
from isophrase.types import ModelSpec, PromptFormat

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to compute: evaluation mode, no gradients.

    Attributes:
        spec: What was asked for, with `dtype` and `device` as they really run (never `auto`).
        model: The transformers model, or the PEFT model around it.
        tokenizer: Its tokenizer.
        is_encoder_decoder: Whether prompt and answer go through different halves.
        context_length: How many tokens fit (for an encoder-decoder: the prompt's); None: nothing limits them.
        context_origin: Where that number is from.
        identity: What identifies the weights: `architecture`, `revision`, `fingerprint`, `tokenizer`, `adapter`.
        notes: What a reader of the results should know about how the model was loaded.
    """

    spec: ModelSpec
    model: Any
    tokenizer: Any
    is_encoder_decoder: bool
    context_length: int | None
    context_origin: str
    identity: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a source is on this disk, and the names that it goes by."""

    folder: ModelFolder
    names: tuple[str, ...]
    revision: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identified:
    """A model that can be loaded, known without loading its weights.

    Attributes:
        spec: What was asked for, with `dtype`, `device` and `prompt_format` as they will really be.
        identity: As in `LoadedModel`.
    """

    spec: ModelSpec
    identity: Mapping[str, str]


def identify(spec: ModelSpec, *, notify: Callable[[str], None] | None = None, accept_terms: bool = False) -> Identified:
    """What `load` would load: fetched where it has to be, weights fingerprinted but not read into memory.

    Raises:
        ModelError: The model can't be had or used as asked.
    """
    with quiet():
        spec = resolve(spec)
        place = _locate(spec, notify or _log.info, accept_terms)
        adapter = _locate_adapter(spec, notify or _log.info)
        config = read_config(place.folder)
        is_encoder_decoder(config)
        tokenizer, _ = load_tokenizer(place.folder)
        return Identified(_with_format(spec, tokenizer), _identity(place, config.model_type, adapter))


def _with_format(spec: ModelSpec, tokenizer: Any) -> ModelSpec:
    """The spec with a prompt format: its own, else `chat` where the tokenizer has a template, else `plain`."""
    if spec.prompt_format is PromptFormat.CHAT and not tokenizer.chat_template:
        raise ModelError(
            f"a chat template in the tokenizer of {spec.name} for format chat",
            got="none",
            remedy="use format: plain or alpaca",
        )
    chosen = spec.prompt_format or (PromptFormat.CHAT if tokenizer.chat_template else PromptFormat.PLAIN)
    return replace(spec, prompt_format=chosen)


def load(spec: ModelSpec, *, notify: Callable[[str], None] | None = None, accept_terms: bool = False) -> LoadedModel:
    """Load a model, fetching it first where it has to be.

    Args:
        spec: Which model, in which dtype, on which device.
        notify: Told in a line what takes long (a download, a conversion). Default: the log.
        accept_terms: The user's word that they accept the terms of a catalog model that has any.

    Raises:
        ModelError: The model can't be had, loaded or used as asked; one line says why.
    """
    notify = notify or _log.info
    spec = resolve(spec)
    with quiet() as warned:
        place = _locate(spec, notify, accept_terms)
        adapter = _locate_adapter(spec, notify)
        config = read_config(place.folder)
        pair = is_encoder_decoder(config)
        tokenizer, tokenizer_notes = load_tokenizer(place.folder)
        model, model_notes = _load_weights(place.folder, config, spec, pair)
        notes = [*place.notes, *tokenizer_notes, *model_notes]
        notes += check_vocabulary(tokenizer, model.get_input_embeddings().num_embeddings)
        identity = _identity(place, config.model_type, adapter)
        if adapter is not None:
            base = Base(place.names, identity["fingerprint"], pair)
            model, adapter_notes = attach(model, adapter, base)
            notes += adapter_notes
        model = _to_device(model, spec.device)
    length = context_length(config, tokenizer)
    notes += [note for note in warned if note not in notes]
    return LoadedModel(
        spec=_with_format(spec, tokenizer), model=model, tokenizer=tokenizer, is_encoder_decoder=pair,
        context_length=length.tokens, context_origin=length.origin, identity=identity, notes=tuple(notes),
    )  # fmt: skip


def _locate(spec: ModelSpec, notify: Callable[[str], None], accept_terms: bool) -> _Place:
    """The source as a folder on this disk: a path that exists, else a catalog name, else a hub id."""
    source = spec.source
    path = Path(source).expanduser()
    if path.exists():
        _refuse_revision(spec, "a folder")
        return _Place(open_model(path), (source, str(path.absolute())))
    entry = catalog.CATALOG.get(source)
    if entry is not None:
        _refuse_revision(spec, "a catalog model")
        folder = catalog.ensure(entry, notify=notify, accept_terms=accept_terms)
        return _Place(open_model(folder), (entry.name, entry.hub_id, str(folder)))
    if not hub.is_repo_id(source):
        raise ModelError("a model folder", got=f"nothing at {path.absolute()}", remedy="correct the model's source")
    snapshot = hub.fetch(source, spec.revision, adapter=False, notify=notify)
    return _Place(open_model(snapshot.path), (source, str(snapshot.path)), snapshot.commit, snapshot.notes)


def _refuse_revision(spec: ModelSpec, what: str) -> None:
    if spec.revision is not None:
        raise ModelError(
            "a revision only for a hub id", got=f"{spec.revision!r} for {what} ({spec.source})", remedy="leave it out"
        )  # fmt: skip


def _locate_adapter(spec: ModelSpec, notify: Callable[[str], None]) -> AdapterFolder | None:
    if spec.adapter is None:
        return None
    local_library("peft")
    path = Path(spec.adapter).expanduser()
    if path.exists() or not hub.is_repo_id(spec.adapter):
        return open_adapter(path)
    return open_adapter(hub.fetch(spec.adapter, None, adapter=True, notify=notify).path)


def _load_weights(folder: ModelFolder, config: Any, spec: ModelSpec, pair: bool) -> tuple[Any, list[str]]:
    """The model on the CPU, every weight of it from the files."""
    torch = local_library("torch")
    transformers = local_library("transformers")
    check_memory(folder, spec)
    auto = transformers.AutoModelForSeq2SeqLM if pair else transformers.AutoModelForCausalLM
    source: dict[str, Any] = {"use_safetensors": True} if folder.gguf is None else {"gguf_file": folder.gguf}
    try:
        model, info = auto.from_pretrained(
            folder.path, config=config, dtype=getattr(torch, spec.dtype), trust_remote_code=False,
            local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True, **source,
        )  # fmt: skip
    except Exception as error:  # transformers, safetensors, torch and quantisers each have their own tree of errors
        raise ModelError(
            f"a model in {folder.path} that loads as {spec.dtype}", got=first_line(error),
            remedy="copy or download the folder again, or use another model",
        ) from error  # fmt: skip
    _check_complete(folder, info)
    model.eval().requires_grad_(False)
    unused = sorted(info["unexpected_keys"])
    return model, [f"{len(unused)} tensors of the files are not used (first: {unused[0]})"] if unused else []


def _check_complete(folder: ModelFolder, info: Mapping[str, Any]) -> None:
    """Weights that the files lack, or have in another shape, would be random numbers."""
    reshaped = sorted(str(item if isinstance(item, str) else item[0]) for item in info["mismatched_keys"])
    if reshaped:
        raise ModelError(
            f"tensors of the shapes that config.json says in {folder.path}",
            got=f"{len(reshaped)} of another shape (first: {reshaped[0]})",
            remedy="copy or download the folder again",
        )
    missing = sorted(map(str, info["missing_keys"]))
    if missing:
        raise ModelError(
            f"all weights of the model in {folder.path}", got=f"{len(missing)} missing (first: {missing[0]})",
            remedy="give a complete model folder",
        )  # fmt: skip


def _to_device(model: Any, device: str) -> Any:
    if device == "cpu":
        return model
    torch = local_library("torch")
    try:
        return model.to(device)
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"a model that fits on {device}", got=first_line(error), remedy="use device: cpu, or a smaller dtype"
        ) from error  # fmt: skip


def _identity(place: _Place, name: str, adapter: AdapterFolder | None) -> Mapping[str, str]:
    found = fingerprint_model(place.folder.path, place.folder.weight_files)
    identity = {
        "architecture": name, "revision": place.revision, "fingerprint": found.weights, "tokenizer": found.tokenizer,
        "adapter": "" if adapter is None else fingerprint_adapter(adapter.path),
    }  # fmt: skip
    return MappingProxyType(identity)
