from dataclasses import replace

import numpy as np
import pytest

from isophrase.alignment.augmentation import augment, recase, splice
from isophrase.alignment.method import Draws
from isophrase.alignment.registers import Register
from isophrase.types import Instruction, OutputForm

ONE = Instruction("one", "Say at length what {{ text }} is.", "train", OutputForm.LABEL)
TWO = replace(ONE, id="two", template="Text: {{ text }}\nKind:")
REGISTERS = (Register("please", "Please: {{ instruction }}"), Register("thanks", "{{ instruction }} Thanks."))


def test_a_splice_keeps_the_longer_side_and_takes_the_opposite_one():
    assert splice(ONE, TWO).template == "Say at length what {{ text }}\nKind:"
    after = replace(ONE, id="after", template="{{ text }}\n\nSay at length what that is.")
    assert splice(after, TWO).template == "Text: {{ text }}\n\nSay at length what that is."
    assert splice(ONE, TWO).id == "one+two"


@pytest.mark.parametrize("template", ["{{ text }} {{ options }}", "{{ other }}?", "{% if text %}{{ text }}{% endif %}"])
def test_wordings_with_other_slots_are_not_spliced(template):
    assert splice(ONE, replace(TWO, template=template)) is ONE


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"template": "Look at this: {{ text }} What is it?"}, {}),  # either side may be what asks
        ({}, {"answer_template": "{{ option | capitalize }}"}),
        ({}, {"output_form": OutputForm.LETTER}),
    ],
)
def test_wordings_are_not_spliced_where_that_could_change_what_is_asked(one, two):
    wording = replace(ONE, **one)
    assert splice(wording, replace(TWO, **two)) is wording


def test_a_wording_is_not_spliced_with_itself():
    assert splice(ONE, ONE) is ONE


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (0, "SAY AT LENGTH WHAT {{ text }} IS."),
        (1, "say at length what {{ text }} is."),
        (2, "Say At Length What {{ text }} Is."),
    ],
)
def test_letters_change_and_slots_stay(case, expected):
    assert recase(ONE, case).template == expected


def test_an_apostrophe_begins_no_word():
    assert recase(replace(ONE, template="isn't {{ text }} O'Neill's?"), 2).template == "Isn't {{ text }} O'Neill's?"


def test_letters_stay_where_the_answer_depends_on_them():
    letters = replace(ONE, output_form=OutputForm.LETTER)
    written = replace(ONE, answer_template="{{ option | capitalize }}")
    assert recase(letters, 1) is letters
    assert recase(written, 1) is written


def test_without_probabilities_nothing_is_done_and_no_chance_is_used():
    random = np.random.default_rng(0)
    assert augment(ONE, random, Draws(), others=[TWO], registers=()) is ONE
    assert random.random() == np.random.default_rng(0).random()


def test_at_most_so_many_registers_stand_around_a_wording():
    random = np.random.default_rng(0)
    draws = Draws(registers=0.5, layers=2)
    found = [augment(ONE, random, draws, others=[TWO], registers=REGISTERS).id.count("+") for _ in range(2000)]
    shares = np.bincount(found, minlength=3) / len(found)
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.04)


def test_each_change_has_its_probability_and_is_in_the_id():
    random = np.random.default_rng(1)
    draws = Draws(splices=0.3, cases=0.2)
    ids = [augment(ONE, random, draws, others=[TWO], registers=REGISTERS).id for _ in range(2000)]
    assert np.mean(["two" in name for name in ids]) == pytest.approx(0.3, abs=0.04)
    assert np.mean(["case" in name for name in ids]) == pytest.approx(0.2, abs=0.04)
    assert {name.split("+")[0] for name in ids} == {"one"}
