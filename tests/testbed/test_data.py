"""The testbed's texts are what its documentation says of them."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest

from isophrase.alignment.registers import bundled_registers, wrap
from isophrase.cache import cache_folder
from isophrase.duplicates import near_duplicates, near_duplicates_between
from isophrase.sources.bigbench import bigbench_folder
from isophrase.testbed.inputs import ALIGNED, HELD_OUT, LONG, MOST, RULES, SHORT, TASKS, multiemo_reviews, own_reviews
from isophrase.testbed.recipe import Source, load_testbed
from isophrase.types import Role, Split

REVIEWS = own_reviews()
TESTBED = load_testbed(Source.OWN, cache_folder())
MATERIALS = dict(zip(TASKS, TESTBED.materials, strict=True))
OPPOSITES = dict(zip(TASKS, TESTBED.opposites, strict=True))
WORDINGS = {name: item.wordings for name, item in MATERIALS.items()}


def test_there_are_enough_reviews_of_every_split_and_none_twice():
    counts = Counter(review.split for review in REVIEWS)
    assert counts[Split.TRAIN] >= 400
    assert counts[Split.DEV] >= 80
    assert counts[Split.TEST] >= 100
    assert not near_duplicates({review.id: review.text for review in REVIEWS}, 0.6)


def test_texts_are_clearly_short_or_long():
    lengths = {len(review.text.split()) for review in REVIEWS}
    assert all(length <= SHORT or LONG <= length <= MOST for length in lengths)


@pytest.mark.parametrize("split", list(Split)[:3])
def test_labels_are_balanced_and_say_nothing_about_each_other(split):
    chosen = [review for review in REVIEWS if review.split is split]
    labels = {name: [rule(review) for review in chosen] for name, (_, rule) in RULES.items()}
    for name, found in labels.items():
        shares = np.array(list(Counter(found).values())) / len(found)
        assert len(shares) == len(RULES[name][0])
        assert np.ptp(shares) <= 0.2
    for one, other in itertools.combinations(labels, 2):
        assert cramers_v(labels[one], labels[other]) <= 0.15


def cramers_v(one, other):
    rows, columns = sorted(set(one)), sorted(set(other))
    table = np.array([[sum((a, b) == (r, c) for a, b in zip(one, other, strict=True)) for c in columns] for r in rows])
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    return np.sqrt(((table - expected) ** 2 / expected).sum() / table.sum() / (min(table.shape) - 1))


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_enough_wordings_of_every_kind(name):
    wordings = WORDINGS[name]
    assert len(wordings.references) >= 6
    assert len(wordings.train) >= 24
    assert len(wordings.dev) >= 8
    assert len(wordings.test) >= 24
    parts = [wordings.dev_controls, wordings.test_controls] + [wordings.train_controls] * (name in ALIGNED)
    for controls in parts:
        assert [item.role for item in controls].count(Role.NEGATED) >= 3
    assert {item.role for item in parts[-1]} == {Role.NEGATED, Role.WRONG_TASK, Role.NONSENSE}
    assert len(HELD_OUT) == 2


@pytest.mark.parametrize("name", TASKS)
def test_no_wording_names_a_label(name):
    wordings = WORDINGS[name]
    for item in (*wordings.references, *wordings.train, *wordings.dev, *wordings.test):
        assert not labels_in(item.template), item.id
        assert item.template.count("{{ text }}") == 1


@pytest.mark.parametrize("name", TASKS)
def test_no_test_wording_is_near_a_trained_one(name):
    wordings = WORDINGS[name]
    test = {item.id: item.template for item in wordings.test}
    seen = {item.id: item.template for item in (*wordings.references, *wordings.train, *wordings.dev)}
    assert not near_duplicates_between(seen, test, 0.6)
    assert not {item.register for item in wordings.test} & {item.register for item in (*wordings.train, *wordings.dev)}


@pytest.mark.parametrize("name", TASKS)
def test_no_negated_test_wording_is_near_one_that_tuning_or_alignment_sees(name):
    tuned = {item.id: item.template for item in OPPOSITES[name].wordings.references}
    wordings = WORDINGS[name]
    trained, dev, test = (
        {item.id: item.template for item in controls if item.role is Role.NEGATED}
        for controls in (wordings.train_controls, wordings.dev_controls, wordings.test_controls)
    )
    assert len(tuned) >= 6
    assert not near_duplicates_between(tuned | trained | dev, test, 0.6)
    assert not near_duplicates_between(tuned | trained, dev, 0.6)
    assert not [name for name, template in (tuned | trained | dev).items() if labels_in(template)]
    made = {
        f"{one.id}+{register.id}": wrap(one, register).template
        for one in wordings.train for register in bundled_registers() if register.inverts
    }  # fmt: skip
    assert made
    assert not near_duplicates_between(made, dev | test, 0.6)


def labels_in(template):
    labels = {label for options, _ in RULES.values() for label in options}
    return labels & set("".join(c if c.isalpha() else " " for c in template.lower()).split())


@pytest.mark.parametrize("name", TASKS)
def test_a_negated_wording_asks_for_a_label_that_is_wrong_otherwise(name):
    plain = {example.id: example for example in MATERIALS[name].train}
    asked = OPPOSITES[name].train
    assert [one.id for one in asked] == list(plain)
    assert all(one.gold != plain[one.id].gold and one.options == plain[one.id].options for one in asked)
    assert {place for one in asked for place in one.gold} == set(range(len(asked[0].options)))


def test_registers_for_training_are_no_near_copies_and_hold_a_wording_once():
    registers = bundled_registers()
    assert [one.inverts for one in registers].count(False) >= 12
    assert [one.inverts for one in registers].count(True) >= 8
    assert all(item.template.count("{{ instruction }}") == 1 for item in registers)
    assert not near_duplicates({item.id: item.template for item in registers})


def test_the_first_of_the_borrowed_reviews_are_of_all_kinds(tmp_path):
    random = np.random.default_rng(0)
    letters = np.array(list("bcdfghjklm"))
    for folder, size in (("hotels", 900), ("medicine", 400), ("products", 120)):  # as unequal as multiemo's
        examples = []
        for mood, other in (("positive", "negative"), ("negative", "positive")):
            for length in [6] * size + [15] * size:
                rare = [word for word, share in (("not", 0.15), ("3", 0.1), ("we", 0.3)) if random.random() < share]
                words = ["".join(random.choice(letters, 6)) for _ in range(length - len(rare))]
                examples.append({"input": " ".join(words + rare), "target_scores": {mood: 1, other: 0}})
        place = bigbench_folder(tmp_path) / "multiemo" / f"{folder}_sentence_en"
        place.mkdir(parents=True)
        (place / "task.json").write_text(json.dumps({"examples": examples}), encoding="utf-8")
    _are_of_all_kinds(multiemo_reviews(tmp_path))


def test_the_first_of_multiemos_own_reviews_are_of_all_kinds():
    if not bigbench_folder(cache_folder()).is_dir():
        pytest.skip("BIG-bench is not in the cache: isophrase tasks fetch bigbench")
    _are_of_all_kinds(multiemo_reviews(cache_folder()))


def _are_of_all_kinds(found):
    assert {review.split for review in found} == {Split.TRAIN, Split.DEV, Split.TEST}
    for split in (Split.TRAIN, Split.DEV, Split.TEST):
        for count in (40, 60, 100):
            first = [review for review in found if review.split is split][:count]
            for name, (options, rule) in RULES.items():
                kinds = Counter(rule(review) for review in first)
                assert min(kinds[option] for option in options) >= count // 5, (split, count, name, kinds)
