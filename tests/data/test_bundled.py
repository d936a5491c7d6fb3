"""What every bundled task and instruction set promises: size, balance, no duplicates, wordings that render and fit."""

import re
from collections import Counter
from itertools import combinations, pairwise

import pytest

from isophrase.errors import TemplateError
from isophrase.prompts import check_fit, letters, pick_exemplars, render, template_variables, turn
from isophrase.sources.bundled import bundled_sets, bundled_tasks, load_bundled_set, load_bundled_task, sets_for
from isophrase.types import Example, Instruction, OutputForm, PromptFormat, Role, Split, Task, TaskKind

CONTROLS = (Role.NEGATED, Role.WRONG_TASK, Role.NONSENSE)


def shingles(text: str) -> frozenset[str]:
    """The character 5-grams of a text, without case, punctuation and runs of white space."""
    plain = " ".join(re.findall(r"\w+", text.casefold()))
    return frozenset(plain[start : start + 5] for start in range(max(1, len(plain) - 4)))


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)


def most_alike(texts: list[str]) -> tuple[float, str, str]:
    """The two texts that share most, with how much."""
    grams = [shingles(text) for text in texts]
    pairs = combinations(range(len(texts)), 2)
    value, left, right = max((jaccard(grams[left], grams[right]), left, right) for left, right in pairs)
    return value, texts[left], texts[right]


def content(example: Example) -> str:
    return "\n".join(example.fields.values())


def tasks_of(set_name: str) -> list[Task]:
    """The bundled tasks that a set is for: those it names, or for a general set those that it fits."""
    named = load_bundled_set(set_name).tasks
    tasks = [load_bundled_task(name).task for name in named or bundled_tasks()]
    return tasks if named else [task for task in tasks if fits(set_name, task)]


def fits(set_name: str, task: Task) -> bool:
    try:
        for instruction in load_bundled_set(set_name).instructions:
            check_fit(instruction, task)
    except TemplateError:
        return False
    return task.kind is TaskKind.MULTIPLE_CHOICE


def wordings(set_name: str) -> list[Instruction]:
    return [item for item in load_bundled_set(set_name).instructions if not item.role.is_control]


all_tasks = pytest.mark.parametrize("name", bundled_tasks())
all_sets = pytest.mark.parametrize("name", bundled_sets())


def test_the_promised_tasks_are_bundled():
    promised = {"sentiment", "topic", "intent", "emotion", "entailment", "language_identification", "ordering"}
    assert promised <= set(bundled_tasks())
    assert len(bundled_tasks()) >= 8
    assert any(load_bundled_task(name).task.kind is TaskKind.GENERATION for name in bundled_tasks())


@all_tasks
def test_a_task_has_enough_examples_to_score_and_some_to_show(name):
    task = load_bundled_task(name).task
    assert len(task.split(Split.TEST)) >= 120
    assert 8 <= len(task.split(Split.EXEMPLAR)) <= 12
    assert load_bundled_task(name).notes == ()
    assert task.description
    assert "Isophrase" in task.origin


@all_tasks
def test_right_answers_are_balanced(name):
    task = load_bundled_task(name).task
    scored = [example for example in task.split(Split.TEST) if len(example.gold) == 1]
    if task.kind is TaskKind.GENERATION:
        assert not scored
        return
    assert len(scored) == len(task.split(Split.TEST)), "every example has one right answer"
    counts = Counter((len(example.options), example.gold[0]) for example in scored)
    for width in {len(example.options) for example in scored}:
        places = [counts[width, place] for place in range(width)]
        assert max(places) - min(places) <= 1, f"right answers by place: {places}"


@all_tasks
def test_answers_come_in_no_order(name):
    task = load_bundled_task(name).task
    gold = [example.gold for example in task.split(Split.TEST) if example.gold]
    alike = sum(left == right for left, right in pairwise(gold))
    if gold:
        widest = max(len(example.options) for example in task.split(Split.TEST))
        assert alike <= len(gold) * (1 / widest + 0.2), "equal answers follow each other: the rows are sorted"


@all_tasks
def test_exemplars_show_every_label_of_a_classification(name):
    task = load_bundled_task(name).task
    if task.kind is TaskKind.CLASSIFICATION:
        shown = Counter(example.gold[0] for example in task.split(Split.EXEMPLAR))
        assert set(shown) == set(range(len(task.examples[0].options)))
        assert max(shown.values()) - min(shown.values()) <= 1


@all_tasks
def test_examples_are_neither_equal_nor_nearly_equal(name):
    task = load_bundled_task(name).task
    assert len({example.id for example in task.examples}) == len(task.examples)
    value, left, right = most_alike([content(example) for example in task.examples])
    assert value < 0.6, f"{left!r} and {right!r}"


