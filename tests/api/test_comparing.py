"""Two runs compared on the cells that both have: what is matched, said, refused."""

import json
from dataclasses import replace

import pytest

from isophrase.api.comparing import Side, compare_runs
from isophrase.errors import ConfigError
from isophrase.report.comparison import comparison_json
from isophrase.results import read_run
from isophrase.statistics.observed import template_digest
from isophrase.statistics.paired import STATISTICS, Settings
from isophrase.types import Example, Role
from tests.api.runs_made_here import OPTIONS, task, wordings, write_run

QUICK = Settings(resamples=100, swaps=199)


def test_a_better_model_is_seen_to_be_better(tmp_path):
    before = write_run(tmp_path / "before", strength=0.3)
    after = write_run(tmp_path / "after", strength=2.0, lean=0.2, model="repaired", seed=1)
    found = compare_runs(before, after, settings=QUICK)
    changes = {change.name: change for change in found.conditions[0].comparison.tasks[0].changes}
    assert list(changes) == list(STATISTICS)
    assert changes["mean"].difference.low > 0
    assert changes["flip_rate"].difference.high < 0
    assert max(test.p_value for test in changes["mean"].tests) < 0.05
    assert found.notes == ()
    values = json.loads(comparison_json(found))
    assert values["conditions"][0]["tasks"][0]["changes"][0]["difference"]["value"] == pytest.approx(
        changes["mean"].difference.value
    )


def test_what_does_not_match_is_left_out_and_said(tmp_path):
    rows = wordings()
    before = write_run(tmp_path / "before", tasks=(task(), task("shape")), rows=rows)
    other = (*rows[:6], replace(rows[6], template="Something else: {{ input }}"), replace(rows[7], id="new"))
    examples = task().examples
    shifted = (*examples[:-1], Example(examples[-1].id, {"input": "another thing"}, OPTIONS, (1,)))
    after = write_run(tmp_path / "after", tasks=(replace(task(), examples=shifted),), rows=other)
    found = compare_runs(before, after, settings=QUICK)
    comparison = found.conditions[0].comparison
    assert [item.task for item in comparison.tasks] == ["colour"]
    assert (comparison.tasks[0].n_instructions, comparison.tasks[0].n_examples) == (6, 29)
    notes = "\n".join(found.notes)
    for words in ("only in the first: shape", "2 wordings that only one run has", "1 wordings whose text differs",
                  "1 examples whose content differs"):  # fmt: skip
        assert words in notes


def test_runs_with_nothing_in_common_are_refused(tmp_path):
    before = write_run(tmp_path / "before", tasks=(task("colour"),))
    after = write_run(tmp_path / "after", tasks=(task("shape"),))
    with pytest.raises(ConfigError, match=r"cells in common .* got none: before with colour"):
        compare_runs(before, after, settings=QUICK)


def test_wordings_that_the_repair_was_trained_on_are_not_held_out(tmp_path):
    rows = wordings()
    seen = frozenset(template_digest(item) for item in rows[:3])
    before = write_run(tmp_path / "before")
    after = write_run(tmp_path / "after", trained_on=seen)
    with pytest.raises(ConfigError, match="got 3 that its record says it was trained on: w0, w1, w2"):
        compare_runs(before, after, settings=QUICK)
    found = compare_runs(before, after, settings=QUICK, leave_out_trained=True)
    assert found.conditions[0].comparison.tasks[0].n_instructions == 5
    assert any("3 wordings that the second model was trained on" in note for note in found.notes)


def test_wordings_that_the_base_model_knew_are_the_observed_side_of_the_gap(tmp_path):
    rows = (*wordings(4, "flan"), *(replace(item, id=f"u{item.id}") for item in wordings(4, "human")))
    before = write_run(tmp_path / "before", rows=rows, trained_on=frozenset({"flan"}))
    after = write_run(tmp_path / "after", rows=rows, trained_on=frozenset({"flan"}), strength=3.0, seed=1)
    found = compare_runs(before, after, settings=QUICK).conditions[0].comparison
    assert found.gap_closed is not None
    assert found.gap_closed.gain.value > 0


