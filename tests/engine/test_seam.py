"""Prompts and answers in tokens."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.engine.seam import Frame, Question, common, special_frame, tokenise
from isophrase.types import Prompt
from tests.tiny_models import tiny_tokenizer

BPE = tiny_tokenizer()
UNIGRAM = tiny_tokenizer(unigram=True)


def ask(tokenizer: Any, *prompts: Prompt, **options: Any) -> list[Question]:
    options = {"encoder_decoder": False, "context_length": None} | options
    return tokenise(tokenizer, prompts, **options)


def joined(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(texts, st.lists(texts, min_size=1, max_size=4))
def test_context_and_answer_are_the_tokens_of_the_joined_text(prompt: str, answers: list[str]) -> None:
    (question,) = ask(BPE, Prompt(prompt, tuple(answers), ()))
    for answer, tokens in zip(answers, question.answers, strict=True):
        assert question.context + tokens == joined(BPE, prompt + answer)


@settings(max_examples=150, deadline=None)
@given(texts, st.lists(texts, min_size=1, max_size=4))
def test_the_context_is_the_longest_prefix_that_prompt_and_joined_texts_share(prompt: str, answers: list[str]) -> None:
    (question,) = ask(BPE, Prompt(prompt, tuple(answers), ()))
    alone = joined(BPE, prompt)
    all_tokens = [alone, *(joined(BPE, prompt + answer) for answer in answers)]
    size = len(question.context)
    assert all(tokens[:size] == alone[:size] for tokens in all_tokens)
    longer = {tokens[: size + 1] for tokens in all_tokens}
    assert len(longer) > 1 or size == min(map(len, all_tokens))
    assert question.merged == (size < len(alone))


def test_a_token_across_the_seam_is_flagged_and_scored_from_before_it() -> None:
    (question,) = ask(BPE, Prompt("The capital of Fr", ("ance", " yes"), (0,)))
    assert question.merged
    assert question.context == joined(BPE, "The capital of")
    assert question.answers[0] == joined(BPE, " France")


def test_a_blank_seam_merges_nothing() -> None:
    (question,) = ask(BPE, Prompt("The capital of", (" France", " Paris"), (0,)))
    assert not question.merged
    assert question.context == joined(BPE, "The capital of")


def test_an_answer_that_begins_another_and_equal_answers_are_tolerated() -> None:
    (question,) = ask(BPE, Prompt("Answer:", (" yes", " yes, no", " yes"), (0,)))
    assert question.unscored is None
    assert question.answers[0] == question.answers[2] == question.answers[1][: len(question.answers[0])]


@pytest.mark.parametrize("answer", ["", " ", "\n"])
def test_an_answer_of_nothing_is_unscored_with_its_number(answer: str) -> None:
    (question,) = ask(BPE, Prompt("Answer:", (" yes", answer), (0,)))
    assert question.unscored == f"answer 2 ({answer!r}) has no token of its own"


def test_a_prompt_without_tokens_is_unscored() -> None:
    (question,) = ask(BPE, Prompt("", ("yes",), (0,)))
    assert question.unscored == "the prompt has no token in front of the answer"


def test_bytes_leave_out_the_white_space_that_joins() -> None:
    (question,) = ask(BPE, Prompt("¿Qué?", (" niños", "\n\nno"), (0,)))
    assert question.bytes == (6, 2)


def test_special_tokens_stand_in_front_only_where_the_prompt_wants_them() -> None:
    from tokenizers import processors

    tokenizer = tiny_tokenizer()
    begin = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A <|im_end|>",
        special_tokens=[("<|im_start|>", begin), ("<|im_end|>", tokenizer.eos_token_id)],
    )
    assert special_frame(tokenizer) == Frame((begin,), (tokenizer.eos_token_id,))
    framed, bare = ask(
        tokenizer, Prompt("Answer:", (" yes",), ()), Prompt("Answer:", (" yes",), (), special_tokens=False)
    )
    assert framed.context == (begin, *bare.context)
    assert framed.answers == bare.answers == (joined(tokenizer, " yes"),)


def test_an_encoder_reads_the_end_token_and_a_decoder_neither_glue_nor_end() -> None:
    (question,) = ask(UNIGRAM, Prompt("Is it positive?", (" yes", "\nno"), (0,)), encoder_decoder=True)
    assert question.context == (*joined(UNIGRAM, "Is it positive?"), UNIGRAM.eos_token_id)
    assert question.answers == (joined(UNIGRAM, "yes"), joined(UNIGRAM, "no"))
    assert not question.merged


def test_a_prompt_that_exceeds_the_context_says_by_how_much() -> None:
    prompt = Prompt("Is it positive? " * 40, (" yes",), (0,))
    (free,) = ask(BPE, prompt)
    total = len(free.context) + len(free.answers[0])
    (fits,) = ask(BPE, prompt, context_length=total)
    assert fits.unscored is None
    (over,) = ask(BPE, prompt, context_length=total - 1)
    assert over.unscored == f"prompt and answer take {total} tokens, the model's context is {total - 1}"
    (virtual,) = ask(BPE, prompt, context_length=total, virtual=3)
    assert virtual.unscored == f"prompt and answer take {total + 3} tokens, the model's context is {total}"


def test_generation_needs_room_for_its_new_tokens() -> None:
    prompt = Prompt("Say it:", (), ())
    (free,) = ask(BPE, prompt)
    size = len(free.context)
    (over,) = ask(BPE, prompt, context_length=size + 7, room=8)
    assert over.unscored == f"prompt and up to 8 new tokens take {size + 8} tokens, the model's context is {size + 7}"


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_common_is_the_length_of_the_longest_common_prefix(left: list[int], right: list[int]) -> None:
    expected = 0
    while expected < min(len(left), len(right)) and left[expected] == right[expected]:
        expected += 1
    assert common(tuple(left), tuple(right)) == expected
