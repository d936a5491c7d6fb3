"""The tuned model: two trainings in one build, which a kill does not undo."""

from dataclasses import replace

import pytest
from safetensors.torch import load_file

from isophrase.alignment.method import Schedule
from isophrase.alignment.record import read_record
from isophrase.testbed import recipe, rows
from isophrase.testbed.inputs import make_opposite
from isophrase.types import Role
from tests.alignment.small import material, wording
from tests.engine.reference import folder


def small_testbed():
    plain = material()
    named = replace(plain, task=replace(plain.task, name="testbed-mood"))
    task = make_opposite(named.task)
    negated = wording("not-1", "Say which of positive or negative it is not. {{ text }}", Role.REFERENCE)
    opposite = replace(
        named, task=task, wordings=replace(named.wordings, references=(negated,)), train=task.examples[:8], weight=0.7
    )
    return recipe.Testbed(recipe.Source.OWN, (named,), (opposite,))


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(rows, "BASE", str(folder("llama")))
    for name in ("TUNING", "READING"):
        monkeypatch.setattr(rows, name, replace(getattr(recipe, name), schedule=Schedule(steps=3, rate=1e-3)))


def test_a_build_that_is_killed_in_its_second_training_goes_on_there(tmp_path, short):
    testbed = small_testbed()
    whole = rows.build_tuned(testbed, tmp_path / "whole", 0, lambda _: None)
    said = []

    def kill(text):
        said.append(text)
        if len(said) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rows.build_tuned(testbed, tmp_path / "killed", 0, kill)
    again = []
    resumed = rows.build_tuned(testbed, tmp_path / "killed", 0, again.append)
    assert len(said) + len(again) <= 8  # of 6 steps, at most what was between a checkpoint and the kill twice
    one, other = (load_file(place / "model.safetensors") for place in (whole, resumed))
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)
    assert not list((tmp_path / "killed" / "testbed").glob("*-plain"))


def test_the_tuned_model_says_that_it_has_seen_the_negated_wordings(tmp_path, short):
    testbed = small_testbed()
    record = read_record(rows.build_tuned(testbed, tmp_path, 0, lambda _: None))
    assert set(record.instructions) == {"testbed-mood", "testbed-not-mood"}
    assert len(record.tuned_on) == 2
