"""From a run to its distances: captured once, the same each time, and refused where the model is another one now."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from isophrase.errors import ConfigError, StoreError
from tests.tiny_models import tiny_model

torch = pytest.importorskip("torch", reason="needs isophrase[local]")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")

EXPERIMENT = """
name: far
models:
{models}
tasks:
  - {{task: sentiment, limit: 14, max_instructions: 9}}
  - {{task: topic, limit: 14, max_instructions: 9}}
"""


def measured(folder: Path, models: str) -> Path:
    from isophrase.api import runs

    path = folder / "far.yaml"
    path.write_text(EXPERIMENT.format(models=models))
    return runs.evaluate(path, folder / "run")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("far")
    model = tiny_model(folder / "tiny")
    entry = "  - {{name: {name}, source: {source}, device: cpu, dtype: float32, trained_on: {seen}}}"
    lines = [
        entry.format(name="unknown", source=model, seen="null"),
        entry.format(name="known", source=model, seen="[reference]"),
    ]
    return measured(folder, "\n".join(lines))


@pytest.fixture(scope="module")
def view(run):
    from isophrase.api.distances import measure_distances

    return measure_distances(run, examples=10)


def test_every_table_gets_its_geometry(view):
    assert len(view.panels) == 4
    for panel in view.panels:
        own = panel.geometry
        assert own.examples == 10
        assert own.l2.shape == own.cosine.shape == own.cka.shape == (9,)
        assert own.layer == -2
        assert len(own.rows) == 90
        assert set(own.together) == {"known", "unknown"}
        assert own.spread_l2 > 0


def test_known_training_gives_the_nearest_observed_wording_and_unknown_the_reference(view):
    by_model = {panel.summary.model: panel.geometry for panel in view.panels}
    assert by_model["known"].to == "nearest observed wording"
    assert by_model["unknown"].to == "reference wording"
    assert np.isnan(by_model["unknown"].l2).sum() == 3
    assert not np.isnan(by_model["known"].l2).any()
    assert set(view.distances) == {("known", 0, "chat"), ("unknown", 0, "chat")}


def test_states_are_captured_once(run, view, monkeypatch):
    from isophrase.api import distances

    def fail(*_, **__):
        raise AssertionError("the model was loaded again")

    monkeypatch.setattr(distances, "load", fail)
    again = distances.measure_distances(run, examples=10)
    for one, other in zip(again.panels, view.panels, strict=True):
        np.testing.assert_array_equal(one.geometry.l2, other.geometry.l2)
        np.testing.assert_array_equal(one.geometry.tsne, other.geometry.tsne)


def test_a_state_in_the_folder_is_that_of_plain_transformers(run, view):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from isophrase.prompts import render
    from isophrase.representations.files import About, read_states
    from isophrase.results import read_inputs
    from isophrase.store import Store
    from isophrase.types import PromptFormat

    store = Store(run)
    inputs = read_inputs(store)
    key = next(item for item in store.panels() if item.model == "unknown" and item.task == "topic")
    asked = next(item for item in inputs.asked if item.task.name == "topic")
    rows = [item for item in asked.instructions if not item.role.is_control]
    ids = tuple(item.id for item in rows), tuple(item.id for item in asked.examples[:10])
    captured = read_states(run, About(key, -2, "last", *ids))
    source = inputs.models[0].source
    model, tokenizer = AutoModelForCausalLM.from_pretrained(source), AutoTokenizer.from_pretrained(source)

    def chat(turns):
        messages = [{"role": role, "content": text} for role, text in turns]
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    prompt = render(rows[3], asked.examples[4], (), PromptFormat.CHAT, chat)
    tokens = tokenizer(prompt.text, add_special_tokens=False, return_tensors="pt")
    with torch.no_grad():
        expected = model(**tokens, output_hidden_states=True).hidden_states[-2][0, -1].numpy()
    np.testing.assert_allclose(captured.states[3, 4], expected, rtol=2**-10, atol=2e-3)


def test_wrong_arguments_are_one_clear_error(run):
    from isophrase.api.distances import measure_distances

    with pytest.raises(ConfigError, match="a layer from 0"):
        measure_distances(run, layer=9)
    with pytest.raises(ConfigError, match="a position: last or mean"):
        measure_distances(run, position="first")
    with pytest.raises(ConfigError, match="at least one example"):
        measure_distances(run, examples=0)


def test_another_model_in_the_same_folder_is_refused(tmp_path):
    from isophrase.api.distances import measure_distances

    source = tiny_model(tmp_path / "tiny")
    folder = measured(tmp_path, f"  - {{source: {source}, device: cpu, dtype: float32}}")
    tiny_model(tmp_path / "tiny", seed=7)
    with pytest.raises(StoreError, match="the model that the run measured"):
        measure_distances(folder, examples=2)


def test_the_command_prints_a_table_and_json(run, view, capsys, monkeypatch):
    from isophrase.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["isophrase", "distance", str(run), "--examples", "10", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code in (0, None)
        return capsys.readouterr().out

    text = call()
    assert "the distance to the nearest observed wording is undefined" in text
    assert "correlation with the loss, cosine distance" in text
    assert "sentiment\t9\t10\t" in text
    values = json.loads(call("--json"))["distances"]
    assert {item["to"] for item in values} == {"nearest observed wording", "reference wording"}
    assert len(values[0]["tasks"][0]["instructions"]) == 9
    assert (run / "report.html").exists()
