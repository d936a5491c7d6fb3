from hypothesis import given
from hypothesis import strategies as st

from isophrase.duplicates import jaccard, near_duplicates, near_duplicates_between


@given(st.text(), st.text())
def test_similarity_is_symmetric_and_between_zero_and_one(one, other):
    assert 0 <= jaccard(one, other) == jaccard(other, one) <= 1


@given(st.text())
def test_a_text_is_wholly_like_itself(text):
    assert jaccard(text, text) == 1


def test_slots_case_and_white_space_do_not_count():
    assert jaccard("Classify the\n{{ input }}  review", "classify THE review") == 1


def test_the_similarity_is_shared_grams_over_all_grams():
    assert jaccard("abcdefg", "abcdefh") == 2 / 4


def test_copies_are_found_and_other_wordings_are_not():
    texts = {"a": "Say what the review feels like.", "b": "Say what the review feels like!", "c": "Any mood in here?"}
    ((one, other, alike),) = near_duplicates(texts)
    assert (one, other) == ("a", "b")
    assert alike > 0.9
    assert near_duplicates_between({"x": "Any mood in here"}, texts)[0][:2] == ("x", "c")
