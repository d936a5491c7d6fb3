from collections import Counter
from dataclasses import replace

from isophrase.alignment.method import Draws
from isophrase.alignment.registers import Register, bundled_registers, wrap
from isophrase.alignment.sampling import Purpose, answered, draw
from isophrase.types import Role
from tests.alignment.small import CONTROLS, REFERENCE, TRAIN, material, wording

MATERIALS = (material(), replace(material(), task=replace(material().task, name="other"), weight=3.0))


def test_a_step_is_drawn_alike_whatever_came_before():
    draws = Draws(wordings=4, inputs=2, registers=0.5)
    registers = bundled_registers()
    assert draw(MATERIALS, draws, registers, 0, 7) == draw(MATERIALS, draws, registers, 0, 7)
    assert draw(MATERIALS, draws, registers, 0, 7) != draw(MATERIALS, draws, registers, 1, 7)


def test_tasks_are_drawn_by_weight():
    counts = Counter(
        item.material for step in range(50) for item in draw(MATERIALS, Draws(wordings=4, inputs=1), (), 0, step)
    )
    assert counts == {0: 50, 1: 150}


def test_every_purpose_has_its_own_wordings_and_reference():
    found = draw(MATERIALS, Draws(wordings=2, inputs=2, references=1, controls=1), (), 0, 0)
    by_purpose = {purpose: [item for item in found if item.purpose is purpose] for purpose in Purpose}
    assert [len(items) for items in by_purpose.values()] == [4, 2, 0, 2]
    assert all(item.reference == REFERENCE and item.wording in TRAIN for item in by_purpose[Purpose.WORDING])
    assert all(item.reference == item.wording for item in by_purpose[Purpose.NEGATED])


def test_a_register_stands_around_the_wording_and_keeps_its_slots():
    wrapped = wrap(TRAIN[0], Register("polite", "Please. {{ instruction }} Thanks."))
    assert wrapped.template == "Please. {{ text }} Which of the labels? Thanks."
    twice = wrap(wrapped, Register("quoted", "<{{ instruction }}>"))
    assert twice.template == "<Please. {{ text }} Which of the labels? Thanks.>"


def test_registers_are_drawn_with_their_probability():
    found = [
        item for step in range(100) for item in draw(
            MATERIALS, Draws(wordings=4, inputs=1, registers=0.5), bundled_registers(), 0, step
        )
    ]  # fmt: skip
    wrapped = sum("+" in item.wording.id for item in found) / len(found)
    assert 0.4 < wrapped < 0.6
    assert all(item.group.endswith(item.wording.id.split("+")[0]) for item in found)


def test_a_control_in_registers_is_held_to_the_control_without_them():
    registers = (Register("polite", "Please. {{ instruction }} Thanks."),)
    draws = Draws(wordings=1, controls=2, registers=1.0, splices=1.0)
    found = [item for item in draw(MATERIALS, draws, registers, 0, 0) if item.purpose is Purpose.NEGATED]
    assert {item.reference for item in found} == set(CONTROLS)
    assert {item.wording.template for item in found} == {"Please. Answer with the wrong label. {{ text }} Thanks."}


def test_a_training_wording_turned_round_is_held_to_its_reference_turned_round_alike():
    inverting = Register("liar", "A liar is asked: {{ instruction }}", inverts=True)
    draws = Draws(wordings=2, inversions=2, inputs=2, registers=1.0)
    found = draw(MATERIALS, draws, (inverting,), 0, 0)
    plain, inverted = found[:4], found[4:]
    assert all(item.purpose is Purpose.WORDING and item.wording in TRAIN for item in plain)
    assert len(inverted) == 4
    assert all(item.purpose is Purpose.NEGATED for item in inverted)
    assert {item.wording.template for item in inverted} <= {wrap(one, inverting).template for one in TRAIN}
    assert {item.reference.template for item in inverted} == {wrap(REFERENCE, inverting).template}


def test_free_text_has_no_opposite():
    inverting = Register("liar", "A liar is asked: {{ instruction }}", inverts=True)
    free = replace(MATERIALS[0], train=tuple(replace(one, options=(), gold=()) for one in MATERIALS[0].train))
    assert len(draw([free], Draws(wordings=1, inversions=2, inputs=1), (inverting,), 0, 0)) == 1


def test_what_asks_for_another_option_is_answered_with_one_and_nothing_else_is():
    item = MATERIALS[0]
    nonsense = wording("nonsense", "Colourless green ideas. {{ text }}", Role.NONSENSE)
    item = replace(item, wordings=replace(item.wordings, train_controls=(*CONTROLS, nonsense)))
    inverting = Register("liar", "A liar is asked: {{ instruction }}", inverts=True)
    draws = Draws(wordings=2, references=1, controls=4, inversions=2)
    drawn = [one for step in range(3) for one in draw([item], draws, (inverting,), 0, step)]
    other = {one.id: tuple(1 - place for place in one.gold) for one in item.train}
    asking = [one.wording.id == "not" or one.wording.id.endswith("+liar") for one in drawn]
    assert [one.purpose is Purpose.NEGATED for one in drawn] == asking
    assert {one.purpose for one in drawn} == set(Purpose)
    for before, after, turned in zip(drawn, answered(drawn), asking, strict=True):
        assert after.example.gold == (other[before.example.id] if turned else before.example.gold)


def test_a_negated_control_of_free_text_asks_for_nothing_that_is_known():
    free = replace(MATERIALS[0], train=tuple(replace(one, options=(), gold=()) for one in MATERIALS[0].train))
    drawn = draw([free], Draws(wordings=0, controls=2), (), 0, 0)
    assert {one.purpose for one in drawn} == {Purpose.CONTROL}
    assert answered(drawn) == drawn


def test_inversions_leave_what_else_is_drawn_as_it_was():
    draws = Draws(wordings=2, references=1, controls=1, registers=0.5)
    for step in range(5):
        without = draw(MATERIALS, draws, bundled_registers(), 0, step)
        assert draw(MATERIALS, replace(draws, inversions=3), bundled_registers(), 0, step)[: len(without)] == without


def test_registers_that_speak_of_labels_are_for_tasks_with_options():
    registers = (Register("label", "{{ instruction }} Label:", labels=True),)
    draws = Draws(wordings=4, inputs=1, registers=1.0)
    free = replace(MATERIALS[0], train=tuple(replace(one, options=(), gold=()) for one in MATERIALS[0].train))
    assert all(item.wording.id.endswith("+label") for item in draw(MATERIALS[:1], draws, registers, 0, 0))
    assert not any("+" in item.wording.id for item in draw([free], draws, registers, 0, 0))
