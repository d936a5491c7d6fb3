from dataclasses import replace

import pytest

from isophrase.alignment.wordings import by_chance, by_collection
from isophrase.errors import ManyErrors
from isophrase.types import Instruction, InstructionSet, OutputForm, Role

WORDS = "apple bridge cloud desert ember forest garden harbour island jungle kettle lantern meadow".split()  # noqa: SIM905


def one(name, template, **changes):
    given = {"collection": "human", "output_form": OutputForm.LABEL, **changes}
    return Instruction(name, template, **given)


def a_set(*more):
    reference = one("reference", "Classify the review. {{ text }}", role=Role.REFERENCE)
    others = [
        one(f"w{place}", f"Would the {word} say {word}s are {word[::-1]}? {{{{ text }}}}")
        for place, word in enumerate(WORDS)
    ]
    return InstructionSet("set", "1", (reference, *others, *more))


def test_every_wording_has_one_purpose_and_the_seed_decides():
    wordings = by_chance(a_set(), 0)
    parts = [*wordings.references, *wordings.train, *wordings.dev, *wordings.test]
    assert sorted(item.id for item in parts) == sorted(item.id for item in a_set().instructions)
    assert wordings == by_chance(a_set(), 0)
    assert wordings != by_chance(a_set(), 1)


@pytest.mark.parametrize("seed", range(8))
def test_near_duplicates_stay_on_one_side(seed):
    twin = one("twin", "Would the apple say apples are elppa! {{ text }}")
    wordings = by_chance(a_set(twin), seed)
    sides = [{item.id for item in part} for part in (wordings.train, wordings.dev, wordings.test)]
    assert any({"w0", "twin"} <= side for side in sides)


@pytest.mark.parametrize("seed", range(8))
def test_a_near_copy_of_a_reference_is_no_test(seed):
    copy = one("copy", "Classify the review! {{ text }}")
    assert "copy" not in {item.id for item in by_chance(a_set(copy), seed).test}


def test_controls_are_shared_out_by_kind():
    wordings = by_chance(
        a_set(*negated("Do not do it.", "Say the reverse of its mood.", "Leave out what is right.")), 0
    )
    assert [item.id for item in wordings.train_controls] == ["not-1"]
    assert [item.id for item in wordings.test_controls] == ["not-0", "not-2"]


def test_near_duplicates_among_controls_stay_on_one_side():
    first, other = "Say the reverse of its mood.", "Never give the label."
    wordings = by_chance(a_set(*negated(first, other, first.replace(".", "!"), other.replace(".", "!"))), 0)
    assert [item.id for item in wordings.train_controls] == ["not-1", "not-3"]
    assert [item.id for item in wordings.test_controls] == ["not-0", "not-2"]


def test_near_duplicates_of_two_kinds_stay_on_one_side():
    plain = negated("Say the reverse of its mood.", "Never give the label.")
    twin = replace(plain[1], id="nonsense", template="Never give the label! {{ text }}", role=Role.NONSENSE)
    wordings = by_chance(a_set(*plain, twin), 0)
    assert [item.id for item in wordings.train_controls] == ["not-1", "nonsense"]


def negated(*templates):
    return [one(f"not-{place}", f"{text} {{{{ text }}}}", role=Role.NEGATED) for place, text in enumerate(templates)]


def parted(**changes):
    members = [
        one("r", "Classify the review. {{ text }}", role=Role.REFERENCE),
        one("a", "Kindly tell its mood: {{ text }}", collection="train", register="polite"),
        one("b", "FORM 7: feeling of {{ text }}", collection="dev", register="form"),
        one("c", "yo whats the vibe of {{ text }}", collection="test", register="slang"),
    ]
    return InstructionSet("set", "1", tuple(replace(item, **changes.get(item.id, {})) for item in members))


def test_collections_say_what_a_wording_is_for():
    wordings = by_collection(parted())
    assert [item.id for part in (wordings.train, wordings.dev, wordings.test) for item in part] == ["a", "b", "c"]


def test_collections_say_what_a_control_is_for_and_others_are_shared_out():
    said = [
        one(part, f"Do not do it, {part}. {{{{ text }}}}", role=Role.NEGATED, collection=part)
        for part in ("train", "dev", "test")
    ]
    unsaid = [one(f"not-{place}", f"Not so, {place}. {{{{ text }}}}", role=Role.NEGATED) for place in range(2)]
    wordings = by_collection(replace(parted(), instructions=(*parted().instructions, *said, *unsaid)))
    parts = (wordings.train_controls, wordings.dev_controls, wordings.test_controls)
    assert [[item.id for item in part] for part in parts] == [["train", "not-1"], ["dev"], ["test", "not-0"]]


def test_a_test_wording_that_training_sees_is_refused():
    with pytest.raises(ManyErrors, match="nearly 'a'"):
        by_collection(parted(c={"template": "Kindly tell its mood : {{ text }}"}))


def test_a_test_control_that_training_sees_is_refused():
    controls = [
        one(collection, f"Say the reverse of its mood{end} {{{{ text }}}}", role=Role.NEGATED, collection=collection)
        for collection, end in (("train", "."), ("test", "!"))
    ]
    with pytest.raises(ManyErrors, match="test control 'test' is nearly 'train'"):
        by_collection(replace(parted(), instructions=(*parted().instructions, *controls)))


def test_a_register_of_both_sides_is_refused():
    with pytest.raises(ManyErrors, match=r"got 'c' in 'polite', .*; re-word it"):
        by_collection(parted(c={"register": "polite"}))


def test_a_missing_part_is_named():
    with pytest.raises(ManyErrors, match="at least one dev wording"):
        by_collection(parted(b={"collection": "train"}))
