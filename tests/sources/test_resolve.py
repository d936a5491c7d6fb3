from pathlib import Path

import pytest

from isophrase.sources import resolve
from isophrase.sources.loaded import Loaded, Request, reserve_exemplars
from isophrase.types import Example, Metric, Split, Task, TaskKind


@pytest.mark.parametrize(
    ("reference", "source", "name", "options"),
    [
        ("sentiment", "bundled", "sentiment", {}),
        ({"bundled": "sentiment"}, "bundled", "sentiment", {}),
        ("bigbench/a/b", "bigbench", "a/b", {}),
        ({"bigbench": "a", "exemplars": 3}, "bigbench", "a", {"exemplars": 3}),
        ("mmlu/anatomy", "mmlu", "anatomy", {}),
        ({"mmlu": "anatomy", "hf": "cais/mmlu"}, "mmlu", "anatomy", {"hf": "cais/mmlu"}),
        ("x/t.yaml", "file", "x/t.yaml", {}),
        ({"file": "t.yml"}, "file", "t.yml", {}),
        ("mmlu/mine.yaml", "file", "mmlu/mine.yaml", {}),
        ("hf:a/b:c", "hf", "a/b:c", {}),
        ({"hf": "a/b", "kind": "generation"}, "hf", "a/b", {"hf": "a/b", "kind": "generation"}),
        ({"hf": {"dataset": "a/b"}}, "hf", "a/b", {"hf": {"dataset": "a/b"}}),
        ({"data": "t.csv", "name": "t"}, "data", "", {"data": "t.csv", "name": "t"}),
    ],
)
def test_a_reference_reaches_its_loader(monkeypatch, reference, source, name, options):
    seen = []
    loaders = {key: lambda request, key=key: seen.append((key, request)) or () for key in resolve.SOURCES}
    monkeypatch.setattr(resolve, "SOURCES", loaders)
    places = {"folder": Path("f"), "base": Path("b"), "cache": Path("c")}
    assert resolve.load_tasks(reference, **places) == ()
    assert seen == [(source, Request(name, options, **places))]


def test_a_new_source_is_one_line_in_the_table(monkeypatch):
    task = Task("new", "1", TaskKind.GENERATION, Metric.EXACT_MATCH, ())
    monkeypatch.setattr(resolve, "SOURCES", {**resolve.SOURCES, "mmlu": lambda request: (Loaded(task),)})
    assert resolve.load_tasks("mmlu/x", cache=Path())[0].task is task


def test_a_path_starts_from_the_base_or_from_home(tmp_path, monkeypatch):
    text = "name: t\nkind: generation\ndata: t.jsonl\nfields: [q]\nlabel: a\n"
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "t.jsonl").write_text('{"q": "x", "a": "y"}', encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    for reference in ("t.yaml", "~/t.yaml", str(tmp_path / "t.yaml")):
        base = tmp_path if reference == "t.yaml" else Path("/nowhere")
        assert resolve.load_tasks(reference, base=base, cache=tmp_path)[0].task.name == "t"


def test_twins_and_other_splits_are_never_reserved():
    examples = [Example(str(number), {"q": str(number)}, references=("r",)) for number in range(6)]
    examples += [Example("twin", {"q": "0"}, references=("r",)), Example("dev", {"q": "d"}, split=Split.DEV)]
    reserved = reserve_exemplars(examples, 99, seed=0)
    assert [item.id for item in reserved] == [item.id for item in examples]
    assert {item.id for item in reserved if item.split is Split.EXEMPLAR} == {"1", "2", "3", "4", "5"}
    assert reserve_exemplars(examples, 0, seed=0) == tuple(examples)
