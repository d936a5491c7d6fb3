"""The tuned model: trained once, kept as an adapter beside the rows, put together alike everywhere."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from isophrase.alignment.method import Schedule
from isophrase.alignment.record import RECORD, read_record
from isophrase.alignment.sampling import draw
from isophrase.alignment.training import Training
from isophrase.errors import StoreError
from isophrase.models.huggingface import load
from isophrase.testbed import recipe, rows, tuned
from isophrase.testbed.inputs import make_opposite
from isophrase.testbed.rows import RowKey, run_row
from isophrase.testbed.tuned import tuned_adapter, tuned_model
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
    monkeypatch.setattr(tuned, "Training", lambda **given: Training(**{**given, "every": 2}))


def adapter(place, results, seed=0, notify=print):
    return tuned_adapter(small_testbed(), place, results, seed, notify)


def weights(found):
    return load_file(Path(found) / "model.safetensors")


def equal(one, other):
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def no_training(*_, **__):
    raise AssertionError("trained")


def test_a_kept_adapter_makes_the_same_model_in_another_cache_without_training(tmp_path, short, monkeypatch):
    said = []
    first = adapter(tmp_path / "one", tmp_path / "results", notify=said.append)
    assert len(said) == 4
    monkeypatch.setattr(tuned, "run_training", no_training)
    again = adapter(tmp_path / "other", tmp_path / "results")
    assert again == first
    models = [tuned_model(first, tmp_path / place).source for place in ("one", "other")]
    assert models[0] != models[1]
    assert equal(*map(weights, models))
    with pytest.raises(AssertionError, match="trained"):
        adapter(tmp_path / "one", tmp_path / "results", seed=1)


def test_the_whole_model_is_the_base_with_the_kept_adapter(tmp_path, short):
    kept = adapter(tmp_path, tmp_path / "results")
    whole = tuned_model(kept, tmp_path).source
    factors = load_file(kept / "adapter_model.safetensors")
    assert {weight.dtype for weight in factors.values()} == {torch.bfloat16}
    before, after = weights(folder("llama")), weights(whole)
    changed = 0
    for name, first in factors.items():
        if "lora_A" not in name:
            continue
        target = name.removeprefix("base_model.model.").replace(".lora_A", "")
        added = factors[name.replace("lora_A", "lora_B")].double() @ first.double()
        expected = (before[target].double() + 2 * added).float()  # alpha is twice the rank
        assert after[target].equal(expected)
        changed += not after[target].equal(before[target].float())
    assert changed
    spec = ModelSpec("beside", str(folder("llama")), adapter=str(kept), dtype="float32", device="cpu")
    beside, inside = load(spec), load(replace(spec, source=str(whole), adapter=None))
    ids = torch.arange(3, 11)[None]
    assert torch.allclose(beside.model(ids).logits, inside.model(ids).logits, atol=1e-4)


def test_a_kept_adapter_says_nothing_that_differs_between_machines(tmp_path, short, monkeypatch):
    tuned._train(small_testbed(), tmp_path / "trained", 0, lambda _: None)
    monkeypatch.setattr(tuned, "BASE", "some-model")
    tuned._keep(tmp_path / "trained", tmp_path / "kept")
    config = json.loads((tmp_path / "kept" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "some-model"
    assert config["target_modules"] == sorted(config["target_modules"])


def test_what_another_process_kept_meanwhile_stays(tmp_path, short):
    tuned._train(small_testbed(), tmp_path / "trained", 0, lambda _: None)
    theirs = tmp_path / "results" / "kept"
    theirs.mkdir(parents=True)
    (theirs / RECORD).write_text("theirs")
    tuned._keep(tmp_path / "trained", theirs)
    assert [file.name for file in theirs.parent.iterdir()] == ["kept"]
    assert (theirs / RECORD).read_text() == "theirs"


def test_a_model_that_was_half_written_is_written_again(tmp_path, short):
    kept = adapter(tmp_path, tmp_path / "results")
    whole = Path(tuned_model(kept, tmp_path).source)
    before = {name: weight.clone() for name, weight in weights(whole).items()}  # not of the file any more
    (whole / RECORD).unlink()
    (whole / "model.safetensors").write_bytes(b"half")
    assert tuned_model(kept, tmp_path).source == str(whole)
    assert equal(weights(whole), before)


def test_results_that_cannot_be_written_are_refused_before_any_training(tmp_path, short, monkeypatch):
    monkeypatch.setattr(tuned, "run_training", no_training)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"a folder that can be written to.*--results"):
        adapter(tmp_path, tmp_path / "file")


def test_a_build_that_is_killed_goes_on(tmp_path, short):
    whole = adapter(tmp_path / "whole", tmp_path / "whole")
    said = []

    def kill(text):
        said.append(text)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapter(tmp_path / "killed", tmp_path / "killed", notify=kill)
    assert not list((tmp_path / "killed" / "tuned").iterdir())
    again = []
    resumed = adapter(tmp_path / "killed", tmp_path / "killed", notify=again.append)
    assert len(again) == 2
    assert equal(*(load_file(place / "adapter_model.safetensors") for place in (whole, resumed)))


def test_a_row_is_kept_as_long_as_its_tuned_model_is(tmp_path, short, monkeypatch):
    measured = []
    monkeypatch.setattr(rows, "measure", lambda *_: measured.append(1) or {})
    key = RowKey(method="none", seed=0, tuned=0)

    def run():
        return run_row(small_testbed(), key, tmp_path, tmp_path / "results", lambda _: None)

    assert run() == run()
    assert len(measured) == 1
    (kept,) = (tmp_path / "results" / "tuned").iterdir()
    content = bytearray((kept / "adapter_model.safetensors").read_bytes())
    content[-1] ^= 1
    (kept / "adapter_model.safetensors").write_bytes(content)
    assert run() == run()
    assert len(measured) == 2


def test_the_tuned_model_says_that_it_has_seen_the_negated_wordings(tmp_path, short):
    whole = tuned_model(adapter(tmp_path, tmp_path), tmp_path).source
    record = read_record(Path(whole))
    assert set(record.instructions) == {"testbed-mood", "testbed-not-mood"}
    assert len(record.tuned_on) == 2


def test_negated_wordings_are_drawn_late_in_the_tuning(tmp_path):
    testbed = recipe.load_testbed(recipe.Source.OWN, tmp_path)
    materials = testbed.materials + testbed.opposites
    late = len(testbed.materials)
    seen = [{item.material for item in draw(materials, recipe.TUNING.draws, (), 0, step)} for step in range(510)]
    assert max(max(places) for places in seen[:300]) < late
    assert max(max(places) for places in seen[300:]) >= late
