"""The tuned model: trained once, kept as an adapter beside the rows, put together alike everywhere."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from isophrase.alignment.method import Schedule
from isophrase.alignment.record import read_record
from isophrase.alignment.sampling import draw
from isophrase.models.huggingface import load
from isophrase.testbed import recipe, tuned
from isophrase.testbed.inputs import make_opposite
from isophrase.testbed.tuned import build_tuned
from isophrase.types import ModelSpec, Role
from tests.alignment.small import material, wording
from tests.engine.reference import folder


def small_testbed():
    plain = material()
    named = replace(plain, task=replace(plain.task, name="testbed-mood"))
    task = make_opposite(named.task)
    negated = wording("not-1", "Say which of positive or negative it is not. {{ text }}", Role.REFERENCE)
    opposite = replace(
        named, task=task, wordings=replace(named.wordings, references=(negated,)), train=task.examples[:8], weight=0.7,
        since=2,
    )  # fmt: skip
    return recipe.Testbed(recipe.Source.OWN, (named,), (opposite,))


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(tuned, "BASE", str(folder("llama")))
    monkeypatch.setattr(tuned, "TUNING", replace(recipe.TUNING, schedule=Schedule(steps=4, rate=1e-2)))


def no_training(*_, **__):
    raise AssertionError("trained")


def test_a_kept_adapter_makes_the_same_model_in_another_cache_without_training(tmp_path, short, monkeypatch):
    said = []
    first = build_tuned(small_testbed(), tmp_path / "one", tmp_path / "results", 0, said.append)
    assert len(said) == 4
    monkeypatch.setattr(tuned, "run_training", no_training)
    again = build_tuned(small_testbed(), tmp_path / "other", tmp_path / "results", 0, print)
    assert again == tmp_path / "other" / "testbed" / first.name
    one, other = (load_file(place / "model.safetensors") for place in (first, again))
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)
    with pytest.raises(AssertionError, match="trained"):
        build_tuned(small_testbed(), tmp_path / "one", tmp_path / "results", 1, print)


def test_the_whole_model_is_the_base_with_the_kept_adapter(tmp_path, short):
    whole = build_tuned(small_testbed(), tmp_path, tmp_path / "results", 0, print)
    (kept,) = (tmp_path / "results" / "tuned").iterdir()
    weights = load_file(kept / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    before, after = (load_file(place / "model.safetensors") for place in (folder("llama"), whole))
    changed = 0
    for name, first in weights.items():
        if "lora_A" not in name:
            continue
        target = name.removeprefix("base_model.model.").replace(".lora_A", "")
        added = weights[name.replace("lora_A", "lora_B")].double() @ first.double()
        expected = (before[target].double() + 2 * added).float()  # alpha is twice the rank
        assert after[target].equal(expected)
        changed += not after[target].equal(before[target].float())
    assert changed
    spec = ModelSpec("beside", str(folder("llama")), adapter=str(kept), dtype="float32", device="cpu")
    beside, inside = load(spec), load(replace(spec, source=str(whole), adapter=None))
    ids = torch.arange(3, 11)[None]
    assert torch.allclose(beside.model(ids).logits, inside.model(ids).logits, atol=1e-4)


def test_a_kept_adapter_names_no_folder_of_the_machine_that_trained_it(tmp_path, monkeypatch, short):
    entry = type("Entry", (), {"hub_id": "somebody/some-model"})
    monkeypatch.setattr(tuned, "CATALOG", {tuned.BASE: entry})
    place = tmp_path / "trained"
    tuned._train(small_testbed(), place, 0, lambda _: None)
    tuned._keep(place, tmp_path / "kept")
    config = json.loads((tmp_path / "kept" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "somebody/some-model"
    assert str(tmp_path) not in "".join(file.read_text() for file in (tmp_path / "kept").glob("*.json"))


def test_a_build_that_is_killed_goes_on(tmp_path, short, monkeypatch):
    monkeypatch.setattr(tuned, "Training", lambda **given: recipe_training(given))
    whole = build_tuned(small_testbed(), tmp_path / "whole", tmp_path / "whole", 0, lambda _: None)
    said = []

    def kill(text):
        said.append(text)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_tuned(small_testbed(), tmp_path / "killed", tmp_path / "killed", 0, kill)
    assert not (tmp_path / "killed" / "tuned").exists()
    again = []
    resumed = build_tuned(small_testbed(), tmp_path / "killed", tmp_path / "killed", 0, again.append)
    assert len(again) == 2
    one, other = (load_file(place / "model.safetensors") for place in (whole, resumed))
    assert all(one[name].equal(other[name]) for name in one)


def recipe_training(given):
    from isophrase.alignment.training import Training

    return Training(**{**given, "every": 2})


def test_the_tuned_model_says_that_it_has_seen_the_negated_wordings(tmp_path, short):
    record = read_record(build_tuned(small_testbed(), tmp_path, tmp_path, 0, lambda _: None))
    assert set(record.instructions) == {"testbed-mood", "testbed-not-mood"}
    assert len(record.tuned_on) == 2


def test_negated_wordings_are_drawn_late_in_the_tuning():
    testbed = recipe.load_testbed(recipe.Source.OWN, folder("llama"))
    materials = testbed.materials + testbed.opposites
    late = len(testbed.materials)
    seen = [{item.material for item in draw(materials, recipe.TUNING.draws, (), 0, step)} for step in range(510)]
    assert max(max(places) for places in seen[:300]) < late
    assert max(max(places) for places in seen[300:]) >= late