def test_of_several_models_one_has_to_be_named(tmp_path):
    before = write_run(tmp_path / "before")
    with pytest.raises(ConfigError, match=r"a model of .*: m; got 'x'"):
        compare_runs(before, Side(before, model="x"), settings=QUICK)


def test_calibration_is_compared_like_any_other_repair(tmp_path):
    empty = tuple(Example(f"content-free/{index}", {"input": ""}, OPTIONS, (0,)) for index in (1, 2, 3))
    run = write_run(tmp_path / "run", lean=3.0, strength=1.5, empty=empty)
    for repair in ("batch", "contextual", "ensemble-4"):
        found = compare_runs(run, Side(run, repair=repair), settings=QUICK)
        comparison = found.conditions[0].comparison
        assert comparison.after == f"m + {repair}"
        changes = {change.name: change.difference.value for change in comparison.tasks[0].changes}
        assert changes["mean"] > 0, repair
        assert changes["spread"] < 0, repair


def test_a_repair_that_does_not_fit_says_why(tmp_path):
    run = write_run(tmp_path / "run")
    with pytest.raises(ConfigError, match="measured without `content_free: true`"):
        compare_runs(run, Side(run, repair="contextual"), settings=QUICK)
    with pytest.raises(ConfigError, match="a repair: batch, contextual, ensemble-N; got 'magic'"):
        compare_runs(run, Side(run, repair="magic"), settings=QUICK)
    with pytest.raises(ConfigError, match="a repair: batch, contextual, ensemble-N; got 'ensemble-0'"):
        compare_runs(run, Side(run, repair="ensemble-0"), settings=QUICK)
    rare = replace(task(), examples=tuple(replace(item, gold=(int(item.id == "e3"),)) for item in task().examples))
    run = write_run(tmp_path / "rare", tasks=(rare,))
    found = compare_runs(run, Side(run, repair="batch"), settings=QUICK)
    assert any("batch calibration is unsafe" in note for note in found.notes)


def test_how_far_negated_wordings_fall_is_compared_where_both_measured_some(tmp_path):
    rows = (replace(wordings()[0], role=Role.REFERENCE), *wordings()[1:])
    controls = tuple(
        replace(one, id=f"not-{one.id}", role=Role.NEGATED, template=f"Not: {one.template}") for one in rows[:3]
    )
    before = write_run(tmp_path / "before", rows=rows + controls)
    changed = (controls[0], replace(controls[1], template="Otherwise {{ input }}"), controls[2])
    seen = frozenset({template_digest(controls[2])})
    after = write_run(tmp_path / "after", rows=rows + changed, model="repaired", seed=1, aligned_on=seen)
    (condition,) = compare_runs(before, after, settings=QUICK).conditions
    (drop,) = condition.reading
    assert (drop.task, drop.references, drop.negated) == ("colour", 1, 1)
    panels = [read_run(folder).panels[0] for folder in (before, after)]
    expected = [panel.table.values[0].mean() - panel.negated_table.values[0].mean() for panel in panels]
    assert [drop.before.value, drop.after.value] == pytest.approx(expected)
    values = json.loads(comparison_json(compare_runs(before, after, settings=QUICK)))
    assert values["conditions"][0]["reading"][0]["change"]["value"] == pytest.approx(expected[1] - expected[0])
    plain = write_run(tmp_path / "plain", rows=rows)
    assert compare_runs(plain, after, settings=QUICK).conditions[0].reading == ()


def test_some_tasks_alone_can_be_compared(tmp_path):
    tasks = (task(), task("shape"))
    before, after = (write_run(tmp_path / name, tasks=tasks, model=name) for name in ("before", "after"))
    found = compare_runs(before, after, settings=QUICK, tasks=["shape"])
    assert [item.task for item in found.conditions[0].comparison.tasks] == ["shape"]
    with pytest.raises(ConfigError, match=r"tasks of before: colour, shape; got size"):
        compare_runs(before, after, settings=QUICK, tasks=["shape", "size"])
