"""Observed is a relation between a wording and what a model was tuned on."""

from isophrase.statistics.observed import observed_rows, template_digest
from isophrase.types import Instruction, OutputForm


def instruction(template, collection):
    return Instruction(id=template, template=template, collection=collection, output_form=OutputForm.LABEL)


ROWS = (instruction("a {{ input }}", "flan"), instruction("b {{ input }}", "human"), instruction("c", "p3"))


def test_nothing_known_of_the_model_is_not_the_same_as_nothing_observed():
    assert observed_rows(ROWS, None) is None
    assert observed_rows(ROWS, frozenset()).tolist() == [False, False, False]


def test_a_collection_makes_all_its_wordings_observed():
    assert observed_rows(ROWS, frozenset({"flan", "niv2"})).tolist() == [True, False, False]


def test_a_digest_makes_one_wording_observed_whatever_its_id():
    trained_on = frozenset({template_digest(ROWS[1]), "p3"})
    assert observed_rows(ROWS, trained_on).tolist() == [False, True, True]
    assert len(template_digest(ROWS[1])) == 64


def test_no_instructions_give_an_empty_array_of_booleans():
    found = observed_rows((), frozenset({"flan"}))
    assert found.dtype == bool
    assert found.size == 0
