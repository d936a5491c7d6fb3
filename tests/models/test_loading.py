import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from isophrase.models.huggingface import identify, load
from isophrase.types import ModelSpec, PromptFormat
from tests.tiny_models import DECODERS, ENCODER_DECODERS, FAMILIES, tiny_model

TEXT = "Question: Is the film good, or 12 é?  Answer: positive"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("families")
    return {family: tiny_model(root / family, family=family) for family in FAMILIES}


def spec(source, **more):
    return ModelSpec(name="m", source=str(source), **more)


@pytest.mark.filterwarnings("ignore")
def plain(folder, family):
    """The model as anyone would load it."""
    auto = AutoModelForSeq2SeqLM if family in ENCODER_DECODERS else AutoModelForCausalLM
    return auto.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def logits(model, tokenizer, family):
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    more = {"decoder_input_ids": torch.tensor([[0, 5, 6, 7]])} if family in ENCODER_DECODERS else {}
    with torch.no_grad():
        return model(input_ids=ids, **more).logits


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_loads_ready_to_compute_and_equal_to_plain_transformers(folders, family):
    loaded = load(spec(folders[family], device="cpu", dtype="float32"))
    model, tokenizer = plain(folders[family], family)
    assert loaded.is_encoder_decoder == (family in ENCODER_DECODERS)
    assert not loaded.model.training
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert loaded.context_length == 512
    assert loaded.notes == ()
    assert torch.equal(logits(loaded.model, loaded.tokenizer, family), logits(model, tokenizer, family))


def test_nothing_is_shown_while_loading(folders, capfd):
    for family in ("llama", "t5", "qwen2"):
        load(spec(folders[family]))
    assert capfd.readouterr() == ("", "")


def test_where_the_context_length_is_from_is_said(folders, tmp_path):
    assert load(spec(folders["gpt2"])).context_origin == "config: max_position_embeddings"
    assert load(spec(folders["t5"])).context_origin == "tokenizer: model_max_length"
    endless = tmp_path / "t5"
    shutil.copytree(folders["t5"], endless)
    edit(endless / "tokenizer_config.json", model_max_length=int(1e30))
    edit(endless / "config.json", n_positions=512)  # the published T5 files have it, and it limits nothing
    loaded = load(spec(endless))
    assert loaded.context_length is None
    assert loaded.context_origin.startswith("unlimited")


def edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_an_untied_t5_keeps_its_own_output_projection(folders):
    model = load(spec(folders["t5"])).model
    assert not torch.equal(model.lm_head.weight, model.shared.weight)
    tied = load(spec(folders["t5_original"])).model
    assert tied.lm_head.weight is tied.shared.weight
    assert tied.config.scale_decoder_outputs
    assert not model.config.scale_decoder_outputs


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_asked_dtype_is_what_runs(folders, dtype):
    loaded = load(spec(folders["llama"], dtype=dtype))
    assert loaded.spec.dtype == dtype
    assert {weight.dtype for weight in loaded.model.parameters()} == {getattr(torch, dtype)}


def test_auto_is_resolved(folders):
    loaded = load(spec(folders["llama"]))
    assert loaded.spec.dtype in ("float32", "bfloat16")
    assert loaded.spec.device in ("cpu", "cuda", "mps")
    assert str(next(loaded.model.parameters()).dtype) == f"torch.{loaded.spec.dtype}"


def test_a_model_without_its_architectures_named_is_known_by_its_type(folders, tmp_path):
    for family in ("llama", "t5"):
        copy = tmp_path / family
        shutil.copytree(folders[family], copy)
        edit(copy / "config.json", architectures=None)
        assert load(spec(copy)).is_encoder_decoder == (family == "t5")


def test_code_in_the_folder_is_not_run_where_the_library_knows_the_model(folders, tmp_path):
    copy = tmp_path / "llama"
    shutil.copytree(folders["llama"], copy)
    (copy / "evil.py").write_text("raise SystemExit('ran')\n")
    edit(copy / "config.json", auto_map={"AutoModelForCausalLM": "evil.Model", "AutoConfig": "evil.Config"})
    edit(copy / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Tokenizer", None]})
    loaded = load(spec(copy))
    assert type(loaded.model).__name__ == "LlamaForCausalLM"


def test_the_tokenizer_is_what_tokenizer_json_says_where_transformers_would_rebuild_it(tmp_path):
    from tokenizers import Tokenizer

    folder = tiny_model(tmp_path / "qwen", family="qwen2", unigram=True)
    saved = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"] != saved.encode(TEXT).ids
    loaded = load(spec(folder))
    assert loaded.tokenizer(TEXT)["input_ids"] == saved.encode(TEXT).ids
    assert loaded.tokenizer.eos_token == "</s>"
    assert loaded.tokenizer.chat_template
    assert "Qwen2Tokenizer would split text otherwise" in loaded.notes[0]


def test_tensors_that_the_model_does_not_use_are_noted(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    copy = tmp_path / "llama"
    shutil.copytree(folders["llama"], copy)
    tensors = load_file(copy / "model.safetensors") | {"vision.weight": torch.zeros(2)}
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    assert load(spec(copy)).notes == ("1 tensors of the files are not used (first: vision.weight)",)


def test_identifying_agrees_with_loading(folders):
    for family in FAMILIES:
        asked = spec(folders[family])
        loaded, identified = load(asked), identify(asked)
        assert identified.identity == loaded.identity
        assert identified.spec == loaded.spec
        assert identified.spec.prompt_format is PromptFormat.CHAT


def test_identity_differs_with_the_weights_and_not_with_the_place(folders, tmp_path):
    first = load(spec(folders["llama"])).identity
    moved = tmp_path / "moved"
    shutil.copytree(folders["llama"], moved)
    assert load(spec(moved)).identity == first
    other = tiny_model(tmp_path / "other", seed=1)
    second = load(spec(other)).identity
    assert second["fingerprint"] != first["fingerprint"]
    assert second["tokenizer"] == first["tokenizer"]


def test_the_spec_is_otherwise_kept(folders):
    asked = spec(folders["llama"], trained_on=frozenset({"flan"}), dtype="float32", device="cpu")
    assert load(asked).spec == replace(asked, prompt_format=PromptFormat.CHAT)


def test_models_without_a_chat_template_are_plain(tmp_path):
    folder = tiny_model(tmp_path, chat=False)
    assert load(spec(folder)).spec.prompt_format is PromptFormat.PLAIN


@pytest.mark.parametrize("family", FAMILIES)
def test_tiny_models_are_the_same_every_time(folders, family, tmp_path):
    again = tiny_model(tmp_path / "again", family=family)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (again / name).read_bytes() == (folders[family] / name).read_bytes()


@pytest.mark.parametrize("family", DECODERS)
def test_tiny_models_depend_on_what_they_read(folders, family):
    """Else a wrong attention mask would pass every comparison."""
    loaded = load(spec(folders[family], dtype="float32"))
    ids = loaded.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    changed = ids.clone()
    changed[0, -4] = (changed[0, -4] + 1) % 400
    with torch.no_grad():
        before, after = loaded.model(ids).logits[0, -1], loaded.model(changed).logits[0, -1]
    assert (before.log_softmax(-1) - after.log_softmax(-1)).abs().max() > 0.05


def test_loading_works_where_no_network_may_be_touched(folders):
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from isophrase.models.huggingface import load\n"
        "from isophrase.types import ModelSpec\n"
        "print(load(ModelSpec(name='m', source=sys.argv[1])).context_length)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folders["t5"])], capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout == "512\n", done.stderr
    assert done.stderr == ""
