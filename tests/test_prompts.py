"""Rendering: what a model reads for each format, and what a template may not do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isophrase.errors import SourceError, TemplateError
from isophrase.prompts import check_fit, list_options, pick_exemplars, render, template_variables
from isophrase.types import Example, Instruction, Metric, OptionLayout, OutputForm, PromptFormat, Split, Task, TaskKind

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=60)


def instruction(template: str = "Say {{ input }}\nAnswer:", form: OutputForm = OutputForm.LABEL, **more) -> Instruction:
    return Instruction("i", template, "human", form, **more)


def example(text: str = "hello", name: str = "e", split: Split = Split.TEST) -> Example:
    return Example(name, {"input": text}, ("yes", "no"), (1,), split=split)


def task(*examples: Example, kind: TaskKind = TaskKind.CLASSIFICATION) -> Task:
    return Task("t", "1", kind, Metric.ACCURACY, examples)


def chat(turns) -> str:
    return "".join(f"<{role}>{content}</{role}>" for role, content in turns) + "<assistant>"


def test_plain_zero_shot_joins_the_answer_with_one_blank():
    prompt = render(instruction(), example(), (), PromptFormat.PLAIN)
    assert prompt.text == "Say hello\nAnswer:"
    assert prompt.answers == (" yes", " no")
    assert prompt.gold == (1,)
    assert prompt.special_tokens


def test_plain_after_a_line_break_joins_with_nothing():
    prompt = render(instruction("{{ input }}?\n"), example(), (), PromptFormat.PLAIN)
    assert (prompt.text, prompt.answers) == ("hello?\n", ("yes", "no"))


def test_trailing_blanks_of_a_template_move_to_the_answer():
    prompt = render(instruction("{{ input }}:  "), example(), (), PromptFormat.PLAIN)
    assert (prompt.text, prompt.answers) == ("hello:", ("  yes", "  no"))


def test_plain_shots_repeat_the_instruction_with_the_right_answer():
    prompt = render(instruction(), example(), [example("bye", "x")], PromptFormat.PLAIN)
    assert prompt.text == "Say bye\nAnswer: no\n\nSay hello\nAnswer:"


def test_chat_shots_are_turns():
    prompt = render(instruction(), example(), [example("bye", "x")], PromptFormat.CHAT, chat)
    assert prompt.text == (
        "<user>Say bye\nAnswer:</user><assistant>no</assistant><user>Say hello\nAnswer:</user><assistant>"
    )
    assert prompt.answers == ("yes", "no")
    assert not prompt.special_tokens


def test_alpaca_shots_are_blocks_and_the_response_follows_the_colon():
    prompt = render(instruction("{{ input }}"), example(), [example("bye", "x")], PromptFormat.ALPACA)
    assert prompt.text.startswith("Below is an instruction")
    assert prompt.text.endswith("### Instruction:\nbye\n\n### Response:no\n\n### Instruction:\nhello\n\n### Response:")
    assert prompt.answers == ("yes", "no")


def test_a_letter_instruction_answers_with_letters():
    asked = instruction("{{ input }}\n{{ options }}\nLetter:", OutputForm.LETTER)
    prompt = render(asked, example(), (), PromptFormat.PLAIN)
    assert prompt.text == "hello\nA. yes\nB. no\nLetter:"
    assert prompt.answers == (" A", " B")


def test_an_answer_template_shapes_every_answer():
    asked = instruction("{{ input }}:", answer_template="({{ letter }}) {{ option | upper }}")
    assert render(asked, example(), (), PromptFormat.PLAIN).answers == (" (A) YES", " (B) NO")


def test_generation_exemplars_show_their_first_reference():
    shown = Example("x", {"input": "bye"}, references=("ciao", "adieu"))
    asked = Example("e", {"input": "hello"}, references=("hi",))
    prompt = render(instruction("{{ input }} =", OutputForm.TEXT), asked, [shown], PromptFormat.PLAIN)
    assert (prompt.text, prompt.answers) == ("bye = ciao\n\nhello =", ())


def test_the_tested_example_is_never_its_own_exemplar():
    prompt = render(instruction(), example(), [example(name="copy"), example("bye", "x")], PromptFormat.PLAIN)
    assert prompt.text.count("Say hello") == 1


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (OptionLayout.LETTERS, "A. x\nB. y\nC. z"),
        (OptionLayout.PARENTHESES, "(A) x\n(B) y\n(C) z"),
        (OptionLayout.BULLETS, "- x\n- y\n- z"),
        (OptionLayout.INLINE, "x, y or z"),
    ],
)
def test_option_layouts(layout, text):
    assert list_options(("x", "y", "z"), layout) == text


def test_a_single_option_inline_stands_alone():
    assert list_options(("x",), OptionLayout.INLINE) == "x"


@pytest.mark.parametrize(
    ("template", "form", "words"),
    [
        ("{{ premise }}", OutputForm.LABEL, "unknown field premise"),
        ("{{ input ", OutputForm.LABEL, "line 1"),
        ("{{ input }}", OutputForm.TEXT, "output_form letter or label"),
        ("{{ input | nofilter }}", OutputForm.LABEL, "nofilter"),
        ("{{ input.__class__.__mro__ }}", OutputForm.LABEL, "unsafe"),
        ("{{ input.missing }}", OutputForm.LABEL, "missing"),
        ("{{ 1 / 0 }}", OutputForm.LABEL, "ZeroDivisionError"),
        ("{% for i in range(999999999) %}{% endfor %}{{ input }}", OutputForm.LABEL, "Range too big"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_before_any_model(template, form, words):
    with pytest.raises(TemplateError, match=words):
        check_fit(instruction(template, form), task(example()))


def test_a_field_that_only_some_examples_have_is_not_a_field_of_the_task():
    partial = task(example(), Example("f", {"other": "x"}, ("yes", "no"), (0,)))
    with pytest.raises(TemplateError, match="unknown field input"):
        check_fit(instruction(), partial)


def test_letters_end_at_z():
    many = Example("e", {"input": "x"}, tuple(map(str, range(27))), (0,))
    with pytest.raises(TemplateError, match="at most 26 options"):
        check_fit(instruction("{{ options }}", OutputForm.LETTER), task(many, kind=TaskKind.MULTIPLE_CHOICE))


def test_an_example_without_a_label_is_no_exemplar():
    known = example(split=Split.TRAIN)
    pool = task(replace(known, id="unknown", gold=()), known)
    assert pick_exemplars(pool, 1, 0) == (known,)
    with pytest.raises(SourceError, match="at least 2 exemplars"):
        pick_exemplars(pool, 2, 0)


def test_more_exemplars_than_reserved_is_an_error():
    with pytest.raises(SourceError, match="at least 2 exemplars"):
        pick_exemplars(task(example(split=Split.EXEMPLAR)), 2, 0)


@given(st.integers(0, 12), st.integers(0, 5))
def test_exemplars_are_fixed_nested_and_never_scored(shots, seed):
    pool = [example(str(index), f"x{index}", Split.EXEMPLAR) for index in range(12)]
    whole = task(*pool, *(example(str(index), f"e{index}") for index in range(5)))
    picked = pick_exemplars(whole, shots, seed)
    assert picked == pick_exemplars(whole, 12, seed)[:shots]
    assert len({item.id for item in picked}) == shots
    assert all(item.split is Split.EXEMPLAR for item in picked)


@given(TEXT)
def test_data_is_never_read_as_a_template(text):
    hostile = "{{ 7 * 7 }}" + text + "{% raw %}"
    prompt = render(instruction("<{{ input }}>:"), example(hostile), (), PromptFormat.PLAIN)
    assert prompt.text == f"<{hostile}>:"


@given(TEXT, TEXT, st.sampled_from([PromptFormat.PLAIN, PromptFormat.ALPACA]))
def test_prompt_and_answer_join_to_the_same_text_as_an_exemplar_shows(question, tail, prompt_format):
    asked = instruction("{{ input }}" + "".join(character for character in tail if character not in "{}#%"))
    prompt = render(asked, example(question), (), prompt_format)
    shown = render(asked, example("other" + question, "o"), [example(question, "x")], prompt_format)
    assert shown.text.startswith(prompt.text + prompt.answers[1])


@given(st.sets(st.sampled_from(["input", "context", "choice_1"])))
def test_template_variables_are_the_slots(names):
    assert template_variables(" ".join(f"{{{{ {name} }}}}" for name in names)) == names
