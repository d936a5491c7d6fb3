import json
from dataclasses import asdict, fields

from isophrase.sources.resolve import load_instruction_set
from isophrase.types import Instruction, OptionLayout, OutputForm, Role, digest, plain

YAML = """
name: mood
version: "1.0"
tasks: [mood]
origin: Us (Apache-2.0).
defaults: {collection: human, language: no, output_form: label, author: us}
instructions:
  - id: reference-1
    role: reference
    collection: reference
    template: |-
      Is it good or bad?
      {{ input }}
      Answer:
  - id: terse-1
    register: terse
    reference: reference-1
    output_form: letter
    option_layout: parentheses
    template: "{{ input }}\\n{{ options }}\\n"
    answer_template: "({{ letter }})"
    exemplar_separator: ""
  - {id: negated-1, role: negated, reference: reference-1, template: "Don't say how it is: {{ input }}"}
"""


def test_a_yaml_set_fills_in_its_defaults(write):
    read = load_instruction_set("mood.yaml", base=write({"mood.yaml": YAML}))
    assert (read.name, read.version, read.tasks, read.origin) == ("mood", "1.0", ("mood",), "Us (Apache-2.0).")
    reference, terse, negated = read.instructions
    assert reference == Instruction(
        id="reference-1",
        template="Is it good or bad?\n{{ input }}\nAnswer:",
        collection="reference",
        output_form=OutputForm.LABEL,
        language="no",
        author="us",
        role=Role.REFERENCE,
    )
    assert (terse.output_form, terse.option_layout, terse.register) == (
        OutputForm.LETTER,
        OptionLayout.PARENTHESES,
        "terse",
    )
    assert (terse.reference, terse.answer_template, terse.exemplar_separator) == ("reference-1", "({{ letter }})", "")
    assert negated.role.is_control


def test_a_json_lines_set_is_the_same_set(write):
    folder = write({"mood.yaml": YAML})
    read = load_instruction_set("mood.yaml", base=folder)
    head = {"name": read.name, "version": read.version, "tasks": list(read.tasks), "origin": read.origin}
    lines = [head, *map(plain, read.instructions)]
    write({"mood.jsonl": "\n".join(json.dumps(line) for line in lines)})
    assert digest(load_instruction_set("mood.jsonl", base=folder)) == digest(read)


def test_a_json_lines_set_without_a_head_has_the_name_of_its_file(write):
    entry = {"id": "a", "template": "{{ input }}", "collection": "human", "output_form": "text"}
    read = load_instruction_set("mine.jsonl", base=write({"mine.jsonl": json.dumps(entry)}))
    assert (read.name, read.version, read.tasks) == ("mine", "1", ())


def test_every_attribute_of_an_instruction_can_be_given(write):
    full = Instruction(
        id="a",
        template="{{ options }}",
        collection="c",
        output_form=OutputForm.LETTER,
        language="de-AT",
        register="formal",
        author="me",
        reference="b",
        role=Role.WRONG_TASK,
        option_layout=OptionLayout.INLINE,
        answer_template="{{ option }}",
        exemplar_separator="\n--\n",
    )
    other = Instruction(id="b", template="x", collection="c", output_form=OutputForm.TEXT)
    default = {item.name: item.default for item in fields(Instruction)}
    assert all(value != default[name] for name, value in asdict(full).items())
    folder = write({"s.jsonl": "\n".join(json.dumps(plain(item)) for item in (full, other))})
    assert load_instruction_set("s.jsonl", base=folder).instructions == (full, other)
