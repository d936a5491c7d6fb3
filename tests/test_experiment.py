"""The experiment file: every mistake named, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from isophrase.errors import ConfigError, ManyErrors
from isophrase.experiment import load_experiment, parse_experiment
from isophrase.sources.documents import Document
from isophrase.types import PromptFormat

GOOD = {"name": "x", "models": ["smollm2-135m-instruct"], "tasks": ["sentiment"]}


def parse(**changes):
    return parse_experiment(Document("x.yaml", {**GOOD, **changes}), base=Path())


def test_bare_names_are_enough():
    experiment = parse()
    assert experiment.models[0].name == "smollm2-135m-instruct"
    assert experiment.tasks[0].reference == "sentiment"
    assert experiment.shots == (0,)


def test_a_task_takes_the_experiment_s_limits_unless_it_has_its_own():
    tasks = parse(limit=50, tasks=["a", {"task": "b", "limit": 7, "instructions": "general"}]).tasks
    assert [task.limit for task in tasks] == [50, 7]
    assert tasks[1].instructions == ("general",)


def test_a_model_s_name_is_the_end_of_its_source():
    models = parse(models=["org/model", {"source": "./runs/tuned/", "format": "alpaca"}]).models
    assert [model.name for model in models] == ["model", "tuned"]
    assert models[1].prompt_format is PromptFormat.ALPACA


def test_the_report_section_is_not_part_of_the_identity():
    assert parse(report={"rule": "per_byte"}).identity == parse().identity
    assert parse(seed=1).identity != parse().identity


BAD = [
    ({"taks": []}, "unknown key 'taks'; did you mean 'tasks'?"),
    ({"zzz": 1}, "unknown key 'zzz'; known are name, seed, models"),
    ({"name": ""}, "name: string should match pattern"),
    ({"name": "a/b"}, "name: string should match pattern"),
    ({"models": []}, "models: expected at least one; got none; add one"),
    ({"models": [{"name": "x"}]}, "'models[0].source' is missing; add it"),
    ({"models": [{"source": "m", "dtype": "int3"}]}, "models[0].dtype: expected 'auto', 'float32'"),
    ({"models": [{"source": "m", "device": "tpu"}]}, "models[0].device: string should match pattern"),
    ({"models": [{"source": "m", "adaptor": "x"}]}, "unknown key 'models[0].adaptor'; did you mean 'adapter'?"),
    ({"models": 3}, "models: input should be a valid tuple; got 3"),
    ({"tasks": [{"task": "t", "limit": 0}]}, "tasks[0].limit: input should be greater than or equal to 1; got 0"),
    ({"tasks": [{"task": "t", "split": "holdout"}]}, "tasks[0].split: expected 'train', 'dev', 'test'"),
    ({"shots": []}, "shots: expected at least one; got none; add one"),
    ({"shots": [-1]}, "shots[0]: input should be greater than or equal to 0; got -1"),
    ({"formats": ["html"]}, "formats[0]: expected 'plain', 'chat' or 'alpaca'; got 'html'"),
    ({"report": {"level": 95}}, "report.level: input should be less than 1; got 95"),
    ({"report": {"rule": "mean"}}, "report.rule: expected 'sum', 'per_token' or 'per_byte'; got 'mean'"),
    ({"generation": {"max_new_tokens": 0}}, "generation.max_new_tokens: input should be greater than or equal to 1"),
    ({"seed": "lucky"}, "seed: input should be a valid integer"),
    ({"seed": -1}, "seed: input should be greater than or equal to 0"),
]


@pytest.mark.parametrize(("changes", "line"), BAD, ids=[line for _, line in BAD])
def test_each_mistake_is_one_line_with_its_place(changes, line):
    with pytest.raises(ManyErrors) as caught:
        parse(**changes)
    (problem,) = caught.value.problems
    assert problem.startswith(f"x.yaml: {line}")
    assert "\n" not in problem


def test_all_mistakes_are_reported_together_with_their_lines(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nmodels: [{}]\ntasks:\n  - task: t\n    limit: -1\ntaks: 1\n")
    with pytest.raises(ManyErrors) as caught:
        load_experiment(path)
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["x.yaml:2:", "x.yaml:5:", "x.yaml:6:"]
    assert str(caught.value).startswith("x.yaml has 3 problems:\n  - ")


def test_two_models_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="gpt more than once"):
        parse(models=["a/gpt", "b/gpt"])
