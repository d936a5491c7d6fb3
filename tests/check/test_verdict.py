"""What a check concludes from a grid, on made-up panels; fragments; what is printed and written."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from isophrase.check.criteria import parse_criteria
from isophrase.check.fragments import fragments, worst_first
from isophrase.check.outputs import junit, lines
from isophrase.check.verdict import Effect, conclude, fragment_effects
from isophrase.statistics.simultaneous import simultaneous
from isophrase.statistics.summary import summarise
from isophrase.statistics.tables import Estimate
from isophrase.types import Instruction, OutputForm
from tests.report.synthetic import panel


def changed(base, values):
    table = replace(base.table, values=values, choices=(values > 0).astype(np.int64))
    return replace(base, table=table, summary=summarise(table, resamples=200))


@pytest.fixture(scope="module")
def base():
    found = panel(n_examples=60, n_instructions=6)
    values = (np.random.default_rng(1).random(found.table.values.shape) < 0.8).astype(float)
    values[2] = values[0] * (np.arange(60) % 2)
    values[3] = 1.0
    return changed(found, values)


def result_of(base, under=(), over=()):
    return conclude(base, parse_criteria(under, over), base.table.instructions[0])


def test_harmful_and_better_wordings_are_found_with_intervals_that_hold_together(base):
    result = result_of(base, ["worst=0.7"], ["flip=0.9"])
    names = [item.rpartition("/")[2] for item in base.table.instructions]
    assert names[2] in result.harmful
    assert names[3] in result.better
    assert result.wordings[0].id == names[3]
    own = next(item for item in result.wordings if item.id == names[0])
    assert own.difference is None
    assert [decision.met for decision in result.decisions] == [False, True]
    assert not result.passed
    assert result.estimates["yours"].value == pytest.approx(base.table.values[0].mean())


def test_text_json_and_junit_tell_the_same(base):
    effect = Effect("x", "Hurry up!", Estimate(0.2, 0.1, 0.3, 0.95))
    result = replace(result_of(base, ["worst=0.7"], ["flip=0.9"]), effects=(effect,), left_out={"y": "slots: z"})
    text = "\n".join(lines(result))
    assert text.startswith("FAILED")
    assert "worst ≥ 0.7: NOT met" in text
    assert "+20.0 points" in text
    assert "'Hurry up!'" in text
    assert "left out by the gate: 1" in text
    values = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert values["passed"] is False
    assert values["left_out"] == {"y": "slots: z"}
    suite = ET.fromstring(junit(result)).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite.find("testcase/failure").get("message").startswith("worst ≥ 0.7")


def test_without_criteria_a_check_passes(base):
    result = result_of(base)
    assert result.passed
    assert "nothing was asked" in "\n".join(lines(result))


def test_what_leaving_out_a_fragment_changes(base):
    without = changed(base, np.ones_like(base.table.values))
    rows = base.table.instructions
    found = fragment_effects(base, without, [(rows[1], rows[2], "bad words"), (rows[3], rows[3], "no matter")])
    assert [item.fragment for item in found] == ["bad words", "no matter"]
    assert found[0].change.low > 0
    assert found[1].change.value == 0
    assert fragment_effects(base, without, []) == ()


def test_fragments_leave_the_users_sentence_and_the_slots():
    own = "Route the ticket."
    item = Instruction("a", f"Hello! Are you there? {own}\n\n{{{{ input }}}}\n\nUse {{{{ options }}}} only.\nThanks.",
    "x",
                       OutputForm.LABEL)  # fmt: skip
    found = list(fragments(item, own))
    assert {part.text for part in found} == {"Hello!", "Are you there?", "Thanks."}
    for part in found:
        assert part.text not in part.instruction.template
        assert own in part.instruction.template
        assert "{{ input }}" in part.instruction.template
        assert part.instruction.id.startswith("a.without-")
    assert worst_first([0.1, -0.3, -0.1, -0.5], 2) == [3, 1]


def test_simultaneous_intervals_cover_all_rows_together():
    """Twelve rows of 80 examples that share each example's difficulty; 95 % of tables have every true mean inside."""
    generator = np.random.default_rng(0)
    truth = np.linspace(0.4, 0.8, 12)[:, None]
    covered = 0
    for _ in range(400):
        shift = generator.normal(0, 0.15, (1, 80))
        values = (generator.random((12, 80)) < np.clip(truth + shift, 0, 1)).astype(float)
        found = simultaneous(values, resamples=300, seed=int(generator.integers(1 << 30)))
        covered += all(item.low <= float(mean) <= item.high for item, mean in zip(found, truth[:, 0], strict=True))
    assert 0.91 <= covered / 400 <= 0.985


def test_simultaneous_intervals_of_one_row_are_those_of_a_mean():
    values = (np.random.default_rng(3).random((1, 400)) < 0.3).astype(float)
    (found,) = simultaneous(values, resamples=4000)
    half = 1.96 * values.std(ddof=1) / np.sqrt(400)
    assert found.high - found.value == pytest.approx(half, rel=0.06)
    constant, empty = simultaneous(np.array([[1.0, 1.0, 1.0], [np.nan, np.nan, np.nan]]))
    assert (constant.low, constant.high) == (1.0, 1.0)
    assert np.isnan(empty.value)
