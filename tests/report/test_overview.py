"""The sentence of a model and the average behind it."""

from dataclasses import replace

import numpy as np

from isophrase.report.overview import conditions, sentence, why_no_gap
from isophrase.report.view import RunView
from isophrase.types import Metric
from tests.report.synthetic import tiny


def test_the_sentence_of_one_task_names_it():
    (condition,) = conditions(RunView("run", panels=(tiny(),)))
    assert sentence(condition) == "tiny: accuracy moves by 50 points [25, 62] with the wording, on colour"


def test_the_sentence_of_several_tasks_averages_them():
    (condition,) = conditions(RunView("run", panels=(tiny(), tiny(task="shape"))))
    text = "tiny: accuracy moves by 50 points [32, 59] with the wording, averaged over 2 tasks"
    assert sentence(condition) == text


def test_different_metrics_are_together_a_score():
    (condition,) = conditions(RunView("run", panels=(tiny(), replace(tiny(task="x"), metric=Metric.TOKEN_F1))))
    assert "the score moves by" in sentence(condition)


def test_shots_and_formats_are_named_only_where_they_differ():
    def shots(number):
        return replace(tiny(), summary=replace(tiny().summary, shots=number))

    one = conditions(RunView("run", panels=(shots(3),)))
    two = conditions(RunView("run", panels=(shots(0), shots(3))))
    assert [item.label for item in one] == ["tiny"]
    assert [item.label for item in two] == ["tiny (0-shot)", "tiny (3-shot)"]


def test_a_single_instruction_says_nothing_about_the_wording():
    (condition,) = conditions(RunView("run", panels=(tiny(templates=("Only {{ input }}",)),)))
    assert sentence(condition) == "tiny: no task has two instructions, so nothing can be said of the wording"


def test_the_missing_gap_has_its_reason():
    unknown = tiny()
    known = replace(unknown, table=replace(unknown.table, observed=np.array([False, False])))
    for panel, reason in ((unknown, "nothing is known of what tiny was tuned on"), (known, "of both kinds")):
        (condition,) = conditions(RunView("run", panels=(panel,)))
        assert reason in why_no_gap(condition)


def test_the_average_leaves_out_tasks_without_a_spread():
    one = tiny(templates=("Only {{ input }}",))
    (condition,) = conditions(RunView("run", panels=(tiny(), one)))
    assert condition.spread == tiny().summary.spread
    assert condition.scope == "on colour"
