"""The examples in docs/data-formats.md are what the loaders read."""

import re
from pathlib import Path

import pytest

from isophrase.sources.documents import Document
from isophrase.sources.instructions import _ATTRIBUTES
from isophrase.sources.problems import Problems
from isophrase.sources.resolve import load_instruction_set, load_tasks
from isophrase.sources.taskfile import TaskFile, parse_task_file
from isophrase.types import Split

PAGE = (Path(__file__).parents[2] / "docs" / "data-formats.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|json)\n(.*?)```", PAGE, re.DOTALL)


def _block(kind: str, start: str) -> str:
    return next(text for language, text in BLOCKS if language == kind and text.startswith(start))


def test_the_task_file_loads(write):
    folder = write(
        {
            "t.yaml": _block("yaml", 'name: sentiment\nversion: "1.0"\nkind'),
            "sentiment.jsonl": _block("json", '{"id": "s1"'),
        }
    )
    (loaded,) = load_tasks("t.yaml", base=folder, cache=folder)
    assert [(example.gold, example.split) for example in loaded.task.examples] == [
        ((1,), Split.TEST),
        ((0,), Split.EXEMPLAR),
    ]


def test_the_instruction_sets_load(write):
    folder = write(
        {"s.yaml": _block("yaml", 'name: sentiment\nversion: "1.0"\ntasks'), "s.jsonl": _block("json", '{"name"')}
    )
    assert [item.id for item in load_instruction_set("s.yaml", base=folder).instructions] == ["reference-1", "terse-1"]
    assert load_instruction_set("s.jsonl", base=folder).name == "sentiment"


def test_the_data_set_is_a_valid_task_file():
    import yaml

    problems = Problems("docs")
    assert parse_task_file(Document("docs", yaml.safe_load(_block("yaml", "name: boolq"))), problems), problems.shown()


@pytest.mark.parametrize("key", [*TaskFile.model_fields, *_ATTRIBUTES])
def test_every_key_is_documented(key):
    assert re.search(rf"^\|[^|]*`{key}`", PAGE, re.MULTILINE)
