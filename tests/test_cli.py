"""The command line: one clear error and its exit code for each bad input, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from isophrase import __version__
from isophrase.cli import app, main
from tests.tiny_models import tiny_model


def call(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["isophrase", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    printed = capsys.readouterr()
    code = caught.value.code
    return (code if isinstance(code, int) else 0), printed.out, printed.err


@pytest.fixture
def isophrase(capsys, monkeypatch):
    def run(*arguments):
        code, out, err = call(capsys, monkeypatch, *arguments)
        assert "Traceback" not in out + err
        return code, out, err

    return run


def experiment(folder, **changes):
    values = {"name": "x", "models": "[m]", "tasks": "[{task: sentiment, limit: 2, max_instructions: 2}]", **changes}
    path = folder / "x.yaml"
    path.write_text("\n".join(f"{key}: {value}" for key, value in values.items()))
    return path


def test_version_and_listings(isophrase):
    assert isophrase("--version")[1].strip() == f"isophrase {__version__}"
    assert "smollm2-135m-instruct" in isophrase("models")[1]
    assert "sentiment" in isophrase("tasks")[1]
    assert "multiple-choice" in isophrase("instructions")[1]
    assert "* negative" in isophrase("tasks", "show", "sentiment")[1]
    assert "{{ input }}" in isophrase("instructions", "show", "topic")[1]


def commands(group, *names):
    """Every command there is, and every group of them."""
    yield " ".join(names)
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *names, name)


@pytest.mark.parametrize("command", list(commands(typer.main.get_command(app))))
def test_every_command_has_help_and_an_example(isophrase, command):
    code, out, _ = isophrase(*command.split(), "--help")
    assert code == 0
    assert not command or "Example: isophrase" in out


@pytest.mark.parametrize("command", ["compare before after", "testbed build"])
def test_a_negative_seed_is_refused_before_anything_is_read(isophrase, command):
    code, _, err = isophrase(*command.split(), "--seed", "-1")
    assert code == 2
    assert "Invalid value for '--seed'" in err


def test_help_is_quick():
    """In processor time, so that a busy machine does not fail it."""
    code = "import sys; sys.argv = ['isophrase', '--help']; from isophrase.cli import main; main()"
    seconds = []
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(seconds) < 0.5


def test_nothing_heavy_is_imported_for_help():
    heavy = "('torch', 'numpy', 'pyarrow', 'rich', 'pydantic')"
    code = f"import sys, isophrase.cli; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip() == "[]"


BAD_EXPERIMENTS = [
    ({"models": "[{source: m, dtype: int3}]"}, 2, "models[0].dtype: expected 'auto', 'float32'"),
    ({"tasks": "[nothing]"}, 2, "tasks[0]: expected a bundled task"),
    ({"tasks": "[missing/file.yaml]"}, 2, "tasks[0]: expected an existing file"),
    ({"tasks": "[sentiment, sentiment]"}, 2, "task 'sentiment' is asked twice"),
    ({"tasks": "[{task: sentiment, instructions: extraction}]"}, 2, "got output_form"),
    ({"tasks": "[{task: sentiment, instructions: entailment}]"}, 2, "unknown fields hypothesis, premise"),
    ({"tasks": "[{task: sentiment, instructions: nothing.yaml}]"}, 2, "expected an existing file; got no"),
    ({"tasks": "[{task: sentiment, split: dev}]"}, 2, "at least one dev example"),
    ({"shots": "[99]"}, 2, "at least 99 exemplars"),
    ({"models": "[./no/such/folder/]"}, 4, "expected a model folder; got nothing at"),
    ({"models": "[{source: ./tiny, format: chat}]"}, 4, "a chat template in the tokenizer of tiny"),
    ({"models": "[{source: ./tiny, device: 'cuda:7'}]"}, 4, "CUDA device"),
    ({"models": "[{source: ./tiny, adapter: ./none}]"}, 4, "none"),
    ({"models": "[{source: ./tiny, revision: main}]"}, 4, "a revision only for a hub id"),
]


@pytest.mark.parametrize(("changes", "code", "words"), BAD_EXPERIMENTS, ids=[item[2] for item in BAD_EXPERIMENTS])
def test_a_bad_experiment_is_a_clear_error(isophrase, tmp_path, monkeypatch, changes, code, words):
    monkeypatch.chdir(tmp_path)
    if "tiny" in str(changes):
        tiny_model(tmp_path / "tiny", chat=False)
    found, out, err = isophrase("run", experiment(tmp_path, **changes), "--out", tmp_path / "run")
    assert found == code, err
    assert words in err
    assert not out
    assert not (tmp_path / "run").exists()


BAD_CALLS = [
    (["run", "none.yaml"], 3, "expected an existing file; got no none.yaml"),
    (["run", "."], 3, "expected a file; got the folder"),
    (["report", "none"], 5, "expected a run folder with a manifest.json; got none in none"),
    (["report", "damaged"], 5, "expected a readable manifest.json"),
    (["report", "damaged", "--rule", "mean"], 2, "Invalid value for '--rule'"),
    (["tasks", "show", "nothing"], 3, "expected a bundled task"),
    (["tasks", "fetch", "nothing"], 2, "expected a benchmark that can be fetched: bigbench"),
    (["models", "get", "nothing"], 2, "expected a model of the catalog"),
    (["instructions", "show", "nothing"], 3, "expected a bundled instruction set"),
    (["compare", "none", "none"], 5, "expected a run folder with a manifest.json"),
    (["compare", "none", "none", "--level", "2"], 2, "Invalid value for '--level'"),
    (["power", "none"], 5, "expected a run folder with a manifest.json"),
    (["power", "none", "--gap", "0"], 2, "Invalid value for '--gap'"),
    (["import", "none.csv"], 3, "expected existing files; got no none.csv"),
    (["nothing"], 2, "No such command 'nothing'"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD_CALLS, ids=[" ".join(item[0]) for item in BAD_CALLS])
def test_a_bad_call_is_a_clear_error(isophrase, tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    found, _, err = isophrase(*arguments)
    assert found == code, err
    assert words in err


def test_a_run_ends_with_tables_json_and_a_report(isophrase, tmp_path):
    model = tiny_model(tmp_path / "tiny")
    path = experiment(tmp_path, models=f"[{{source: {model}, device: cpu}}]")
    code, out, err = isophrase("run", path, "--out", tmp_path / "run")
    assert code == 0, err
    assert "sentiment" in out
    page = tmp_path / "run" / "report.html"
    assert page.read_text().startswith("<!DOCTYPE html>")
    code, out, err = isophrase("report", tmp_path / "run", "--json")
    values = json.loads(out)
    assert values["tasks"][0]["task"] == "sentiment"
    assert 0 <= values["tasks"][0]["mean"]["value"] <= 1
    run = tmp_path / "run"
    code, out, err = isophrase("compare", run, run)
    assert code == 0, err
    assert "prompts: 1 task\n" in out
    code, out, _ = isophrase("compare", run, run, "--json")
    assert json.loads(out)["conditions"][0]["tasks"][0]["changes"][0]["difference"]["value"] == 0
    code, out, err = isophrase("power", run, "--gap", "0.2")
    assert code == 0, err
    assert "wordings" in isophrase("power", run, "--json")[1]


def test_rows_that_the_testbed_does_not_have_are_refused_by_name(isophrase, tmp_path):
    for asked in (("--method", "default", "--seed", "0"), ("--method", "pt", "--method", "ptt")):
        code, _, err = isophrase("testbed", "run", *asked, "--results", tmp_path)
        assert code == 2
        said = " ".join(err.replace("│", " ").split())
        assert "got none for some method and seed asked for; there are: none 0, 1;" in said
        assert "default 2, 3, 4, 5, 6, 7" in said
    assert not list(tmp_path.iterdir())


KEPT = Path(__file__).parents[1] / "docs" / "results" / "testbed"


def test_a_section_of_the_testbeds_table_is_printed_as_markdown(isophrase):
    chosen = ("--section", "main", "--tuned", "0", "--task", "number")
    code, out, _ = isophrase("testbed", "table", "--results", KEPT, *chosen, "--markdown")
    header, rule, *rows = out.splitlines()
    assert code == 0
    assert header.startswith("|  | no repair |")
    assert set(rule) <= set("|-: ")
    assert {"unobserved", "gap closed", "negation drop kept"} <= {
        row.split(" | ")[0].removeprefix("| ") for row in rows
    }


@pytest.mark.parametrize("asked", [("--section", "mian"), ("--task", "person"), ("--method", "ptt")])
def test_a_part_of_the_testbeds_table_that_there_is_not_is_refused_by_name(isophrase, asked):
    code, _, err = isophrase("testbed", "table", "--results", KEPT, *asked)
    assert code == 2
    assert f"{asked[0]}: expected one of" in " ".join(err.replace("│", " ").split())
