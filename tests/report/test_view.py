"""A view holds together, and knows its disagreements and marks."""

from dataclasses import replace

import numpy as np
import pytest

from isophrase.report.marks import SHAPES, legend, mark_code
from isophrase.report.page import unlike_reference
from isophrase.report.view import disagreements
from isophrase.types import Role
from tests.report.synthetic import PLANS, panel, tiny


def test_a_panel_whose_rows_differ_from_its_table_is_refused():
    with pytest.raises(ValueError, match="instructions differ"):
        replace(tiny(), instructions=tiny().instructions[::-1])
    with pytest.raises(ValueError, match="examples differ"):
        replace(tiny(), examples=tiny().examples[:1])


def test_disagreements_are_sorted_by_the_probability_that_two_answers_differ():
    given = panel(PLANS[1])
    found = disagreements(given)
    assert [item.rate for item in found] == sorted((item.rate for item in found), reverse=True)
    for item in found:
        codes = given.table.choices[:, item.example]
        codes = codes[codes >= 0]
        pairs = [a != b for i, a in enumerate(codes) for b in codes[i + 1 :]]
        assert item.rate == pytest.approx(np.mean(pairs))
        assert sum(len(rows) for _, rows in item.groups) == len(codes)
        for answer, rows in item.groups:
            cells = {(given.instructions[row].id, given.examples[item.example].id) for row in rows}
            assert {given.chosen[cell] for cell in cells} == {answer}


def test_only_examples_with_two_answers_are_disagreements():
    (item,) = disagreements(tiny())
    assert item.example == 1
    assert item.rate == 1.0
    assert item.groups == (("green", (0,)), ("blue", (1,)))


def test_unlike_reference_counts_the_examples_answered_otherwise():
    assert unlike_reference(tiny(), 1) == (1, 2)
    assert unlike_reference(tiny(), 0) == (None, 0)


def test_unscored_rows_rank_last():
    given = tiny(templates=("a", "b", "c"))
    rows = list(given.summary.instructions)
    rows[0] = replace(rows[0], mean=replace(rows[0].mean, value=float("nan")))
    assert replace(given, summary=replace(given.summary, instructions=tuple(rows))).ranking == (1, 2, 0)


def test_no_mark_is_told_by_colour_alone():
    given = panel(known=True)
    marks = legend(mark_code([given]).of(given))
    drawn = {(mark.shape, mark.tone == "unobserved") for mark in marks}
    assert len(drawn) == len(marks)


def test_a_collection_has_one_shape_and_a_reference_is_a_diamond():
    given = panel()
    marks = mark_code([given]).of(given)
    shapes = {}
    for instruction, mark in zip(given.instructions, marks, strict=True):
        assert (mark.shape == "diamond") == (instruction.role is Role.REFERENCE)
        shapes.setdefault((instruction.collection, mark.tone), set()).add(mark.shape)
    assert all(len(found) == 1 for found in shapes.values())
    assert len({shape for found in shapes.values() for shape in found}) == len(shapes)


def test_more_collections_than_shapes_share_the_last_shape_under_its_own_name():
    given = tiny(templates=tuple("abcdefghijkl"))
    rows = tuple(replace(item, collection=f"collection-{index}") for index, item in enumerate(given.instructions))
    marks = mark_code([given := replace(given, instructions=rows)]).of(given)
    assert len({mark.shape for mark in marks}) == len(SHAPES)
    assert {mark.kind for mark in marks if mark.shape == marks[-1].shape} == {"re-phrased, other collections"}
