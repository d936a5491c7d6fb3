import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isophrase.sources.labels import BadLabelError, gold_of
from isophrase.sources.problems import Problems
from isophrase.sources.resolve import load_tasks
from isophrase.sources.tables import read_table
from isophrase.sources.taskfile import LabelType
from isophrase.types import Metric, Split, TaskKind, digest

CLASSIFY = {
    "name": "mood",
    "kind": "classification",
    "fields": {"input": "text"},
    "label": "label",
    "options": ["negative", "positive"],
}
CHOOSE = {
    "name": "quiz",
    "kind": "multiple_choice",
    "fields": {"input": "q"},
    "label": "answer",
    "options": {"columns": ["a", "b", "c"]},
}


def _load(mapping, folder):
    (loaded,) = load_tasks(mapping, base=folder, cache=folder)
    return loaded


def test_a_task_file_becomes_a_task(write):
    folder = write(
        {
            "tasks/mood.yaml": "name: mood\nversion: '2'\nkind: classification\ndescription: Moods.\n"
            "origin: Us (MIT).\n"
            "data: mood.jsonl\nfields: {input: text, source: where}\nlabel: label\noptions: [no, yes]\n"
            "id: key\nsplit: part\n",
            "tasks/mood.jsonl": '{"key": "k1", "text": "fine", "where": "web", "label": "yes", "part": "test"}\n\n'
            '{"key": "k2", "text": "bad", "where": 3, "label": "NO ", "part": "exemplar"}\n',
        }
    )
    (loaded,) = load_tasks("tasks/mood.yaml", base=folder, cache=folder)
    task = loaded.task
    assert (task.name, task.version, task.kind, task.metric) == ("mood", "2", TaskKind.CLASSIFICATION, Metric.ACCURACY)
    assert (task.description, task.origin, loaded.notes) == ("Moods.", "Us (MIT).", ())
    first, second = task.examples
    assert (first.id, dict(first.fields), first.options, first.gold, first.split) == (
        "k1",
        {"input": "fine", "source": "web"},
        ("no", "yes"),
        (1,),
        Split.TEST,
    )
    assert (second.fields["source"], second.gold, second.split) == ("3", (0,), Split.EXEMPLAR)


@pytest.mark.parametrize("labels", [("negative", "positive"), ("Negative", " POSITIVE "), ("0", "1")])
def test_labels_are_option_texts_or_indexes(write, labels):
    folder = write({"t.csv": f"text,label\nx,{labels[0]}\ny,{labels[1]}\n"})
    task = _load({**CLASSIFY, "data": "t.csv"}, folder).task
    assert [example.gold for example in task.examples] == [(0,), (1,)]


@pytest.mark.parametrize("answers", [("A", "c"), ("north", "west"), ("0", "2")])
def test_labels_are_letters_where_rows_have_their_own_options(write, answers):
    folder = write({"t.csv": f"q,a,b,c,answer\nx,north,south,east,{answers[0]}\ny,up,down,west,{answers[1]}\n"})
    task = _load({**CHOOSE, "data": "t.csv"}, folder).task
    assert [(example.options[2], example.gold) for example in task.examples] == [("east", (0,)), ("west", (2,))]


def test_a_label_means_the_same_in_every_row(write):
    # Read row by row, "1" would be the option "1" of the first row and the second option of the other.
    rows = [{"q": "x", "o": ["1", "5"], "answer": 1}, {"q": "y", "o": ["7", "9"], "answer": 1}]
    folder = write({"t.jsonl": "\n".join(map(json.dumps, rows))})
    task = _load({**CHOOSE, "data": "t.jsonl", "options": "o"}, folder).task
    assert [example.gold for example in task.examples] == [(1,), (1,)]


def test_several_right_answers_and_json_lists_in_csv(write):
    folder = write({"t.csv": 'q,o,answer\nx,"[""r"", ""g"", ""b""]","[""b"", ""r""]"\n'})
    task = _load({**CHOOSE, "data": "t.csv", "options": "o"}, folder).task
    assert (task.examples[0].options, task.examples[0].gold) == (("r", "g", "b"), (0, 2))


def test_true_and_false_are_labels(write):
    folder = write({"t.jsonl": '{"text": "x", "label": true}\n{"text": "y", "label": false}\n'})
    task = _load({**CLASSIFY, "data": "t.jsonl", "options": ["false", "true"]}, folder).task
    assert [example.gold for example in task.examples] == [(1,), (0,)]


def test_generation_has_one_or_several_references(write):
    folder = write({"t.jsonl": '{"q": "x", "a": "one"}\n{"q": "y", "a": ["two", " 2 "]}\n{"q": "z", "a": 3}\n'})
    mapping = {"name": "g", "kind": "generation", "data": "t.jsonl", "fields": ["q"], "label": "a"}
    task = _load(mapping, folder).task
    assert task.metric is Metric.EXACT_MATCH
    assert [example.references for example in task.examples] == [("one",), ("two", "2"), ("3",)]
    assert all(example.options == example.gold == () for example in task.examples)
    assert _load({**mapping, "metric": "token_f1"}, folder).task.metric is Metric.TOKEN_F1