@pytest.mark.parametrize("name", ["sentiment", "topic", "intent", "emotion"])
def test_no_input_names_a_label(name):
    for example in load_bundled_task(name).task.examples:
        for option in example.options:
            assert not re.search(rf"\b{re.escape(option)}\b", content(example), re.IGNORECASE), example.id


@all_tasks
def test_every_task_has_an_instruction_set_written_for_it_or_fits_a_general_one(name):
    general = [item for item in bundled_sets() if not load_bundled_set(item).tasks]
    assert sets_for(name) or any(fits(item, load_bundled_task(name).task) for item in general)


@all_sets
def test_a_set_has_enough_wordings_references_and_controls(name):
    instructions = load_bundled_set(name).instructions
    roles = Counter(item.role for item in instructions)
    assert roles[Role.REFERENCE] >= 2
    assert len(wordings(name)) >= 16
    assert all(roles[role] >= 1 for role in CONTROLS)
    assert len({item.id for item in instructions}) == len(instructions)


@all_sets
def test_a_set_says_honestly_where_its_wordings_come_from(name):
    instruction_set = load_bundled_set(name)
    assert "Isophrase" in instruction_set.origin
    for item in instruction_set.instructions:
        assert item.collection == ("reference" if item.role is Role.REFERENCE else "isophrase"), item.id
        assert item.register, item.id
        assert item.author, item.id


@all_sets
def test_every_rephrasing_and_control_names_a_reference(name):
    instructions = {item.id: item for item in load_bundled_set(name).instructions}
    for item in instructions.values():
        if item.role is Role.REFERENCE:
            assert item.reference is None, item.id
        else:
            assert instructions[item.reference].role is Role.REFERENCE, item.id


@all_sets
def test_every_wording_fits_its_tasks_and_shows_every_field(name):
    tasks = tasks_of(name)
    assert tasks
    for task in tasks:
        for item in load_bundled_set(name).instructions:
            check_fit(item, task)
            question = turn(item, task.split(Split.TEST)[0]).question
            shown = [value in question for value in task.split(Split.TEST)[0].fields.values()]
            assert all(shown) or item.role.is_control, item.id
            assert question == question.strip(), f"{item.id} begins or ends with white space"


@all_sets
def test_an_instruction_for_letters_lists_lettered_options_and_takes_letters(name):
    example = tasks_of(name)[0].split(Split.TEST)[0]
    for item in wordings(name):
        if item.output_form is OutputForm.LETTER:
            shown = turn(item, example)
            for letter, option in zip(letters(len(example.options)), example.options, strict=True):
                assert re.search(rf"{letter}[.)] {re.escape(option)}$", shown.question, re.MULTILINE), item.id
            assert shown.answers == letters(len(example.options)), item.id


@all_sets
def test_wordings_differ_in_order_layout_and_form_of_answer(name):
    templates = [item.template for item in wordings(name)]
    fields = template_variables(templates[0]) - {"options"}
    first = sum(min(text.index(f"{{{{ {field} }}}}") for field in fields) < len(text) / 4 for text in templates)
    assert 2 <= first <= len(templates) - 2, "the input comes early in some wordings and late in others"
    assert len({item.register for item in wordings(name)}) >= 10
    if tasks_of(name)[0].kind is not TaskKind.GENERATION:
        listing = [item for item in wordings(name) if "options" in template_variables(item.template)]
        assert len({item.option_layout for item in listing}) >= 3
        assert {item.output_form for item in wordings(name)} == {OutputForm.LETTER, OutputForm.LABEL}


@all_sets
def test_no_two_wordings_are_nearly_equal(name):
    bare = [re.sub(r"\{\{.*?\}\}", " ", item.template) for item in wordings(name)]
    value, left, right = most_alike(bare)
    assert value < 0.6, f"{left!r} and {right!r}"


@all_sets
def test_wordings_render_with_exemplars_that_never_show_the_answer(name):
    task = tasks_of(name)[0]
    example = task.split(Split.TEST)[0]
    for item in load_bundled_set(name).instructions:
        prompt = render(item, example, pick_exemplars(task, 3, seed=0), PromptFormat.PLAIN)
        answers = turn(item, example).answers
        assert len(set(answers)) == len(answers), f"{item.id}: two options have the same answer"
        assert tuple(answer.strip() for answer in prompt.answers) == answers, item.id
        assert prompt.gold == example.gold
        assert turn(item, example).question.strip() in prompt.text, item.id
