"""FLAN files: read as syntax trees, never run."""

import pytest

from isophrase.errors import SourceError
from isophrase.prompts import render
from isophrase.sources.collections.flan import read_flan
from isophrase.types import Example, OutputForm, PromptFormat

V1 = '''\
"""Templates."""
import os
os.environ["FLAN_WAS_RUN"] = "yes"
raise SystemExit("never run")

CUE = "\\n\\nAnswer:"
PATTERNS = {
    "rte": [
        ("{premise}\\n\\nDoes this mean that "
         "\\"{hypothesis}\\"?\\n\\n{options_}", "{answer}"),
        ("Is it so? {premise} / {hypothesis}" + CUE, "{answer}"),
        ("Write a premise for {hypothesis}.", "{premise}"),
        (f"not a constant {os.name}", "{answer}"),
        ("three", "parts", "here"),
        42,
    ],
    "sum": [("Shorten {{this}}: {text}", "{answer}")],
}
PATTERNS["more"] = [("{question}\\n{options_}", "{answer}")]
'''
V2 = """\
FEWSHOT_PATTERNS = {
    "quiz": {
        "zero_shot": [("Q: {question} {options_}", "{answer}")],
        "few_shot": [
            FewShotPattern(inputs="{question}", targets="{answer}", inputs_prefix="Q: ", targets_prefix="A: ",
                           x_y_delimiter="\\n"),
            FewShotPattern(inputs=make(), targets="{answer}"),
        ],
    },
}
"""


def test_v1_patterns_become_templates_and_nothing_is_run(write, monkeypatch):
    monkeypatch.delenv("FLAN_WAS_RUN", raising=False)
    found = read_flan(write({"templates.py": V1}) / "templates.py")
    import os

    assert "FLAN_WAS_RUN" not in os.environ
    sets = {item.name: item.instructions for item in found.sets}
    assert set(sets) == {"flan/rte", "flan/sum", "flan/more"}
    first, second = sets["flan/rte"]
    assert first.output_form is OutputForm.LABEL
    assert first.collection == "flan"
    example = Example("1", {"premise": "P", "hypothesis": "H"}, ("yes", "no"), (0,))
    prompt = render(first, example, (), PromptFormat.PLAIN)
    assert prompt.text == 'P\n\nDoes this mean that "H"?\n\nOPTIONS:\n- yes\n- no'
    assert second.output_form is OutputForm.TEXT
    assert second.template.endswith("Answer:")
    summary = render(sets["flan/sum"][0], Example("1", {"text": "T"}, references=("x",)), (), PromptFormat.PLAIN)
    assert summary.text == "Shorten {this}: T"


def test_what_cannot_be_read_is_named_with_its_line(write):
    found = read_flan(write({"templates.py": V1}))
    assert [problem.split(": ")[0] for problem in found.problems] == [
        "templates.py:13", "templates.py:14", "templates.py:15",
    ]  # fmt: skip
    assert [note.split(": ")[0] for note in found.notes] == ["templates.py:12"]


def test_branched_templates_of_v2(write):
    found = read_flan(write({"v2.py": V2}))
    (loaded,) = found.sets
    assert [item.id for item in loaded.instructions] == ["zero_shot-1", "few_shot-2"]
    assert loaded.instructions[1].template == "Q: {{ question }}\nA: "
    assert len(found.problems) == 1
    assert "v2.py:7" in found.problems[0]


def test_a_file_without_patterns_is_one_error(write):
    with pytest.raises(SourceError, match="PATTERNS"):
        read_flan(write({"x.py": "A = 1\n"}))
    with pytest.raises(SourceError, match=r"x\.py:1: is no Python"):
        read_flan(write({"x.py": "PATTERNS = {\n"}))
