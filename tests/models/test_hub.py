import shutil
import time
import warnings

import pytest
import torch
from huggingface_hub import constants

from isophrase.errors import ModelError
from isophrase.models import hub
from isophrase.models.huggingface import load
from isophrase.types import ModelSpec
from tests.models import fake_hub as fakes
from tests.models.fake_hub import COMMIT, closed_address, fake_hub, silent_server
from tests.models.tiny_gguf import write_gguf
from tests.tiny_models import tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("hub") / "tiny")


@pytest.fixture
def use(monkeypatch, tmp_path):
    """Point the hub's client at an endpoint, with an empty cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def point(endpoint):
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    return point


def spec(source, **more):
    return ModelSpec(name="m", source=source, **more)


def test_a_hub_model_is_fetched_once_and_is_the_same_as_the_folder(folder, use):
    (folder / "README.md").write_text("not needed")
    with fake_hub({"someone/tiny": folder}) as endpoint:
        use(endpoint)
        told = []
        loaded = load(spec("someone/tiny"), notify=told.append)
        first = len([path for path in fakes.requests if "model.safetensors" in path])
        again = load(spec("someone/tiny"))
        assert len([path for path in fakes.requests if path.endswith("model.safetensors")]) <= first + 1
        assert not any("README" in path for path in fakes.requests)
    local = load(spec(str(folder)))
    assert loaded.identity["revision"] == COMMIT
    assert again.identity == loaded.identity
    assert {**loaded.identity, "revision": ""} == local.identity
    assert "fetching someone/tiny: model.safetensors" in told
    for mine, theirs in zip(loaded.model.parameters(), local.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_what_was_fetched_before_serves_when_the_hub_is_gone(folder, use, monkeypatch):
    with fake_hub({"someone/tiny": folder}) as endpoint:
        use(endpoint)
        online = load(spec("someone/tiny"))
    use(closed_address())
    started = time.monotonic()
    gone = load(spec("someone/tiny"))
    assert time.monotonic() - started < 6
    assert gone.identity == online.identity
    assert "can't be reached" in gone.notes[0]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    off = load(spec("someone/tiny", revision="main"))
    assert off.identity == online.identity
    assert "HF_HUB_OFFLINE" in off.notes[0]


def test_a_hub_that_refuses_the_connection_is_one_error_at_once(use):
    use(closed_address())
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"someone/tiny on this disk or from the hub.*can't be reached"):
        load(spec("someone/tiny"))
    assert time.monotonic() - started < 5


def test_a_hub_that_never_answers_is_one_error_within_seconds(use, monkeypatch):
    monkeypatch.setattr(hub, "ASK_SECONDS", 1.0)
    with silent_server() as endpoint:
        use(endpoint)
        started = time.monotonic()
        with pytest.raises(ModelError, match="can't be reached"):
            load(spec("someone/tiny"))
    assert time.monotonic() - started < 4


def test_the_unreachable_hubs_default_model_is_named_as_the_catalog_has_it(use):
    use(closed_address())
    with pytest.raises(ModelError, match=r"use the name smollm2-135m-instruct, which comes from the package registry"):
        load(spec("HuggingFaceTB/SmolLM2-135M-Instruct"))


def test_a_hub_that_is_switched_off_is_not_asked(use, monkeypatch):
    with fake_hub({}) as endpoint:
        use(endpoint)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
            load(spec("someone/tiny"))
        assert fakes.requests == []


@pytest.mark.parametrize(
    ("source", "revision", "message"),
    [
        ("someone/absent", None, "which the hub does not have"),
        ("someone/tiny", "v9", "a revision of someone/tiny; got 'v9'"),
        ("someone/gated", None, "terms to be accepted"),
        ("someone/unsafe", None, "pytorch_model.bin, a format that can run code"),
        ("someone/adapter", None, "a PEFT adapter; give it as `adapter`"),
        ("someone/empty", None, "model weights in someone/empty; got none"),
        ("someone/quantised", None, "2 GGUF files"),
    ],
)
def test_a_repository_that_cannot_be_used_is_told_before_anything_is_fetched(
    source, revision, message, folder, use, tmp_path
):
    files = {
        "unsafe": ["config.json", "pytorch_model.bin"],
        "adapter": ["adapter_config.json", "adapter_model.safetensors"],
        "empty": ["README.md"],
        "quantised": ["a.Q4.gguf", "a.Q8.gguf"],
    }
    repositories = {"someone/tiny": folder}
    for name, contents in files.items():
        made = repositories[f"someone/{name}"] = tmp_path / name
        made.mkdir()
        for file in contents:
            (made / file).write_text("{}")
    with fake_hub(repositories, gated=("someone/gated",)) as endpoint:
        use(endpoint)
        with pytest.raises(ModelError) as caught:
            load(spec(source, revision=revision))
        assert not any("/resolve/" in path for path in fakes.requests)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_the_shards_of_the_index_are_fetched(folder, use, tmp_path):
    from transformers import AutoModelForCausalLM

    sharded = tmp_path / "sharded"
    shutil.copytree(folder, sharded, ignore=shutil.ignore_patterns("model.safetensors"))
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(sharded, max_shard_size="100KB")
    assert len(list(sharded.glob("model-*.safetensors"))) > 1
    (sharded / "consolidated.safetensors").write_bytes(b"a second copy")
    with fake_hub({"someone/sharded": sharded}) as endpoint:
        use(endpoint)
        loaded = load(spec("someone/sharded"))
        assert not any("consolidated" in path for path in fakes.requests)
    for mine, theirs in zip(loaded.model.parameters(), load(spec(str(folder))).model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_repository_of_one_gguf_file_serves_with_and_without_the_hub(folder, use, tmp_path):
    (tmp_path / "gguf").mkdir()
    write_gguf(folder, tmp_path / "gguf" / "model.gguf")
    with fake_hub({"someone/gguf": tmp_path / "gguf"}) as endpoint:
        use(endpoint)
        online = load(spec("someone/gguf"))
    use(closed_address())
    assert load(spec("someone/gguf")).identity == online.identity


def test_an_adapter_comes_from_the_hub_too(folder, use, tmp_path):
    import peft
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_pretrained(folder)
        config = peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])
        peft.get_peft_model(model, config).save_pretrained(tmp_path / "lora")
    with fake_hub({"someone/lora": tmp_path / "lora"}) as endpoint:
        use(endpoint)
        loaded = load(spec(str(folder), adapter="someone/lora"))
        assert not any("README" in path for path in fakes.requests)
    assert type(loaded.model).__name__ == "PeftModelForCausalLM"


@pytest.mark.parametrize(
    ("source", "is_one"),
    [("gpt2", True), ("someone/name", True), ("./x", False), ("/x/y", False), ("a/b/c", False), ("~/x", False),
     ("a\\b", False), ("with space", False)],
)  # fmt: skip
def test_a_hub_id_is_told_from_a_path(source, is_one):
    assert hub.is_repo_id(source) is is_one
