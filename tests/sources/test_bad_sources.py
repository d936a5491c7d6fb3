"""Bad task files, tables and instruction sets, each with the error that the user reads."""

from pathlib import Path

import pytest

from isophrase.errors import IsophraseError, ManyErrors
from isophrase.sources.resolve import load_instruction_set, load_tasks

HEAD = "name: t\nkind: classification\ndata: t.csv\nfields: {input: text}\nlabel: label\noptions: [no, yes]\n"
ROWS = "text,label\na,no\nb,yes\n"
CHOICE = HEAD.replace("classification", "multiple_choice").replace("[no, yes]", "{columns: [a, b]}")
GENERATE = HEAD.replace("classification", "generation").replace("options: [no, yes]\n", "")

# name -> (files, reference, the error; DIR is the folder)
TASKS: dict[str, tuple[dict[str, str | bytes], object, str]] = {
    "no such file": ({}, "t.yaml", "expected an existing file; got no DIR/t.yaml; check the path"),
    "a folder": ({"t.yaml/x": ""}, "t.yaml", "expected a file; got the folder DIR/t.yaml; name a file inside it"),
    "no such bundled task": (
        {},
        {"bundled": "no-such-task-at-all"},
        "expected a bundled task (BUNDLED) or a path that ends in .yaml; got 'no-such-task-at-all'; "
        "choose one of them, or write the path",
    ),
    "a mapping without a source": (
        {},
        {"kind": "generation"},
        "expected a task with one of the keys bundled, bigbench, mmlu, hf, file, data; got {'kind': 'generation'}; "
        "add one of them",
    ),
    "a source without a name": (
        {},
        {"bigbench": 3},
        "expected the name of a task after `bigbench:`; got 3; write its name",
    ),
    "empty task file": (
        {"t.yaml": ""},
        "t.yaml",
        "expected a YAML mapping (`key: value` lines); got t.yaml with nothing at its top; see docs/data-formats.md",
    ),
    "a list as task file": (
        {"t.yaml": "- a\n"},
        "t.yaml",
        "expected a YAML mapping (`key: value` lines); got t.yaml with a sequence at its top; see docs/data-formats.md",
    ),
    "broken YAML": (
        {"t.yaml": "name: t\nkind: [classification\ndata: x\n"},
        "t.yaml",
        "expected valid YAML; got t.yaml:3: did not find expected ',' or ']'; mend that line",
    ),
    "two YAML documents": (
        {"t.yaml": "name: t\n---\nname: u\n"},
        "t.yaml",
        "expected valid YAML; got t.yaml:2: but found another document; mend that line",
    ),
    "an object tag in YAML": (
        {"t.yaml": "name: !!python/name:os.system\nkind: generation\n"},
        "t.yaml",
        "expected valid YAML; got t.yaml:1: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/name:os.system'; mend that line",
    ),
    "duplicate key in YAML": (
        {"t.yaml": HEAD + "label: other\n", "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:7: duplicate key 'label', first at line 5; remove one",
    ),
    "an alias in YAML": (
        {"t.yaml": "name: t\noptions: &o [a, b]\nlabel: *o\n"},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:2: an alias (`*name`) points here; write the value out",
    ),
    "not UTF-8": (
        {"t.yaml": "name: t\norigin: caf\xe9\n".encode("latin-1")},
        "t.yaml",
        "expected UTF-8 text; got the byte 0xe9 at t.yaml:2; save the file as UTF-8",
    ),
    "unknown key": (
        {"t.yaml": HEAD + "optoins: [a, b]\n", "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:7: unknown key 'optoins'; did you mean 'options'?",
    ),
    "several problems at once": (
        {
            "t.yaml": "name: a b\nkind: quiz\nmetric: speed\nfields: {in-put: text}\noptions: [one]\n"
            "exemplars: -1\ncolour: 1\n"
        },
        "t.yaml",
        "DIR/t.yaml has 8 problems:\n"
        "  - t.yaml:1: name: string should match pattern '^[A-Za-z0-9][A-Za-z0-9._/-]*$'; got 'a b'\n"
        "  - t.yaml:2: kind: expected 'multiple_choice', 'classification' or 'generation'; got 'quiz'\n"
        "  - t.yaml:3: metric: expected 'accuracy', 'exact_match' or 'token_f1'; got 'speed'\n"
        "  - t.yaml:4: fields: a template can't name the field 'in-put'; use letters, digits and _\n"
        "  - t.yaml:1: 'label' is missing; add it\n"
        "  - t.yaml:5: options: expected at least two texts (quote `true`, `false` and decimals), the name of a column "
        "that holds a list, or `{columns: [a, b, …]}`; got ['one']\n"
        "  - t.yaml:6: exemplars: input should be greater than or equal to 0; got -1\n"
        "  - t.yaml:7: unknown key 'colour'; known are name, version, kind, metric, description, origin, data, hf, "
        "fields, label, label_type, options, id, split, exemplars, seed, bad_rows",
    ),
    "a number where text is wanted": (
        {"t.yaml": HEAD + "version: 1.10\n", "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:7: version: expected text; got 1.1; put it in quotes",
    ),
    "reserved field": (
        {"t.yaml": HEAD.replace("{input: text}", "{options: text}"), "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n"
        "  - t.yaml:4: fields: the field name 'options' is reserved for templates; choose another",
    ),
    "no options": (
        {"t.yaml": HEAD.replace("options: [no, yes]\n", ""), "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:2: a classification task needs `options`; add the key",
    ),
    "options of a generation task": (
        {"t.yaml": HEAD.replace("classification", "generation"), "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n"
        "  - t.yaml:6: a generation task has no options; remove the key, or choose another `kind`",
    ),
    "an option listed twice": (
        {"t.yaml": HEAD.replace("[no, yes]", "[no, yes, no]"), "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:6: options: an option is listed twice in ['no', 'yes', 'no']",
    ),
    "wrong metric": (
        {"t.yaml": HEAD + "metric: token_f1\n", "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:7: a classification task is measured by accuracy; choose that",
    ),
    "no data": (
        {"t.yaml": HEAD.replace("data: t.csv\n", "")},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.yaml:1: give either `data` (a file) or `hf` (a data set), and not both",
    ),
    "no data file": ({"t.yaml": HEAD}, "t.yaml", "expected an existing file; got no DIR/t.csv; check the path"),
    "unknown kind of file": (
        {"t.yaml": HEAD.replace("t.csv", "t.xlsx"), "t.xlsx": "x"},
        "t.yaml",
        "expected a table (.csv, .tsv, .jsonl, .parquet); got DIR/t.xlsx; convert the file",
    ),
    "empty csv": (
        {"t.yaml": HEAD, "t.csv": ""},
        "t.yaml",
        "expected a csv file with a header row; got nothing in t.csv; fill the file",
    ),
    "csv with a header only": (
        {"t.yaml": HEAD, "t.csv": "text,label\n"},
        "t.yaml",
        "expected at least one row; got none in DIR/t.csv; fill the file, or name another",
    ),
    "csv header with a name twice": (
        {"t.yaml": HEAD, "t.csv": "text,label,text\na,no,b\n"},
        "t.yaml",
        "expected each column to have a name of its own; got 'text' more than once at t.csv:1; "
        "rename them in the header",
    ),
    "csv rows of the wrong length": (
        {"t.yaml": HEAD, "t.csv": 'text,label\n"a\nb",no\nc\nd,yes,e\n'},
        "t.yaml",
        "DIR/t.yaml has 2 problems:\n"
        "  - t.csv:4: has 1 of 2 cells; check quotes and commas\n"
        "  - t.csv:5: has 3 of 2 cells; check quotes and commas",
    ),
    "csv with an open quote": (
        {"t.yaml": HEAD, "t.csv": 'text,label\na,no\n"b,yes\n'},
        "t.yaml",
        "expected valid csv; got t.csv:3: unexpected end of data; check the quotes of that row, or use jsonl",
    ),
    "csv that is not UTF-8": (
        {"t.yaml": HEAD, "t.csv": b"text,label\na,no\n\xff,yes\n"},
        "t.yaml",
        "expected UTF-8 text; got the byte 0xff at t.csv:3; save the file as UTF-8",
    ),
    "missing columns": (
        {"t.yaml": HEAD, "t.csv": "texts,answer\na,no\n"},
        "t.yaml",
        "DIR/t.yaml has 2 problems:\n"
        "  - t.yaml:4: fields.input: t.csv has no column 'text'; did you mean 'texts'?; it has texts, answer\n"
        "  - t.yaml:5: label: t.csv has no column 'label'; it has texts, answer",
    ),
    "labels that are not options": (
        {"t.yaml": HEAD, "t.csv": "text,label\na,no\nb,yess\nc,maybe\nd,\n"},
        "t.yaml",
        "DIR/t.yaml has 3 problems:\n"
        "  - t.csv:3: label 'yess' is not among the options ('no', 'yes'); did you mean 'yes'?\n"
        "  - t.csv:4: label 'maybe' is not among the options ('no', 'yes')\n"
        "  - t.csv:5: no label; give the right option",
    ),
    "an index out of range": (
        {"t.yaml": HEAD + "label_type: index\n", "t.csv": "text,label\na,1\nb,2\n"},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.csv:3: label '2' is not an index from 0 to 1; count from 0",
    ),
    "labels that can be read in two ways": (
        {"t.yaml": HEAD.replace("[no, yes]", "[1, 2, 0]"), "t.csv": "text,label\na,1\nb,2\n"},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - the labels can be read as text and as index, and differ at t.csv:2 ('1'); "
        "say `label_type: text` or `label_type: index`",
    ),
    "a letter beyond the options": (
        {"t.yaml": CHOICE + "label_type: letter\n", "t.csv": "text,a,b,label\nq,x,y,A\nq,x,y,C\n"},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.csv:3: label 'C' is not a letter from A to B; give the right option's letter",
    ),
    "every option right": (
        {"t.yaml": HEAD, "t.csv": 'text,label\na,no\nb,"[""no"", ""yes""]"\n'},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.csv:3: every option is labelled right; leave the row out",
    ),
    "equal and empty options in a row": (
        {"t.yaml": CHOICE, "t.csv": "text,a,b,label\nq,x,x,A\nq,x,,A\nq,x,y,A\n"},
        "t.yaml",
        "DIR/t.yaml has 2 problems:\n"
        "  - t.csv:2: two options are the same: ['x', 'x']; make them differ\n"
        "  - t.csv:3: an option is empty; fill it, or leave the row out",
    ),
    "options that differ in a classification task": (
        {
            "t.yaml": HEAD.replace("[no, yes]", "choices").replace("t.csv", "t.jsonl"),
            "t.jsonl": '{"text": "a", "label": "x", "choices": ["x", "y"]}\n'
            '{"text": "a", "label": "x", "choices": ["x", "z"]}\n',
        },
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.jsonl:2: options ('x', 'z') differ from ('x', 'y') at t.jsonl:1; "
        "use `kind: multiple_choice`",
    ),
    "duplicate ids": (
        {"t.yaml": HEAD + "id: key\n", "t.csv": "key,text,label\n7,a,no\n8,b,yes\n7,c,no\n"},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n  - t.csv:4: id '7' is already used at t.csv:2; make ids unique",
    ),
    "an empty id and an unknown split": (
        {"t.yaml": HEAD + "id: key\nsplit: part\n", "t.csv": "key,part,text,label\n,test,a,no\n8,val,b,yes\n"},
        "t.yaml",
        "DIR/t.yaml has 2 problems:\n"
        "  - t.csv:2: column 'key' is empty; give an id\n"
        "  - t.csv:3: split 'val'; use train, dev, test, exemplar, or leave it empty",
    ),
    "more exemplars than rows": (
        {"t.yaml": HEAD + "exemplars: 3\n", "t.csv": ROWS},
        "t.yaml",
        "DIR/t.yaml has 1 problem:\n"
        "  - t.yaml:7: exemplars: 3 asked, but only 2 distinct rows are without a split; ask for fewer",
    ),
    "nothing left to score": (
        {"t.yaml": HEAD + "exemplars: 2\n", "t.csv": ROWS},
        "t.yaml",
        "expected at least one row to score; got none in t.csv; add rows, or reserve fewer exemplars",
    ),
    "broken JSON lines": (
        {"t.yaml": HEAD.replace("t.csv", "t.jsonl"), "t.jsonl": '{"text": 1,\n\n[1]\n{"text": 1, "text": 2}\n'},
        "t.yaml",
        "DIR/t.yaml has 3 problems:\n"
        "  - t.jsonl:1: not JSON (Expecting property name enclosed in double quotes, column 12); mend the line\n"
        "  - t.jsonl:3: expected a JSON object; got a list; write {…}\n"
        "  - t.jsonl:4: not usable JSON (the key 'text' is there twice); mend the line",
    ),
    "values that are not text": (
        {
            "t.yaml": HEAD.replace("t.csv", "t.jsonl"),
            "t.jsonl": '{"text": null, "label": "no"}\n{"text": ["a"], "label": "no"}\n{"label": "no"}\n',
        },
        "t.yaml",
        "DIR/t.yaml has 3 problems:\n"
        "  - t.jsonl:1: column 'text' has no value; fill it\n"
        "  - t.jsonl:2: column 'text' holds ['a'], which is not one text; map another column\n"
        "  - t.jsonl:3: column 'text' has no value; fill it",
    ),
    "no references": (
        {
            "t.yaml": GENERATE.replace("t.csv", "t.jsonl"),
            "t.jsonl": '{"text": "a", "label": []}\n{"text": "a", "label": ["x", " "]}\n{"text": "a", "label": null}\n',
        },
        "t.yaml",
        "DIR/t.yaml has 3 problems:\n"
        "  - t.jsonl:1: label is an empty list; give a reference text\n"
        "  - t.jsonl:2: label is empty; give a reference text\n"
        "  - t.jsonl:3: label has no value; fill it",
    ),
    "not parquet": (
        {"t.yaml": HEAD.replace("t.csv", "t.parquet"), "t.parquet": "text"},
        "t.yaml",
        "expected a parquet file; got t.parquet: Parquet file size is 4 bytes, smaller than the minimum file footer "
        "(8 bytes); write the file again",
    ),
    "an inline mapping": (
        {"t.csv": ROWS},
        {
            "name": "t",
            "kind": "classification",
            "data": "t.csv",
            "fields": ["text"],
            "label": "gold",
            "options": ["no", "yes"],
        },
        "inline task has 1 problem:\n  - inline task: label: t.csv has no column 'gold'; it has text, label",
    ),
}

SET = "name: s\ndefaults: {collection: human, output_form: label}\ninstructions:\n"
ENTRY = "  - {id: a, template: 'Say {{ input }}'}\n"

SETS: dict[str, tuple[dict[str, str | bytes], str, str]] = {
    "no such bundled set": (
        {},
        "x-of-nothing",
        "expected a bundled instruction set (BUNDLED) or a path that ends in .yaml; got 'x-of-nothing'; "
        "choose one of them, or write the path",
    ),
    "no instructions": (
        {"s.yaml": "name: s\ninstructions: []\n"},
        "s.yaml",
        "DIR/s.yaml has 1 problem:\n  - s.yaml:2: instructions: list should have at least 1 item after validation, "
        "not 0; got []",
    ),
    "unknown keys": (
        {"s.yaml": "name: s\ntask: [x]\ninstructions:\n" + ENTRY},
        "s.yaml",
        "DIR/s.yaml has 1 problem:\n  - s.yaml:2: unknown key 'task'; did you mean 'tasks'?",
    ),
    "wrong attributes of one entry": (
        {
            "s.yaml": "name: s\ndefaults: {collection: human, id: x, langage: en}\ninstructions:\n"
            "  - id: a b\n    template: ''\n    output_form: word\n    registr: terse\n    language: no!\n"
            "    author: true\n"
        },
        "s.yaml",
        "DIR/s.yaml has 8 problems:\n"
        "  - s.yaml:2: defaults: each instruction has an `id` of its own; remove the key\n"
        "  - s.yaml:2: defaults: unknown key 'langage'; did you mean 'language'?\n"
        "  - s.yaml:4: instruction 'a b': id: expected letters, digits, '.', '_' and '-'; got 'a b'\n"
        "  - s.yaml:5: instruction 'a b': template: is empty; fill it\n"
        "  - s.yaml:6: instruction 'a b': output_form: expected letter, label, text; got 'word'\n"
        "  - s.yaml:7: instruction 'a b': unknown key 'registr'; did you mean 'register'?\n"
        "  - s.yaml:8: instruction 'a b': language: expected a language tag such as 'en' or 'pt-BR'; got 'no!'\n"
        "  - s.yaml:9: instruction 'a b': author: expected text; got True; put it in quotes",
    ),
    "missing attributes": (
        {"s.yaml": "name: s\ninstructions:\n  - register: terse\n"},
        "s.yaml",
        "DIR/s.yaml has 4 problems:\n"
        "  - s.yaml:3: instructions[0]: 'id' is missing; add it, or give a default\n"
        "  - s.yaml:3: instructions[0]: 'template' is missing; add it, or give a default\n"
        "  - s.yaml:3: instructions[0]: 'collection' is missing; add it, or give a default\n"
        "  - s.yaml:3: instructions[0]: 'output_form' is missing; add it, or give a default",
    ),
    "a template that is not Jinja2": (
        {"s.yaml": SET + ENTRY + "  - id: b\n    template: |\n      Text:\n      {{ input }\n"},
        "s.yaml",
        "DIR/s.yaml has 1 problem:\n  - s.yaml:6: instruction 'b': template: unexpected '}' (line 2); mend the Jinja2",
    ),
    "a letter without options": (
        {"s.yaml": SET + "  - {id: b, output_form: letter, template: 'Which letter? {{ input }}'}\n"},
        "s.yaml",
        "DIR/s.yaml has 1 problem:\n  - s.yaml:4: instruction 'b': asks for a letter without `{{ options }}`; "
        "list the options, or use another `output_form`",
    ),
    "an answer template that names a field": (
        {"s.yaml": SET + "  - {id: b, template: x, answer_template: '{{ input }}{{ option }}'}\n"},
        "s.yaml",
        "DIR/s.yaml has 1 problem:\n"
        "  - s.yaml:4: instruction 'b': answer_template names input; it may name index, letter, option",
    ),
    "references that lead nowhere": (
        {
            "s.yaml": SET + ENTRY + "  - {id: b, template: y, reference: aa}\n  - {id: c, template: z, reference: c}\n"
            "  - {id: d, template: w, reference: 17}\n"
        },
        "s.yaml",
        "DIR/s.yaml has 3 problems:\n"
        "  - s.yaml:5: instruction 'b': reference 'aa' is not in the set; did you mean 'a'?\n"
        "  - s.yaml:6: instruction 'c': is its own reference; name the instruction that it re-phrases\n"
        "  - s.yaml:7: instruction 'd': reference '17' is not in the set; name an instruction of this set",
    ),
    "an id and a wording twice": (
        {"s.yaml": SET + ENTRY + "  - {id: a, template: y}\n  - {id: c, template: 'Say {{ input }}'}\n"},
        "s.yaml",
        "DIR/s.yaml has 2 problems:\n"
        "  - s.yaml:5: instruction 'a': the id is already used at s.yaml:4; make ids unique\n"
        "  - s.yaml:6: instruction 'c': has the same wording as 'a'; remove one",
    ),
    "an empty JSON Lines set": (
        {"s.jsonl": '{"name": "s"}\n'},
        "s.jsonl",
        "DIR/s.jsonl has 1 problem:\n"
        "  - s.jsonl: no instructions; write one JSON object a line, each with `id` and `template`",
    ),
    "bad lines in a JSON Lines set": (
        {"s.jsonl": '{"name": "s", "instructions": []}\n{"id": "a", "template": "x", "output_form": "label"}\nno\n'},
        "s.jsonl",
        "DIR/s.jsonl has 3 problems:\n"
        "  - s.jsonl:3: not JSON (Expecting value, column 1); mend the line\n"
        "  - s.jsonl:1: 'instructions' are the lines that follow; remove the key\n"
        "  - s.jsonl:2: instruction 'a': 'collection' is missing; add it, or give a default",
    ),
}


def _plain(message: str, folder: Path) -> str:
    from isophrase.sources.problems import listed
    from isophrase.sources.resolve import bundled_sets, bundled_tasks

    for names in (bundled_tasks(), bundled_sets()):
        message = message.replace(f"({listed(names, 30)})", "(BUNDLED)")
    return message.replace(str(folder), "DIR")


@pytest.mark.parametrize("name", TASKS)
def test_a_bad_task_is_one_clear_error(name, write):
    files, reference, expected = TASKS[name]
    folder = write(files)
    with pytest.raises(IsophraseError) as caught:
        load_tasks(reference, base=folder, cache=folder)
    assert _plain(str(caught.value), folder) == expected


@pytest.mark.parametrize("name", SETS)
def test_a_bad_instruction_set_is_one_clear_error(name, write):
    files, reference, expected = SETS[name]
    folder = write(files)
    with pytest.raises(IsophraseError) as caught:
        load_instruction_set(reference, base=folder)
    assert _plain(str(caught.value), folder) == expected


def test_many_problems_are_capped_and_counted(write):
    rows = "text,label\n" + "".join(f"q{number},nonsense\n" for number in range(50)) + "a,no\n"
    folder = write({"t.yaml": HEAD, "t.csv": rows})
    with pytest.raises(ManyErrors) as caught:
        load_tasks("t.yaml", base=folder, cache=folder)
    assert len(caught.value.problems) == 50
    assert "t.yaml has 50 problems:" in str(caught.value)
    assert str(caught.value).endswith("and 30 more, not shown")