def test_yaml_words_and_numbers_are_options(write):
    folder = write(
        {
            "t.yaml": "name: t\nkind: classification\ndata: t.csv\nfields: [text]\n"
            "label: l\noptions: [yes, off, 3, 010]\n",
            "t.csv": "text,l\na,yes\nb,off\nc,3\nd,010\n",
        }
    )
    (loaded,) = load_tasks("t.yaml", base=folder, cache=folder)
    assert loaded.task.examples[0].options == ("yes", "off", "3", "010")
    assert [example.gold for example in loaded.task.examples] == [(0,), (1,), (2,), (3,)]


def test_a_byte_order_mark_blank_lines_and_a_nameless_index_column_are_no_trouble(write):
    folder = write({"t.csv": "\ufeff,text,label\r\n0,x,negative\r\n\r\n1,y,positive\r\n"})
    task = _load({**CLASSIFY, "data": "t.csv"}, folder).task
    assert [example.fields["input"] for example in task.examples] == ["x", "y"]


def test_bad_rows_are_skipped_on_request_and_named(write):
    folder = write({"t.csv": "text,label\nx,negative\ny,unsure\n,positive\n"})
    loaded = _load({**CLASSIFY, "data": "t.csv", "bad_rows": "skip"}, folder)
    assert [example.id for example in loaded.task.examples] == ["1", "3"]
    assert loaded.notes == ("left out: t.csv:3: label 'unsure' is not among the options ('negative', 'positive')",)


def test_repeated_rows_are_noted(write):
    folder = write({"t.csv": "text,label\nx,negative\nx,positive\ny,positive\n"})
    loaded = _load({**CLASSIFY, "data": "t.csv"}, folder)
    assert loaded.notes == ("rows that repeat the fields and options of an earlier row: t.csv:3",)


def test_exemplars_do_not_depend_on_the_order_of_rows(write):
    rows = [f"k{number},text {number},negative,\n" for number in range(40)]
    mapping = {**CLASSIFY, "data": "t.csv", "id": "key", "split": "part", "exemplars": 6}

    def reserved(rows, **changes):
        folder = write({"t.csv": "key,text,label,part\n" + "".join(rows)})
        examples = _load({**mapping, **changes}, folder).task.examples
        return {example.id for example in examples if example.split is Split.EXEMPLAR}

    chosen = reserved(rows)
    assert len(chosen) == 6
    assert reserved(rows[::-1]) == chosen
    assert chosen < reserved(rows, exemplars=9)
    assert reserved(rows, seed=1) != chosen


def test_an_exemplar_has_no_split_and_no_twin(write):
    rows = (
        "".join(f"text {number // 2},negative,{'test' if number < 4 else ''}\n" for number in range(8))
        + "solo,positive,\n"
    )
    folder = write({"t.csv": "text,label,part\n" + rows})
    task = _load({**CLASSIFY, "data": "t.csv", "split": "part", "exemplars": 1}, folder).task
    assert [example.fields["input"] for example in task.split(Split.EXEMPLAR)] == ["solo"]


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(texts, st.sampled_from(["negative", "positive"])), min_size=1, max_size=12))
def test_csv_jsonl_and_parquet_give_the_same_task(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("formats")
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["text", "label"])
    writer.writerows(rows)
    (folder / "t.csv").write_bytes(buffer.getvalue().encode())
    records = [{"text": text, "label": label} for text, label in rows]
    lines = [json.dumps(record, ensure_ascii=len(records) % 2 == 0) for record in records]
    (folder / "t.jsonl").write_text("\n".join(lines), encoding="utf-8", newline="")
    pq.write_table(pa.Table.from_pylist(records), folder / "t.parquet")
    tasks = [_load({**CLASSIFY, "data": f"t.{suffix}"}, folder).task for suffix in ("csv", "jsonl", "parquet")]
    assert [example.fields["input"] for example in tasks[0].examples] == [text for text, _ in rows]
    assert len({digest(task) for task in tasks}) == 1


options = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=2, max_size=8, unique=True)


@given(options, st.data())
def test_the_three_ways_of_naming_an_option_agree(options, data):
    index = data.draw(st.integers(0, len(options) - 1))
    assert gold_of(options[index], options, LabelType.TEXT) == (index,)
    assert gold_of(index, options, LabelType.INDEX) == gold_of(str(index), options, LabelType.INDEX) == (index,)
    assert gold_of("ABCDEFGH"[index], options, LabelType.LETTER) == (index,)


@given(options, st.data())
def test_gold_follows_the_options_when_they_are_permuted(options, data):
    right = data.draw(st.lists(st.sampled_from(options), min_size=1, max_size=len(options) - 1, unique=True))
    shuffled = data.draw(st.permutations(options))
    gold = gold_of(right, shuffled, LabelType.TEXT)
    assert {shuffled[index] for index in gold} == set(right)
    assert list(gold) == sorted(gold)


@given(options, st.integers() | st.floats() | st.booleans() | st.none() | st.binary() | st.text(max_size=5))
def test_a_label_gives_valid_indexes_or_a_bad_label(options, label):
    for way in LabelType:
        try:
            gold = gold_of(label, options, way)
        except BadLabelError:
            continue
        assert 0 < len(gold) < len(options)
        assert all(0 <= index < len(options) for index in gold)


def test_a_row_keeps_the_line_where_it_starts(write):
    folder = write({"t.csv": 'a,b\n"one\ntwo",x\n\ny,z\n'})
    table = read_table(folder / "t.csv", Problems("t"))
    assert [row.place for row in table.rows] == ["t.csv:2", "t.csv:5"]
