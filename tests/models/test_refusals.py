"""Model folders that cannot be used, each with the one line that says so."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from isophrase.errors import ModelError
from isophrase.models import memory
from isophrase.models.huggingface import load
from isophrase.types import ModelSpec, PromptFormat
from tests.tiny_models import tiny_model


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("good") / "llama")


def edit(folder, file, **values):
    path = folder / file
    path.write_text(json.dumps({k: v for k, v in (json.loads(path.read_text()) | values).items() if v is not ...}))


def truncate(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-1000])


def lose_a_tensor(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def reshape_a_tensor(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] = torch.zeros(33)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def only_unsafe(folder):
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def both_formats_with_unsafe_index(folder):
    only_unsafe(folder)
    (folder / "pytorch_model.bin.index.json").write_text("{}")


def index_without_shards(folder):
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def another_models_tokenizer(folder):
    edit(folder, "config.json", vocab_size=100)
    tensors = load_file(folder / "model.safetensors")
    for name in [name for name in tensors if "embed_tokens" in name or "lm_head" in name]:
        tensors[name] = tensors[name][:100].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def no_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / name).unlink()


def adapter_in_place_of_a_model(folder):
    for path in list(folder.iterdir()):
        path.unlink()
    (folder / "adapter_config.json").write_text("{}")


def empty(folder):
    for path in list(folder.iterdir()):
        path.unlink()


def two_gguf_files(folder):
    empty(folder)
    for name in ("a.gguf", "b.gguf"):
        (folder / name).write_bytes(b"GGUF")


BROKEN = {
    "empty folder": (empty, "config.json in"),
    "no config.json": (lambda f: (f / "config.json").unlink(), "expected config.json in"),
    "config.json not JSON": (lambda f: (f / "config.json").write_text("{"), "expected JSON in"),
    "config.json a list": (lambda f: (f / "config.json").write_text("[]"), "expected a JSON object in"),
    "config.json of nothing": (lambda f: edit(f, "config.json", model_type=...), "expected model_type in config.json"),
    "config.json with nonsense": (lambda f: edit(f, "config.json", hidden_size="wide"), "expected a usable config"),
    "unknown architecture": (lambda f: edit(f, "config.json", model_type="nix"), "got 'nix' in"),
    "needs code of its own": (
        lambda f: edit(f, "config.json", model_type="nix", auto_map={"AutoConfig": "x.Y"}),
        "which needs code of its own; use a model that runs without trust_remote_code",
    ),
    "encoder": (
        lambda f: edit(f, "config.json", model_type="bert", architectures=["BertForMaskedLM"]),
        "got BertForMaskedLM (bert)",
    ),
    "encoder without a name": (
        lambda f: edit(f, "config.json", model_type="bert", architectures=...),
        "expected a decoder-only or encoder-decoder language model; got a model (bert)",
    ),
    "classifier": (
        lambda f: edit(f, "config.json", architectures=["LlamaForSequenceClassification"]),
        "got LlamaForSequenceClassification (llama)",
    ),
    "speech": (lambda f: edit(f, "config.json", model_type="wav2vec2", architectures=...), "(wav2vec2)"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "got no weights"),
    "unsafe weights": (only_unsafe, "got only pytorch_model.bin, a format that can run code"),
    "unsafe weights with an index": (both_formats_with_unsafe_index, "a format that can run code; convert it first"),
    "other safetensors": (
        lambda f: (f / "model.safetensors").rename(f / "consolidated.safetensors"), "got only consolidated.safetensors"
    ),
    "truncated weights": (truncate, "where its header says"),
    "weights of nothing": (lambda f: (f / "model.safetensors").write_bytes(b""), "got 0 bytes that do not begin"),
    "weights of noise": (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 99), "that do not begin with a wh"),
    "header of noise": (
        lambda f: (f / "model.safetensors").write_bytes((4).to_bytes(8, "little") + b"{{{{"), "not the format's JSON"
    ),
    "git-lfs pointer": (
        lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid x\n"),
        "got a git-lfs pointer to them; run: git lfs pull",
    ),
    "index without shards": (index_without_shards, "got 2 missing (first: model-00001-of-00002.safetensors)"),
    "index of nothing": (
        lambda f: (f / "model.safetensors.index.json").write_text("{}"), "expected a weight_map in"
    ),
    "a lost tensor": (lose_a_tensor, "got 1 missing (first: model.layers.1.mlp.up_proj.weight)"),
    "a tensor of another shape": (reshape_a_tensor, "got 1 of another shape (first: model.norm.weight)"),
    "no tokenizer": (no_tokenizer, "expected a tokenizer in"),
    "tokenizer.json not JSON": (lambda f: (f / "tokenizer.json").write_text("{"), "expected a tokenizer in"),
    "another model's tokenizer": (another_models_tokenizer, "expected a tokenizer of at most 100 tokens; got one of 5"),
    "an adapter as model": (adapter_in_place_of_a_model, "got a PEFT adapter in"),
    "two GGUF files": (two_gguf_files, "got 2: a.gguf, b.gguf; give the path of one"),
    "GGUF of nothing": (
        lambda f: (empty(f), (f / "a.gguf").write_bytes(b"GGUFnothing")), "expected a whole GGUF file at"
    ),
    "GGUF that is not": (lambda f: (empty(f), (f / "a.gguf").write_bytes(b"PK")), "got another kind of file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_folder_that_cannot_be_used_is_one_clear_line(case, good, tmp_path, capfd):
    damage, message = BROKEN[case]
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    damage(folder)
    capfd.readouterr()
    with pytest.raises(ModelError) as caught:
        load(ModelSpec(name="m", source=str(folder), device="cpu", dtype="float32"))
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert text.startswith("expected ")
    assert all((caught.value.expected, caught.value.got, caught.value.remedy))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dtype": "float8"}, "expected dtype float32, bfloat16, float16 or auto; got 'float8'"),
        ({"device": "tpu"}, "expected device cpu, cuda, cuda:N, mps or auto; got 'tpu'"),
        ({"device": "cuda:x"}, "got 'cuda:x'"),
        ({"source": "/nowhere/at/all"}, "expected a model folder; got nothing at /nowhere/at/all"),
        ({"source": "./absent"}, "expected a model folder; got nothing at"),
        ({"revision": "main"}, "expected a revision only for a hub id; got 'main' for a folder"),
        ({"adapter": "/nowhere"}, "expected an adapter folder; got nothing at /nowhere"),
    ],
)
def test_a_spec_that_cannot_be_met_is_one_clear_line(wrong, message, good):
    with pytest.raises(ModelError) as caught:
        load(ModelSpec(**({"name": "m", "source": str(good)} | wrong)))
    assert message in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_cuda_where_there_is_none_is_told(device, good):
    with pytest.raises(
        ModelError, match=rf"expected a CUDA device for device {device}; got .*; use device: cpu or auto"
    ):
        load(ModelSpec(name="m", source=str(good), device=device))


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has MPS")
def test_mps_where_there_is_none_is_told(good):
    with pytest.raises(ModelError, match="expected a Mac with MPS"):
        load(ModelSpec(name="m", source=str(good), device="mps"))


def test_a_chat_format_without_a_template_is_told_before_weights_are_read(tmp_path):
    from isophrase.models.huggingface import identify

    folder = tiny_model(tmp_path, chat=False)
    with pytest.raises(ModelError, match="a chat template"):
        identify(ModelSpec(name="m", source=str(folder), prompt_format=PromptFormat.CHAT))


def test_a_model_larger_than_the_memory_is_told_before_it_is_loaded(good, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    with pytest.raises(ModelError, match=r"of free memory for llama in float32.*dtype: bfloat16"):
        load(ModelSpec(name="m", source=str(good), dtype="float32"))


def test_a_file_that_is_no_model_is_told(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"a model folder or a \.gguf file"):
        load(ModelSpec(name="m", source=str(tmp_path / "x.safetensors")))
