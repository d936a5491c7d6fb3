import re
import socket
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isophrase.errors import ManyErrors, SourceError
from isophrase.sources import huggingface
from isophrase.sources.resolve import load_tasks
from isophrase.types import Split, TaskKind, digest

datasets = pytest.importorskip("datasets")

ROWS = {"text": ["good", "bad", "fine", "awful"], "label": [1, 0, 1, 0], "image": [b"1", b"2", b"3", b"4"]}
MAPPING = {"name": "mood", "kind": "classification", "fields": {"input": "text"}, "label": "label"}


@pytest.fixture
def saved(tmp_path):
    features = datasets.Features(
        text=datasets.Value("string"), label=datasets.ClassLabel(names=["neg", "pos"]), image=datasets.Value("binary")
    )
    test = datasets.Dataset.from_dict(ROWS, features=features)
    train = datasets.Dataset.from_dict({name: values[:3] for name, values in ROWS.items()}, features=features)
    datasets.DatasetDict({"test": test, "train": train}).save_to_disk(tmp_path / "saved")
    (tmp_path / "parquet" / "test").mkdir(parents=True)
    test.to_parquet(tmp_path / "parquet" / "test" / "0.parquet")
    return tmp_path


def _load(folder, reference):
    (loaded,) = load_tasks(reference, base=folder, cache=folder)
    return loaded


def test_class_names_are_the_options(saved):
    loaded = _load(saved, {**MAPPING, "hf": "saved"})
    assert loaded.task.kind is TaskKind.CLASSIFICATION
    first = loaded.task.examples[0]
    assert (first.id, dict(first.fields), first.options, first.gold) == (
        "test-1",
        {"input": "good"},
        ("neg", "pos"),
        (1,),
    )
    assert [example.gold for example in loaded.task.examples] == [(1,), (0,), (1,), (0,)]


def test_a_folder_of_parquet_files_is_the_same_task_without_the_library(saved, monkeypatch):
    expected = digest(_load(saved, {**MAPPING, "hf": "saved"}).task)
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert digest(_load(saved, {**MAPPING, "hf": "./parquet"}).task) == expected


def test_splits_are_filled_from_slices(saved):
    splits = {"test": "test[1:3]", "exemplar": "train[:2]"}
    task = _load(saved, {**MAPPING, "hf": {"dataset": "saved", "splits": splits}}).task
    assert [example.fields["input"] for example in task.split(Split.TEST)] == ["bad", "fine"]
    assert [example.id for example in task.split(Split.EXEMPLAR)] == ["exemplar-1", "exemplar-2"]


def test_exemplars_are_reserved_among_the_test_rows(saved):
    task = _load(saved, {**MAPPING, "hf": "saved", "exemplars": 1}).task
    assert [len(task.split(split)) for split in (Split.EXEMPLAR, Split.TEST)] == [1, 3]


def test_a_task_file_may_name_a_data_set(saved):
    text = "name: mood\nkind: classification\nhf: saved\nfields: {input: text}\nlabel: label\noptions: [down, up]\n"
    (saved / "t.yaml").write_text(text, encoding="utf-8")
    task = _load(saved, "t.yaml").task
    assert (task.examples[0].options, task.examples[0].gold) == (("down", "up"), (1,))


