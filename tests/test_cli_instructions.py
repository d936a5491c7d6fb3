"""The commands about instructions: listings, lint, paraphrase."""

import json

import pytest

from tests.test_cli import call

SET = """\
name: mine
tasks: [sentiment]
defaults: {collection: human, output_form: label}
instructions:
  - {id: a, role: reference, template: "Positive or negative? {{ input }}"}
  - {id: b, reference: a, template: "Give the letter: positive or negative. {{ input }}"}
"""


@pytest.fixture
def isophrase(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code, out, err = call(capsys, monkeypatch, *arguments)
        assert "Traceback" not in out + err
        return code, out, err

    return run


@pytest.mark.parametrize("command", ["lint", "check", "paraphrase"])
def test_every_command_has_help_and_an_example(isophrase, command):
    code, out, _ = isophrase(command, "--help")
    assert code == 0
    assert "Example: isophrase" in out


def test_the_catalogue_is_listed_and_shown(isophrase):
    assert "catalogue/bbl/strategyqa" in isophrase("instructions")[1]
    assert "{{ premise }}" in isophrase("instructions", "show", "catalogue/entailment")[1]


def test_a_collection_is_shown_from_its_files(isophrase, tmp_path):
    (tmp_path / "t.py").write_text('PATTERNS = {"x": [("{question} {options_}", "{answer}"), 7]}')
    code, out, _ = isophrase("instructions", "show", "flan", "--from", "t.py", "--for", "multiple-choice")
    assert code == 0
    assert "slots: question -> input" in out
    assert "problem: t.py:1" in out
    code, _, err = isophrase("instructions", "show", "flan")
    assert code == 3
    assert "--from PATH" in err


def test_lint_finds_prints_and_exits(isophrase, tmp_path):
    (tmp_path / "set.yaml").write_text(SET)
    code, out, _ = isophrase("lint", "set.yaml")
    assert code == 6
    assert "form-of-answer" in out
    code, out, _ = isophrase("lint", "set.yaml", "--json")
    assert json.loads(out)[0]["place"] == "mine/b"
    assert isophrase("lint", "catalogue/mmlu")[0] == 0
    code, out, _ = isophrase("lint", "sentiment")
    assert code == 0
    assert "warning\tlabel-words\tsentiment/unlisted-1" in out
    assert isophrase("lint", "catalogue/generation")[:2] == (0, "nothing found\n")
    code, _, err = isophrase("lint", "no-such-thing")
    assert code == 2
    assert "a run folder, an experiment, a set or a task" in err


def test_lint_of_tasks_experiments_and_strictness(isophrase, tmp_path):
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"text {n},a\n" for n in range(12)))
    (tmp_path / "t.yaml").write_text(
        "{name: t, kind: classification, data: t.csv, fields: {input: text}, label: label, options: [a, b]}"
    )
    code, out, _ = isophrase("lint", "t.yaml")
    assert code == 0
    assert "one-gold" in out
    assert isophrase("lint", "t.yaml", "--strict")[0] == 6
    (tmp_path / "set.yaml").write_text(SET)
    (tmp_path / "x.yaml").write_text("{name: x, models: [m], tasks: [{task: sentiment, instructions: set.yaml}]}")
    code, out, _ = isophrase("lint", "x.yaml")
    assert code == 6
    assert "sentiment/mine/b" in out


def test_a_dry_run_of_paraphrase_needs_no_model(isophrase):
    code, out, _ = isophrase("paraphrase", "sentiment", "--out", "x.yaml", "--dry-run", "-n", "2", "--price-in", "1")
    assert code == 0
    assert "requests" in out
    assert "Re-phrase the following instruction." in out
    code, _, err = isophrase("paraphrase", "sentiment", "--out", "x.yaml", "--temperatures", "hot", "--dry-run")
    assert code == 2
    assert "--temperatures" in err
