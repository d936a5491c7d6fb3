"""promptsource files: tags, bars, answer choices, seeded choice; one bad template does not lose the rest."""

import pytest

from isophrase.errors import SourceError
from isophrase.prompts import check_fit, render
from isophrase.sources.collections.promptsource import read_promptsource
from isophrase.types import Example, Metric, PromptFormat, Task, TaskKind

FILE = """\
dataset: reviews
subset: short
templates:
  0a: !Template
    answer_choices: bad ||| good
    id: 0a
    jinja: "{{text}} Is this {{\\"good or bad\\"}}? ||| {{ answer_choices[label] }}"
    metadata: !TemplateMetadata
      languages:
      - en
      original_task: true
    name: Good or bad
    reference: ''
  0b: !Template
    answer_choices: 'null'
    id: 0b
    jinja: "no bar here {{text}}"
    metadata: !TemplateMetadata
      original_task: true
    name: broken
  0c: !Template
    answer_choices: null
    id: 0c
    jinja: "Write a review. ||| {{text}}"
    metadata: !TemplateMetadata
      original_task: false
    name: write one
  0d: !Template
    answer_choices: bad ||| good
    id: 0d
    jinja: "{% set way = ['Think.', 'Guess.', 'Look.'] | choice %}{{way}} {{text}} ||| {{answer_choices[label]}}"
    metadata: !TemplateMetadata
      original_task: true
    name: three ways
  0e: !Template
    answer_choices: bad ||| good
    id: 0e
    jinja: "{% if %}{{text}} ||| {{answer_choices[label]}}"
    metadata: !TemplateMetadata
      original_task: true
    name: no template
  0f: 12
"""
LISTED = """\
dataset: quiz
templates:
  1a: !Template
    answer_choices: '{{choices.text | join("|||")}}'
    id: 1a
    jinja: "{{question}}\\n{% for c in choices['text'] %}- {{c}}\\n{% endfor %}|||
    {{answer_choices[choices.label.index(key)]}}"
    metadata: !TemplateMetadata
      original_task: true
    name: list them
  1b: !Template
    answer_choices: '{{one}} ||| {{two}}'
    id: 1b
    jinja: "{{question}} {{answer_choices | join(' or ')}}? ||| {{answer_choices[label]}}"
    metadata: !TemplateMetadata
      original_task: true
    name: two of them
  1c: !Template
    answer_choices: '{{choices.text | join("|||")}}'
    id: 1c
    jinja: "{% if key %}Is it so? {{question}} ||| {{answer_choices[0]}}{% endif %}"
    metadata: !TemplateMetadata
      original_task: true
    name: all under a condition
  1d: !Template
    answer_choices: A ||| B
    id: 1d
    jinja: "{{question}} Letter? ||| {{key}}"
    metadata: !TemplateMetadata
      original_task: true
    name: by letter
"""


def task(fields, options):
    examples = tuple(Example(str(i), {name: f"{name} {i}" for name in fields}, options, (1,)) for i in range(3))
    return Task("t", "1", TaskKind.CLASSIFICATION, Metric.ACCURACY, examples)


def shown(instruction, example):
    return render(instruction, example, (), PromptFormat.PLAIN)


def test_good_templates_load_and_bad_ones_are_named_with_their_place(write):
    found = read_promptsource(write({"templates.yaml": FILE}) / "templates.yaml")
    (loaded,) = found.sets
    assert loaded.name == "p3/reviews/short"
    assert [item.id for item in loaded.instructions] == ["Good-or-bad", "three-ways"]
    assert {item.collection for item in loaded.instructions} == {"p3"}
    problems = "\n".join(found.problems)
    assert "templates.yaml:14: 'broken' has 0 `|||`" in problems
    assert "templates.yaml:35: no-template" in problems
    assert "templates.yaml:42: template '0f' is no mapping" in problems
    assert len(found.problems) == 3
    assert len(found.notes) == 1
    assert "write one" in found.notes[0]


def test_the_words_of_the_answer_choices_are_scored(write):
    (loaded,) = read_promptsource(write({"templates.yaml": FILE})).sets
    reviews = task(["text"], ("negative", "positive"))
    for item in loaded.instructions:
        check_fit(item, reviews)
    prompt = shown(loaded.instructions[0], reviews.examples[0])
    assert prompt.text == "text 0 Is this good or bad?"
    assert prompt.answers == (" bad", " good")


def test_choice_is_seeded_by_the_example(write):
    (loaded,) = read_promptsource(write({"templates.yaml": FILE})).sets
    examples = [Example(str(i), {"text": f"t{i}"}, ("a", "b"), (0,)) for i in range(30)]
    texts = [shown(loaded.instructions[1], example).text for example in examples]
    assert texts == [shown(loaded.instructions[1], example).text for example in examples]
    assert len({text.split()[0] for text in texts}) == 3


def test_choices_that_list_a_field_are_the_options(write):
    (loaded,) = read_promptsource(write({"templates.yaml": LISTED})).sets
    first, second, third, fourth = loaded.instructions
    yes = Example("1", {"question": "Q", "key": "x"}, ("red", "green"), (0,))
    assert shown(third, yes).text == "Is it so? Q"
    assert shown(fourth, yes).answers == (" A", " B")
    quiz = task(["question"], ("red", "green"))
    check_fit(first, quiz)
    prompt = shown(first, quiz.examples[0])
    assert "- red\n- green" in prompt.text
    assert [answer.strip() for answer in prompt.answers] == ["red", "green"]
    two = task(["question", "one", "two"], ("red", "green"))
    assert shown(second, two.examples[0]).text == "question 0 one 0 or two 0?"


def test_a_file_that_is_no_yaml_is_named_and_the_others_load(write):
    folder = write({"a/templates.yaml": FILE, "b/templates.yaml": "dataset: x\ntemplates: {a: [\n"})
    found = read_promptsource(folder)
    assert len(found.sets) == 1
    assert any("b/templates.yaml:3" in problem or "b/templates.yaml:2" in problem for problem in found.problems)


def test_nothing_to_read_is_one_error(write, tmp_path):
    with pytest.raises(SourceError, match=r"\.yaml file"):
        read_promptsource(tmp_path / "none.yaml")
    with pytest.raises(SourceError, match="dataset"):
        read_promptsource(write({"x.yaml": "a: 1\n"}) / "x.yaml")


def test_real_promptsource_files(shared_data):
    folder = shared_data / "promptsource"
    found = read_promptsource(folder)
    assert len(found.sets) >= 20
    assert sum(len(item.instructions) for item in found.sets) >= 100
    assert found.problems == ()
    by_name = {item.name: item for item in found.sets}
    news = task(["text"], ("World", "Sports", "Business", "Science"))
    for item in by_name["p3/ag_news"].instructions:
        check_fit(item, news)
    endings = task(["ctx", "ctx_a", "ctx_b", "activity_label"], ("a", "b", "c", "d"))
    fitting = [item for item in by_name["p3/hellaswag"].instructions if "option_list" in item.template]
    for item in fitting:
        check_fit(item, endings)
    assert len(fitting) >= 3
