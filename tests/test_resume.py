"""A run that is killed goes on where it was and ends with the same table as one that was not."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

import pytest

from isophrase.errors import StoreError
from isophrase.store import Store, existing_run
from tests.tiny_models import tiny_model

pytest.importorskip("torch", reason="needs isophrase[local]")

EXPERIMENT = """
name: resume
models: [{{source: {model}, device: cpu, dtype: float32}}]
tasks:
  - {{task: sentiment, limit: 40, max_instructions: 8}}
  - {{task: extraction, limit: 10, max_instructions: 2}}
shots: [0, 1]
unit_cells: {unit_cells}
generation: {{max_new_tokens: 4}}
"""


def evaluate(experiment: Path, out: Path) -> None:
    from isophrase.api import runs as api

    api.evaluate(experiment, out)


@pytest.fixture(scope="module")
def children():
    """Child processes that start quickly: forked from a clean server that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["isophrase.api.runs", "torch", "transformers"])
    return context


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, model) -> Path:
    path = tmp_path_factory.mktemp("experiment") / "resume.yaml"
    path.write_text(EXPERIMENT.format(model=model, unit_cells=16))
    return path


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, experiment, children) -> Store:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    child = children.Process(target=evaluate, args=(experiment, folder))
    child.start()
    child.join()
    assert child.exitcode == 0
    return existing_run(folder)[0]


def kill_at_a_random_moment(process, folder: Path, chooser: random.Random) -> None:
    """Let the run write a few more parts, wait a moment of random length, kill."""
    scores = folder / "scores"
    wanted = len(list(scores.glob("*"))) + chooser.randint(0, 3)
    patience = time.monotonic() + 60
    while len(list(scores.glob("*"))) < wanted and process.is_alive() and time.monotonic() < patience:
        time.sleep(0.002)
    time.sleep(chooser.uniform(0, 0.08))
    process.kill()
    process.join()


def test_ten_kills_at_random_moments_change_nothing(tmp_path, experiment, children, uninterrupted):
    folder, chooser = tmp_path / "killed", random.Random(20)
    exits = []
    for _ in range(10):
        child = children.Process(target=evaluate, args=(experiment, folder))
        child.start()
        kill_at_a_random_moment(child, folder, chooser)
        exits.append(child.exitcode)
    assert exits.count(-9) >= 8, "the run is too short for ten kills: give it more units"
    child = children.Process(target=evaluate, args=(experiment, folder))
    child.start()
    child.join()
    assert child.exitcode == 0
    killed = existing_run(folder)[0]
    assert killed.scores() == uninterrupted.scores()
    assert killed.parts().keys() == uninterrupted.parts().keys()
    assert not list(killed.scores_folder.glob(".*.tmp"))


def test_two_processes_fill_one_run(tmp_path, experiment, children, uninterrupted):
    folder = tmp_path / "shared"
    pair = [children.Process(target=evaluate, args=(experiment, folder)) for _ in range(2)]
    for child in pair:
        child.start()
    for child in pair:
        child.join()
    assert [child.exitcode for child in pair] == [0, 0]
    assert existing_run(folder)[0].scores() == uninterrupted.scores()


def test_a_truncated_part_is_measured_again(tmp_path, experiment, uninterrupted):
    folder = tmp_path / "run"
    evaluate(experiment, folder)
    store = existing_run(folder)[0]
    path = next(iter(store.parts().values()))
    path.write_bytes(path.read_bytes()[:100])
    evaluate(experiment, folder)
    assert store.scores() == uninterrupted.scores()
    assert [item.name for item in (folder / "set-aside").iterdir()] == [f"{path.stem}.0.parquet"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("limit: 40", "limit: 39"), r"config\.tasks\[0\]\.limit: 40 -> 39"),
        (("shots: [0, 1]", "seed: 5"), r"config\.seed: 0 -> 5"),
    ],
)
def test_a_changed_experiment_is_refused_with_its_differences(tmp_path, experiment, change, words):
    folder = tmp_path / "run"
    changed = experiment.with_name("changed.yaml")
    evaluate(experiment, folder)
    changed.write_text(experiment.read_text().replace(*change))
    with pytest.raises(StoreError, match=words):
        evaluate(changed, folder)


def test_a_changed_model_is_refused(tmp_path, model):
    import shutil

    copy = tmp_path / "tiny"
    shutil.copytree(model, copy)
    experiment = tmp_path / "x.yaml"
    task = "{task: sentiment, limit: 2, max_instructions: 2}"
    experiment.write_text(f"name: x\nmodels: [{{source: {copy}, device: cpu}}]\ntasks: [{task}]")
    evaluate(experiment, tmp_path / "run")
    shutil.rmtree(copy)
    tiny_model(copy, seed=1)
    with pytest.raises(StoreError, match=r"models\.tiny\.fingerprint"):
        evaluate(experiment, tmp_path / "run")


def test_a_changed_task_file_is_refused(tmp_path, model):
    (tmp_path / "rows.csv").write_text("text,label\ngood,yes\nbad,no\n")
    (tmp_path / "set.yaml").write_text(
        "name: set\nversion: '1'\ninstructions:\n"
        "  - {id: a, template: '{{ text }}?', collection: human, output_form: label}\n"
    )
    experiment = tmp_path / "x.yaml"
    experiment.write_text(
        f"name: x\nmodels: [{{source: {model}, device: cpu}}]\ninstructions: [set.yaml]\ntasks:\n  - task:\n"
        "      {name: mine, kind: classification, data: rows.csv, fields: [text], label: label,\n"
        "       options: ['yes', 'no']}\n"
    )
    evaluate(experiment, tmp_path / "run")
    (tmp_path / "rows.csv").write_text("text,label\ngood,yes\nbad,yes\n")
    with pytest.raises(StoreError, match=r"digests\.tasks\.mine"):
        evaluate(experiment, tmp_path / "run")
