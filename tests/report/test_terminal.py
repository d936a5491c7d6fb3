"""The terminal report: its words, its width, and that no foreign text is obeyed."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from isophrase.report.machine import to_json_text
from isophrase.report.terminal import print_terminal
from isophrase.report.view import RunView
from isophrase.statistics.summary import summarise
from tests.report.synthetic import estimate, run, tiny


def shown(view, width=None):
    """What is printed: piped, or on a terminal of some width."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=width is not None, width=width or 60, color_system=None)
    print_terminal(view, console)
    return file.getvalue()


def test_piped_output_is_complete_and_plain():
    view = RunView("run", notes=("a note",), panels=(tiny(), tiny(task="shape", gap=estimate(0.1, -0.05, 0.25))))
    assert shown(view) == (
        "tiny: accuracy moves by 50 points [32, 59] with the wording, averaged over 2 tasks\n"
        "note: a note\n"
        "\n"
        "Task                 Mean                Std  Worst–best             Spread                Gap          "
        "Flip rate  Chance\n"
        "colour  75.0 [60.0, 90.0]  35.4 [10.0, 40.0]  50.0–100.0  50.0 [25.0, 62.5]                  –  "
        "50.0 [20.0, 80.0]    50.0\n"
        "shape   75.0 [60.0, 90.0]  35.4 [10.0, 40.0]  50.0–100.0  50.0 [25.0, 62.5]  10.0 [−5.0, 25.0]  "
        "50.0 [20.0, 80.0]    50.0\n"
        "Levels and rates in percent, differences in points; 95 % intervals in brackets. "
        "Std, worst–best and spread: without the luck of the examples drawn.\n"
        "\n"
        "Task    Wording             Measured  Instruction\n"
        "colour  best     100.0 [90.0, 100.0]  wording-0    What colour is ‹input›?\n"
        "colour  worst      50.0 [12.5, 87.5]  wording-1    ‹input›: which colour?\n"
        "shape   best     100.0 [90.0, 100.0]  wording-0    What colour is ‹input›?\n"
        "shape   worst      50.0 [12.5, 87.5]  wording-1    ‹input›: which colour?\n"
    )


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
@pytest.mark.parametrize("known", [False, True])
def test_no_line_is_wider_than_the_terminal(width, known):
    text = shown(run(known=known), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for task in ("sentiment", "topic", "intent", "entailment"):
        assert task in text


def test_a_wide_terminal_shows_every_column_and_a_narrow_one_says_what_is_missing():
    wide, narrow = shown(run(known=True), 180), shown(run(known=True), 60)
    header = next(line for line in wide.splitlines() if line.startswith("Task"))
    assert re.split("  +", header) == [
        "Task", "Mean", "Std", "Worst–best", "Spread", "Gap", "Flip rate", "Unscored", "Chance",
    ]  # fmt: skip
    assert "A wider terminal also shows: Chance, Std, Flip rate, Unscored." in " ".join(narrow.split())


def test_the_missing_gap_is_explained():
    assert "Gap " not in shown(run())
    assert "undefined: nothing is known of what smollm2-135m-instruct was tuned on" in shown(run())


def test_several_conditions_have_a_sentence_each_before_any_table():
    lines = shown(run(shots=(0, 3))).splitlines()
    assert lines[0].startswith("smollm2-135m-instruct (0-shot): accuracy moves by")
    assert lines[1].startswith("smollm2-135m-instruct (3-shot): accuracy moves by")


def test_markup_and_control_sequences_are_shown_not_obeyed():
    trick = "[red]x[/red]\x1b[31m\u202e\ud800"
    given = replace(tiny(task=trick, model=trick, templates=(trick, trick + "{{ input }}")))
    for width in (None, 100):
        text = shown(RunView(trick, notes=(trick,), panels=(given,)), width)
        assert "[red]x[/red]⟨U+001B⟩[31m⟨U+202E⟩⟨U+D800⟩" in text
        assert "\x1b" not in text
        text.encode("utf-8")


def test_nothing_measured_is_said():
    assert shown(RunView("run")) == "run: nothing has been measured yet\n"


def test_json_has_every_estimate_and_null_for_what_is_undefined():
    view = run()
    found = json.loads(to_json_text(view), parse_constant=pytest.fail)
    assert [task["task"] for task in found["tasks"]] == ["sentiment", "topic", "intent", "entailment"]
    first, panel = found["tasks"][0], view.panels[0]
    assert first["mean"]["value"] == panel.summary.mean.value
    assert first["gap"] is None
    assert first["metric"] == "accuracy"
    assert [item["instruction"] for item in first["instructions"]] == [item.id for item in panel.instructions]
    assert first["instructions"][0]["role"] == "reference"
    assert first["controls"][0]["instruction"] == "negated-1"
    assert found["models"][0]["tasks"] == ["sentiment", "topic", "intent", "entailment"]
    assert first["measured_spread"] >= first["spread"]["value"]
    panel = tiny(templates=("one {{ input }}",))
    undefined = RunView("run", panels=(replace(panel, summary=summarise(panel.table)),))
    assert json.loads(to_json_text(undefined))["models"][0]["spread"]["these"]["value"] is None


def test_json_survives_any_text():
    name = "\ud800 \u202e </script>"
    assert json.loads(to_json_text(RunView(name)).encode("utf-8"))["name"] == name
