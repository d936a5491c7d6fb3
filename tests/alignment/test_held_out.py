"""What verification will measure, known before training: nothing that training or the base model has seen."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from isophrase.alignment.held_out import held_out
from isophrase.alignment.method import Draws
from isophrase.alignment.record import RECORD, Record, content_digest
from isophrase.alignment.wordings import digests
from isophrase.errors import ManyErrors
from isophrase.plan import Asked
from isophrase.types import ModelSpec, Role, Split
from tests.alignment.small import REFERENCE, TEST, material, wording

DRAWS = Draws(wordings=2)
FRESH = (*TEST, wording("test-2", "A critic wrote {{ text }} Was there praise?"))


def item(**changes):
    found = material()
    return replace(found, wordings=replace(found.wordings, **{"test": FRESH, **changes}))


def base(folder, **seen):
    record = Record(**{"kind": "tune", "name": "x", "method": {}, "seed": 7, "base": {}, "tuned_on": None, **seen})
    folder.mkdir(exist_ok=True)
    (folder / RECORD).write_bytes(TypeAdapter(Record).dump_json(record))
    return ModelSpec("base", str(folder))


def plan(*materials, spec=None, limit=40, seed=0):
    return held_out(materials, DRAWS, spec or ModelSpec("base", "none"), seed=seed, limit=limit)


def test_references_and_test_wordings_and_controls_are_asked_on_test_inputs():
    (asked,) = plan(item(), limit=3).asked
    assert [one.id for one in asked.instructions] == ["reference", "test-1", "test-2", "not"]
    assert asked.examples == asked.task.examples == item().task.split(Split.TEST)[:3]
    assert plan(item()).notes == ()


def test_entries_of_one_task_are_asked_together():
    reference = wording("b/reference", "Tell the mood that speaks from {{ text }}", Role.REFERENCE)
    more = wording("b/test", "How would you take {{ text }}")
    second = replace(item(), wordings=replace(item().wordings, references=(reference,), test=(more,)))
    (asked,) = plan(item(), second).asked
    ids = ["reference", "b/reference", "test-1", "test-2", "b/test", "not"]
    assert [one.id for one in asked.instructions] == ids
    assert list(plan(item(), second).digests["tasks"]) == ["mood"]


def test_what_another_task_trains_on_is_left_out_and_said():
    other = item(train=(FRESH[1],), test=TEST)
    inputs = item().task.split(Split.TEST)
    other = replace(other, task=replace(other.task, name="other"), train=(replace(inputs[0], split=Split.TRAIN),))
    found = plan(item(), other)
    assert [one.id for one in found.asked[0].instructions] == ["reference", "test-1", "not"]
    assert found.asked[0].examples == inputs[1:]
    assert found.notes[0] == (
        "mood: 1 of 3 test wordings and controls and 1 of 4 test inputs are left out of verification: "
        "this training has seen them or near copies"
    )


def test_what_the_base_model_has_seen_is_left_out_before_the_limit_is_counted(tmp_path):
    inputs = item().task.split(Split.TEST)
    seen = {"aligned_on": tuple(digests(FRESH[1:])), "examples": (content_digest(inputs[0]),)}
    found = plan(item(), spec=base(tmp_path / "base", **seen), limit=3)
    assert [one.id for one in found.asked[0].instructions] == ["reference", "test-1", "not"]
    assert found.asked[0].examples == inputs[1:]
    assert "the base model has seen them" in found.notes[0]


def test_a_test_wording_that_the_base_model_was_tuned_on_stays_and_is_said_to_be_observed(tmp_path):
    for seen in ({}, {"aligned_on": tuple(digests(FRESH))}):
        spec = base(tmp_path / "base", tuned_on=tuple(digests(FRESH)), **seen)
        assert plan(item(), spec=spec).asked == plan(item()).asked
        assert plan(item(), spec=spec).notes == (
            "mood: 2 of 3 test wordings and controls are observed, in the base model's tuning",
        )


def test_a_task_of_which_the_base_model_has_seen_all_says_which_seed_divides_it_alike(tmp_path):
    examples = tuple(map(content_digest, item().task.split(Split.TEST)))
    for name, seen in (("inputs", {"examples": examples}), ("wordings", {"aligned_on": tuple(digests(FRESH))})):
        spec = base(tmp_path / name, **seen)
        with pytest.raises(ManyErrors, match=r"task 'mood' that neither .* say `seed: 7`"):
            plan(item(), spec=spec)
        with pytest.raises(ManyErrors, match="give the task other instructions or more examples") as caught:
            plan(item(), spec=spec, seed=7)
        assert "say `seed" not in str(caught.value)


def test_a_near_copy_of_what_another_task_trains_on_is_left_out_too():
    other = item(train=(wording("other-1", FRESH[1].template.upper().replace("TEXT", "text")),), test=TEST)
    other = replace(other, task=replace(other.task, name="other"), train=())
    found = plan(item(), other)
    assert [one.id for one in found.asked[0].instructions] == ["reference", "test-1", "not"]
    assert "1 of 3 test wordings and controls and 0 of 4 test inputs are left out" in found.notes[0]


def test_a_task_outside_training_is_asked_all_that_nobody_has_seen():
    known = item()
    task = replace(known.task, name="other", examples=known.task.split(Split.TEST))
    wordings = (*known.wordings.references, *known.wordings.train[:1], FRESH[1], *known.wordings.test_controls)
    other = Asked(task, wordings, task.examples)
    found = held_out([known], DRAWS, ModelSpec("base", "none"), seed=0, limit=2, outside=[other])
    assert [one.task.name for one in found.asked] == ["mood", "other"]
    assert [one.id for one in found.asked[1].instructions] == ["reference", "test-2", "not"]
    assert found.asked[1].examples == task.examples[:2]
    assert found.notes[-1].startswith("other: 1 of 3 test wordings and controls and 0 of 4 test inputs are left out")
    seen = replace(other, instructions=wordings[:2])
    with pytest.raises(ManyErrors, match="test wordings and test inputs of task 'other'"):
        held_out([known], DRAWS, ModelSpec("base", "none"), seed=0, limit=2, outside=[seen])


def test_a_control_that_is_a_wording_with_a_word_more_stays():
    control = wording("hardly", REFERENCE.template.replace("Say whether", "Say whether not"), Role.NEGATED)
    (asked,) = plan(item(test_controls=(control,))).asked
    assert "hardly" in [one.id for one in asked.instructions]
