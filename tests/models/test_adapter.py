import importlib
import json
import shutil
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from isophrase.errors import ModelError
from isophrase.models.huggingface import load
from isophrase.types import ModelSpec
from tests.tiny_models import tiny_model

peft = pytest.importorskip("peft")
IDS = torch.tensor([[5, 60, 70, 80, 90]])


def make(base, folder, config, *, pair=False):
    """Write an adapter with weights large enough to matter."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    auto = AutoModelForSeq2SeqLM if pair else AutoModelForCausalLM
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(auto.from_pretrained(base), config)
        torch.manual_seed(0)
        for weight in model.parameters():
            if weight.requires_grad:
                torch.nn.init.normal_(weight, std=0.3)
        model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("adapters")
    base = tiny_model(root / "base")
    pair = tiny_model(root / "pair", family="t5")
    lora = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"])
    return {
        "base": base,
        "pair": pair,
        "other": tiny_model(root / "other", seed=1),
        "deeper": tiny_model(root / "deeper", layers=3),
        "lora": make(base, root / "lora", lora),
        "prompt": make(base, root / "prompt", peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)),
        "prefix": make(base, root / "prefix", peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)),
        "pair_lora": make(pair, root / "pair_lora", peft.LoraConfig(task_type="SEQ_2_SEQ_LM", r=4), pair=True),
    }


def spec(base, adapter, **more):
    return ModelSpec(name="m", source=str(base), adapter=str(adapter), **more)


def edited(adapter, folder, **values):
    shutil.copytree(adapter, folder)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return folder


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits[:, -1]


@pytest.mark.parametrize("kind", ["lora", "prompt", "prefix"])
def test_an_adapter_changes_the_answers_and_leaves_the_base_weights(made, kind):
    plain = load(ModelSpec(name="m", source=str(made["base"]), dtype="float32"))
    adapted = load(spec(made["base"], made[kind], dtype="float32"))
    assert (logits(plain.model) - logits(adapted.model)).abs().max() > 0.01
    assert not adapted.model.training
    assert not any(weight.requires_grad for weight in adapted.model.parameters())
    assert adapted.notes == ()
    inside = dict(adapted.model.get_base_model().named_parameters())
    for name, weight in plain.model.named_parameters():
        wrapped = name.replace("_proj.weight", "_proj.base_layer.weight")
        assert torch.equal(inside[name if name in inside else wrapped], weight)
    assert adapted.identity["adapter"]
    assert {**adapted.identity, "adapter": ""} == plain.identity


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_the_adapted_model_is_what_peft_itself_gives(made):
    from transformers import AutoModelForCausalLM

    theirs = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(made["base"]), made["lora"]).eval()
    ours = load(spec(made["base"], made["lora"], dtype="float32")).model
    assert torch.equal(logits(theirs), logits(ours))


def test_an_encoder_decoder_takes_adapters_too(made):
    loaded = load(spec(made["pair"], made["pair_lora"]))
    assert loaded.is_encoder_decoder
    assert type(loaded.model).__name__ == "PeftModelForSeq2SeqLM"


def test_an_adapter_of_another_model_is_refused(made):
    for base in ("other", "deeper", "pair"):
        with pytest.raises(ModelError, match=r"the model that the adapter was trained on \(.*base\); got .*" + base):
            load(spec(made[base], made["lora"]))


def test_the_same_weights_in_another_folder_are_the_same_model(made, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(made["base"], moved)
    assert load(spec(moved, made["lora"])).notes == ()


def test_a_base_known_by_its_last_name_only_is_noted(made, tmp_path):
    adapter = edited(made["lora"], tmp_path / "a", base_model_name_or_path="/gone/away/base")
    assert "the same last name" in load(spec(made["base"], adapter)).notes[0]
    nameless = edited(made["lora"], tmp_path / "b", base_model_name_or_path=None)
    assert "does not say which model" in load(spec(made["base"], nameless)).notes[0]


def test_who_wrote_the_adapter_does_not_change_its_fingerprint(made, tmp_path):
    first = load(spec(made["base"], made["lora"])).identity
    same = edited(made["lora"], tmp_path / "a", peft_version="9")
    other = edited(made["lora"], tmp_path / "b", lora_alpha=99)
    assert load(spec(made["base"], same)).identity == first
    assert load(spec(made["base"], other)).identity["adapter"] != first["adapter"]


def drop_a_tensor(folder):
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors[min(tensors)]
    save_file(tensors, path)


def unsafe(folder):
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


BROKEN = {
    "more layers than the adapter has": ({"base_model_name_or_path": None}, None, "deeper", "got 4 missing (first: "),
    "another rank": ({"r": 8}, None, "base", "size mismatch"),
    "another kind": ({"peft_type": "NIX"}, None, "base", "an adapter for LlamaForCausalLM"),
    "no kind": ({"peft_type": None}, None, "base", "expected peft_type in"),
    "modules that are not there": ({"target_modules": ["nix"]}, None, "base", "not found in the base model"),
    "another task": ({"task_type": "SEQ_2_SEQ_LM"}, None, "base", "task_type CAUSAL_LM; got SEQ_2_SEQ_LM"),
    "a lost tensor": ({}, drop_a_tensor, "base", "got 1 missing"),
    "unsafe weights": ({}, unsafe, "base", "adapter_model.bin, a format that can run code"),
    "no weights": ({}, lambda f: (f / "adapter_model.safetensors").unlink(), "base", "adapter_model.safetensors in"),
    "no configuration": ({}, lambda f: (f / "adapter_config.json").unlink(), "base", "adapter_config.json in"),
    "truncated": (
        {}, lambda f: (f / "adapter_model.safetensors").write_bytes(b"\0" * 99), "base", "a whole safetensors file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_adapter_is_one_clear_line(case, made, tmp_path):
    values, damage, base, message = BROKEN[case]
    adapter = edited(made["lora"], tmp_path / "adapter", **values)
    if damage:
        damage(adapter)
    with pytest.raises(ModelError) as caught:
        load(spec(made[base], adapter))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tensors_that_the_adapter_does_not_use_are_noted(made, tmp_path):
    adapter = edited(made["lora"], tmp_path / "adapter")
    path = adapter / "adapter_model.safetensors"
    save_file(load_file(path) | {"base_model.model.extra.weight": torch.zeros(2)}, path)
    assert load(spec(made["base"], adapter)).notes == (
        "1 tensors of the adapter are not used (first: base_model.model.extra.weight)",
    )


def test_without_peft_the_extra_is_named_before_anything_is_loaded(made, monkeypatch):
    original = importlib.import_module

    def absent(name):
        if name == "peft":
            raise ModuleNotFoundError("No module named 'peft'", name="peft")
        return original(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ModelError, match=r"pip install 'isophrase\[train\]'"):
        load(spec(made["base"], made["lora"]))
