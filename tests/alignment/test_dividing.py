"""How a task's examples are divided: copies on one side, and no part that shows only the beginning of a sorted file."""

from dataclasses import replace

import pytest

from isophrase.alignment.dividing import content_of, material_of, without_copies
from isophrase.errors import ConfigError
from isophrase.types import Split
from tests.alignment.small import example, material

WORDINGS = material().wordings
PARTS = (Split.TRAIN, Split.DEV, Split.TEST)


def task_of(*examples):
    return replace(material().task, examples=tuple(examples))


def contents(task, split):
    return {content_of(item) for item in task.split(split)}


def test_copies_of_an_input_stay_on_one_side_when_test_examples_are_divided():
    once = [example(number, Split.TEST) for number in range(60)]
    again = [replace(item, id=f"again-{item.id}") for item in once]
    task = material_of(task_of(*once, *again), WORDINGS, 0).task
    train, dev, test = (contents(task, split) for split in PARTS)
    assert not train & test
    assert not train & dev
    assert not dev & test
    assert [len(task.split(split)) for split in PARTS] == [48, 18, 54]


def test_copies_of_an_input_stay_on_one_side_when_train_examples_give_some_to_development():
    once = [example(number) for number in range(30)]
    again = [replace(item, id=f"again-{item.id}") for item in once]
    task = material_of(task_of(*once, *again, example(99, Split.TEST)), WORDINGS, 0).task
    assert not contents(task, Split.TRAIN) & contents(task, Split.DEV)
    assert len(task.split(Split.DEV)) == 12


def test_test_and_development_examples_that_are_copies_of_training_ones_are_left_out_and_said():
    train = [example(number) for number in range(10)]
    shown = replace(train[0], id="shown", split=Split.TEST)
    contradicted = replace(train[1], id="contradicted", gold=(1 - train[1].gold[0],), split=Split.DEV)
    others = [example(50, Split.DEV), example(60, Split.TEST)]
    task, notes = without_copies(task_of(*train, shown, contradicted, *others))
    assert [item.id for item in task.examples] == [item.id for item in (*train, *others)]
    assert notes == (
        "mood: 1 of 2 dev examples left out, copies of train examples (first: contradicted)",
        "mood: 1 of 2 test examples left out, copies of train or dev examples (first: shown)",
    )
    assert without_copies(task) == (task, ())


def test_every_part_of_a_sorted_task_begins_with_both_labels():
    examples = sorted(
        (example(number + 100 * place, split) for place, split in enumerate(PARTS) for number in range(40)),
        key=lambda item: item.gold,
    )
    for given in (examples, [item for item in examples if item.split is not Split.DEV]):
        divided = material_of(task_of(*given), WORDINGS, 0, limit=12)
        assert len(divided.train) == 12
        for part in (divided.train, divided.dev[:12], divided.task.split(Split.TEST)[:12]):
            assert {item.gold for item in part} == {(0,), (1,)}


def test_a_smaller_limit_takes_the_first_of_a_larger_one_and_the_same_test_examples():
    task = task_of(*(example(number, Split.TEST) for number in range(60)))
    small, large = (material_of(task, WORDINGS, 3, limit=limit) for limit in (5, 15))
    assert large.train[:5] == small.train
    assert small.task.split(Split.TEST) == large.task.split(Split.TEST)


def test_a_task_of_one_repeated_input_says_what_it_lacks():
    copies = [replace(example(1, Split.TEST), id=str(number)) for number in range(20)]
    with pytest.raises(ConfigError, match="no copies of one another"):
        material_of(task_of(*copies), WORDINGS, 0)
