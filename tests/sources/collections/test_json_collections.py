"""Super-NaturalInstructions and Alpaca: tasks and wordings; bad entries are named and the rest loads."""

import json

import pytest

from isophrase.errors import SourceError
from isophrase.prompts import check_fit
from isophrase.sources.collections.alpaca import read_alpaca
from isophrase.sources.collections.natural_instructions import read_natural_instructions
from isophrase.types import Metric, Split, TaskKind

NIV2 = {
    "Contributors": ["somebody"], "Source": ["x"], "Categories": ["Sentiment Analysis"],
    "Definition": ["Say whether the review is good or bad. Use {{ braces }} if you like."],
    "Instruction_language": ["English"],
    "Positive Examples": [
        {"input": "Lovely.", "output": "good", "explanation": "e"}, {"input": "Awful.", "output": "bad",
        "explanation": "e"},
    ],
    "Negative Examples": [],
    "Instances": [
        *({"id": f"i{n}", "input": f"text {n}", "output": ["good" if n % 2 else "bad"]} for n in range(10)),
        {"id": "bad1", "output": ["good"]}, {"id": "bad2", "input": "x", "output": []}, "nothing",
    ],
    "Instance License": ["MIT"],
}  # fmt: skip


def test_a_classification_task_with_its_definition(write):
    found = read_natural_instructions(write({"task001_x.json": json.dumps(NIV2)}) / "task001_x.json")
    (loaded,) = found.tasks
    task = loaded.task
    assert (task.name, task.kind, task.metric) == ("niv2/task001_x", TaskKind.CLASSIFICATION, Metric.ACCURACY)
    assert task.examples[0].options == ("bad", "good")
    assert len(task.split(Split.TEST)) == 10
    assert len(task.split(Split.EXEMPLAR)) == 2
    assert "MIT" in task.origin
    first, second = found.sets[0].instructions
    assert first.collection == "niv2"
    for item in (first, second):
        check_fit(item, task)
    assert "Positive Example 2 -\nInput: Awful.\nOutput: bad" in second.template
    assert [problem.split(": ")[0] for problem in found.problems] == [
        "task001_x.json Instances[10]", "task001_x.json Instances[11]", "task001_x.json Instances[12]",
    ]  # fmt: skip


def test_many_different_outputs_are_generation(write):
    content = {**NIV2, "Instances": [{"input": str(n), "output": [f"out {n}", "other"]} for n in range(5)]}
    (loaded,) = read_natural_instructions(write({"t.json": json.dumps(content)})).tasks
    assert loaded.task.kind is TaskKind.GENERATION
    assert loaded.task.split(Split.TEST)[0].references == ("out 0", "other")


def test_bad_files_are_named_and_good_ones_load(write):
    folder = write({
        "good.json": json.dumps(NIV2), "broken.json": "{", "list.json": "[]", "no.json": json.dumps({"Definition": []}),
        "empty.json": json.dumps({**NIV2, "Instances": []}),
    })  # fmt: skip
    found = read_natural_instructions(folder)
    assert [item.task.name for item in found.tasks] == ["niv2/good"]
    text = "\n".join(found.problems)
    for name in ("broken.json:1", "list.json", "no.json Definition", "empty.json Instances"):
        assert name in text
    with pytest.raises(SourceError, match="broken"):
        read_natural_instructions(folder / "broken.json")


ALPACA = [
    {"instruction": "Sort the words.", "input": "b a", "output": "a b"},
    {"instruction": "Sort the words.", "input": "d c", "output": "c d"},
    {"instruction": "Name a colour.", "input": "", "output": "red"},
    {"instruction": "Use {{ braces }}.", "input": "x", "output": "y"},
    {"instruction": "", "input": "x", "output": "y"},
    {"instruction": "No output", "input": "x"},
    7,
]


@pytest.mark.parametrize("name", ["alpaca.json", "alpaca.jsonl"])
def test_alpaca_rows_are_a_task_and_its_instructions_wordings(write, name):
    lines = name.endswith("l")
    content = "\n".join(map(json.dumps, ALPACA)) if lines else json.dumps(ALPACA)
    found = read_alpaca(write({name: content}) / name)
    (loaded,) = found.tasks
    assert len(loaded.task.examples) == 4
    assert loaded.task.examples[2].fields["text"] == "Name a colour."
    (wordings,) = found.sets
    assert [item.template for item in wordings.instructions] == [
        "Sort the words.\n\n{{ input }}", "Use {{ '{' }}{ braces }}.\n\n{{ input }}",
    ]  # fmt: skip
    assert {item.collection for item in wordings.instructions} == {"alpaca"}
    assert len(found.problems) == 3
    assert all(f"{name}{':' if lines else '['}" in problem for problem in found.problems)
    check_fit(loaded.instruction_sets[0].instructions[0], loaded.task)


def test_alpaca_that_is_no_list(write):
    with pytest.raises(SourceError, match="list of rows"):
        read_alpaca(write({"a.json": "{}"}) / "a.json")
