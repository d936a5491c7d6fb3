"""A run with a budget: chosen cells are logged and measured, the rest is estimated and marked so, and it goes on."""

import json

import pytest

from isophrase.api import runs
from isophrase.errors import IsophraseError
from isophrase.manifest import read_manifest
from isophrase.report.machine import to_json_text
from tests.tiny_models import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def experiment(folder, model, budget):
    path = folder / "x.yaml"
    task = "{task: sentiment, limit: 30, max_instructions: 10}"
    path.write_text(f"name: x\nmodels: [{{source: {model}, device: cpu}}]\ntasks: [{task}]\n{budget}")
    return path


def test_a_part_is_measured_and_the_rest_estimated(tmp_path, model):
    folder = runs.evaluate(experiment(tmp_path, model, "budget: {share: 0.2, rounds: 3}"), tmp_path / "run")
    view = runs.read(folder)
    panel = view.panels[0]
    assert len(panel.measurements) == pytest.approx(60, abs=8)
    assert panel.budget.measured == len(panel.measurements)
    assert panel.budget.cells == 300
    assert panel.summary.unscored.value == 0
    assert any("measured" in note and "of 300 cells" in note for note in view.notes)
    assert not any("not measured yet" in note for note in view.notes)
    values = json.loads(to_json_text(view))["tasks"][0]["budget"]
    assert values["quantiles"][0]["share"] == 0.05
    choices = read_manifest(folder).choices
    assert sum(choice["cells"] for choice in choices) == len(panel.measurements)
    assert [choice["round"] for choice in choices] == list(range(len(choices)))
    runs.write_report(folder, view)


def test_it_goes_on_with_the_same_cells_and_with_a_larger_budget(tmp_path, model):
    small = experiment(tmp_path, model, "budget: 0.1")
    folder = runs.evaluate(small, tmp_path / "run")
    first = read_manifest(folder).choices
    kept = set(runs.read(folder).panels[0].measurements)
    removed = sorted((folder / "scores").glob("*.parquet"))[0]
    removed.unlink()
    runs.evaluate(small, folder)
    assert read_manifest(folder).choices == first
    assert set(runs.read(folder).panels[0].measurements) == kept
    runs.evaluate(experiment(tmp_path, model, "budget: 0.3"), folder)
    assert kept < set(runs.read(folder).panels[0].measurements)
    assert read_manifest(folder).choices[: len(first)] == first


def test_a_wanted_precision_ends_it_earlier(tmp_path, model):
    folder = runs.evaluate(
        experiment(tmp_path, model, "budget: {share: 0.9, rounds: 10, precision: 0.45}"), tmp_path / "run"
    )
    found = runs.read(folder).panels[0].budget
    assert found.measured < 0.8 * found.cells
    assert found.widest <= 0.45


def test_a_budget_run_is_not_filled_up_by_accident(tmp_path, model):
    folder = runs.evaluate(experiment(tmp_path, model, "budget: 0.1"), tmp_path / "run")
    with pytest.raises(IsophraseError, match="was begun with one"):
        runs.evaluate(experiment(tmp_path, model, ""), folder)


@pytest.mark.parametrize(
    "budget", ["budget: 0", "budget: 1.5", "budget: {rounds: 3}", "budget: 0.1\ncontent_free: true"]
)
def test_a_budget_that_makes_no_sense_is_refused(tmp_path, model, budget):
    with pytest.raises(IsophraseError, match=r"budget|expected"):
        runs.evaluate(experiment(tmp_path, model, budget), tmp_path / "run")


def test_content_free_texts_are_measured_and_in_no_estimate(tmp_path, model):
    folder = runs.evaluate(experiment(tmp_path, model, "content_free: true"), tmp_path / "run")
    view = runs.read(folder)
    panel = view.panels[0]
    assert (len(panel.measurements), len(panel.content_free)) == (300, 30)
    assert panel.summary.n_examples == 30
    assert not any("not measured yet" in note for note in view.notes)