def test_known_shapes_need_no_mapping(saved):
    task = _load(saved, "hf:./parquet").task
    assert (task.name, task.kind, task.examples[0].options) == ("parquet", TaskKind.CLASSIFICATION, ("neg", "pos"))
    rows = [{"question": "q", "choices": ["x", "y", "z"], "answer": 2}]
    pq.write_table(pa.Table.from_pylist(rows), saved / "test.parquet")
    (saved / "quiz").mkdir()
    (saved / "test.parquet").rename(saved / "quiz" / "test.parquet")
    task = _load(saved, "hf:quiz").task
    assert (task.kind, dict(task.examples[0].fields), task.examples[0].gold) == (
        TaskKind.MULTIPLE_CHOICE,
        {"input": "q"},
        (2,),
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hf:./nothing", "expected a folder with a data set; got no folder DIR/nothing; check the path"),
        ("hf:./empty", "expected a saved data set or parquet files; got DIR/empty with neither; check the folder"),
        ("hf:./broken", "expected parquet files; got DIR/broken: .*write them again"),
        (
            {**MAPPING, "hf": {"dataset": "saved", "splits": {"test": "dev"}}},
            "expected a split 'dev' in DIR/saved; got test, train; mend `splits`",
        ),
        (
            {**MAPPING, "hf": {"dataset": "parquet", "splits": {"test": "dev"}}},
            "expected a split 'dev' in DIR/parquet; got test; mend `splits`",
        ),
        ({**MAPPING, "hf": {"dataset": "saved", "splits": {"test": "test[x]"}}}, "expected a split such as"),
        ({**MAPPING, "hf": "saved", "label": "text"}, "the column 'text' has no class names"),
        ({**MAPPING, "hf": {"dataset": "saved", "splits": {"best": "test"}}}, "hf.splits.best"),
        ({**MAPPING, "hf": "saved", "split": "part"}, "the splits of a data set are chosen with"),
        ({**MAPPING, "hf": "saved", "fields": {"input": "texts"}}, "has no column 'texts'; did you mean 'text'?"),
        (
            {**MAPPING, "hf": "saved", "label": "image", "options": ["a", "b"]},
            "label \"b'1'\" is not among the options",
        ),
    ],
)
def test_what_is_wrong_is_told(saved, reference, message):
    (saved / "empty").mkdir()
    (saved / "broken").mkdir()
    (saved / "broken" / "test.parquet").write_bytes(b"PAR1")
    with pytest.raises((SourceError, ManyErrors)) as caught:
        _load(saved, reference)
    text = str(caught.value).replace(str(saved), "DIR")
    assert re.search(message, text) or message in text


def test_an_unknown_shape_lists_the_columns(tmp_path):
    pq.write_table(pa.Table.from_pylist([{"a": 1, "b": "x"}]), tmp_path / "test.parquet")
    with pytest.raises(SourceError, match=r"the columns a, b are of no known shape; write a task file"):
        _load(tmp_path, f"hf:{tmp_path}")


def test_a_missing_package_names_the_extra(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    for reference in ({**MAPPING, "hf": "saved"}, "hf:someone/something"):
        with pytest.raises(SourceError, match=r"pip install 'isophrase\[datasets\]'"):
            _load(saved, reference)


def test_a_hub_that_refuses_is_one_error_at_once(tmp_path, monkeypatch):
    from huggingface_hub import constants

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        _load(tmp_path, "hf:someone/something")
    assert time.monotonic() - started < 10
    assert str(caught.value).startswith(
        "expected the data set 'someone/something' on the Hugging Face hub; got no answer ("
    )
    assert "\n" not in str(caught.value)


def test_a_hub_that_never_answers_is_given_up(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface, "PROBE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(SourceError, match="got no answer"):
            _load(tmp_path, "hf:someone/something")
        assert time.monotonic() - started < 10


def test_offline_mode_asks_no_hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: datasets.Dataset.from_dict(ROWS))
    loaded = _load(tmp_path, {**MAPPING, "hf": "someone/something", "options": ["neg", "pos"]})
    assert len(loaded.task.examples) == 4


def test_the_hubs_commit_is_the_version(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface, "_probe", lambda data: "0123456789abcdef")
    asked = []

    def load_dataset(*arguments, **options):
        asked.append((arguments, options))
        return datasets.Dataset.from_dict(ROWS)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    hub = {"dataset": "a/b", "subset": "en", "revision": "main"}
    loaded = _load(tmp_path, {**MAPPING, "hf": hub, "options": ["neg", "pos"]})
    assert loaded.task.version == "0123456789ab"
    assert asked == [(("a/b", "en"), {"split": "test", "revision": "main"})]
