"""Collections by reference, slots as fields, tables of wordings, and sets written and read back."""

import json

import pytest

from isophrase import listing
from isophrase.errors import ConfigError, SourceError
from isophrase.prompts import template_variables
from isophrase.sources.collections.mapping import KINDS, mapping_for, rename_slots
from isophrase.sources.collections.tables import read_wording_table
from isophrase.sources.instructions import read_instruction_set
from isophrase.sources.resolve import load_instruction_set, load_tasks
from isophrase.sources.writing import write_instruction_set
from isophrase.statistics.observed import observed_rows
from isophrase.types import Instruction, InstructionSet, OutputForm
from tests.sources.collections.test_flan import V1
from tests.sources.collections.test_json_collections import NIV2
from tests.sources.collections.test_promptsource import LISTED


def instruction(template, form=OutputForm.LABEL):
    return Instruction("x", template, "flan", form)


@pytest.mark.parametrize(
    ("template", "kind", "form", "expected"),
    [
        ("{{ question }} {{ options }}", "multiple-choice", OutputForm.LABEL, {"question": "input"}),
        ("{{ question }}", "multiple-choice", OutputForm.LABEL, None),
        ("{{ fact }} {{ question }} {{ options }}", "multiple-choice", OutputForm.LABEL, None),
        ("{{ sentence1 }} {{ sentence2 }}", "entailment", OutputForm.LABEL,
         {"sentence1": "premise", "sentence2": "hypothesis"}),
        ("{{ context }} {{ question }}", "extraction", OutputForm.TEXT, {"question": "question", "context": "input"}),
        ("{{ article }}", "summarisation", OutputForm.TEXT, {"article": "input"}),
        ("{{ article }}", "summarisation", OutputForm.LABEL, None),
        ("{{ text }}", "classification", OutputForm.LETTER, {"text": "input"}),
    ],
)  # fmt: skip
def test_slots_find_the_fields_of_a_kind(template, kind, form, expected):
    assert mapping_for(instruction(template, form), kind) == expected


def test_slots_are_renamed_also_inside_expressions():
    plain = rename_slots(InstructionSet("s", "1", (instruction("{{question}} {{ options }}"),)), "multiple-choice")
    assert plain.instructions[0].template == "{{ input }} {{ options }}"
    deep = rename_slots(
        InstructionSet("s", "1", (instruction("{% if text %}{{ text | upper }}{% endif %}"),)), "classification"
    )
    assert template_variables(deep.instructions[0].template) == {"input"}
    with pytest.raises(ConfigError, match="applies"):
        rename_slots(InstructionSet("s", "1", (instruction("{{ strange }}"),)), "classification")
    with pytest.raises(ConfigError, match="multiple-choice"):
        mapping_for(instruction("x"), "multiple-choise")
    assert set(KINDS) >= {"multiple-choice", "entailment", "extraction", "summarisation", "classification"}


def test_a_collection_is_named_by_its_files(write):
    folder = write({"templates.py": V1, "t.json": json.dumps(NIV2)})
    found = load_instruction_set("flan:templates.py:rte@entailment", base=folder)
    assert found.name == "flan/rte@entailment"
    assert template_variables(found.instructions[0].template) == {"premise", "hypothesis", "options"}
    assert observed_rows(found.instructions, frozenset({"flan"})).all()
    assert not observed_rows(found.instructions, frozenset({"p3"})).any()
    (loaded,) = load_tasks("niv2:t.json", base=folder, cache=folder)
    assert loaded.task.name == "niv2/t"
    assert load_instruction_set("niv2:t.json", base=folder).tasks == ("niv2/t",)
    with pytest.raises(SourceError, match="rte, sum, more"):
        load_instruction_set("flan:templates.py", base=folder)
    with pytest.raises(SourceError, match="templates only"):
        load_tasks("flan:templates.py:rte", base=folder, cache=folder)


def test_a_collection_is_shown_for_a_kind_with_its_slots(write):
    folder = write({"templates.py": V1, "p3/templates.yaml": LISTED})
    text = "\n".join(listing.describe_collection("flan", folder / "templates.py", "multiple-choice"))
    assert "flan/more: 1 of 1 apply" in text
    assert "slots: question -> input" in text
    assert "flan/rte" not in text.split("problem:")[0]
    assert "problem: templates.py:13" in text
    text = "\n".join(listing.describe_collection("p3", folder / "p3", "multiple-choice"))
    assert "p3/quiz: 1 of 4 apply" in text
    with pytest.raises(ConfigError, match="kind of task"):
        list(listing.describe_collection("flan", folder / "templates.py", "poetry"))


def test_a_table_of_wordings_names_bad_rows(write):
    rows = ["Which? {{ input }},en,terse", "{{ input,en,", ",en,", "Und? {{ input }},de,x"]
    folder = write({"w.csv": "\n".join(["template,language,register", *rows, ""])})
    found = read_wording_table(folder / "w.csv")
    (loaded,) = found.sets
    assert [(item.language, item.register) for item in loaded.instructions] == [("en", "terse"), ("de", "x")]
    assert "w.csv:3" in found.problems[0]
    assert "w.csv:4" in found.problems[1]
    with pytest.raises(SourceError, match="template"):
        read_wording_table(write({"y.csv": "a,b\n1,2\n"}) / "y.csv")


@pytest.mark.parametrize(
    "name", ["multiple-choice", "catalogue/multiple-choice", "catalogue/bbl/winowhy", "extraction"]
)
def test_a_set_is_read_back_as_it_was_written(name, tmp_path):
    found = load_instruction_set(name)
    write_instruction_set(tmp_path / "x.yaml", found)
    assert read_instruction_set(tmp_path / "x.yaml") == found
