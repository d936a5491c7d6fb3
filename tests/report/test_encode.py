"""The data blocks: what is put in comes out again, small and safe inside a script element."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.report.encode import cut, encode, safe_json
from isophrase.report.html import render_html
from isophrase.report.view import RunView
from isophrase.types import Measurement
from tests.report.reading import decode
from tests.report.synthetic import HEADLINE, PLANS, panel, tiny


@settings(deadline=None)
@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_safe_json_is_json_that_cannot_leave_its_element(value):
    text = safe_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set(text) & set("<>&")


@pytest.mark.parametrize("plan", PLANS[:2], ids=lambda plan: plan.name)
def test_every_cell_with_options_comes_back(plan):
    source = panel(plan)
    (block,) = encode([source])
    text, arrays = decode(block)
    shape = source.table.values.shape
    answers, values = arrays["answer"].reshape(shape), arrays["value"].reshape(shape)
    reasons = {
        (row, column): text["reasons"][reason]
        for row, column, reason in np.array(text["unscored"], int).reshape(-1, 3).tolist()
    }
    start = 0
    for j, example in enumerate(source.examples):
        count = len(example.options)
        logprobs = arrays["logprob"][start : start + count * shape[0]].reshape(count, shape[0])
        start += count * shape[0]
        for i, instruction in enumerate(source.instructions):
            cell = (instruction.id, example.id)
            measured = source.measurements[cell]
            if measured.unscored is not None:
                assert (answers[i, j], values[i, j], reasons[i, j]) == (0, 255, measured.unscored)
                assert not logprobs[:, i].any()
                continue
            assert (i, j) not in reasons
            assert text["answers"][answers[i, j] - 1] == source.chosen[cell]
            assert values[i, j] / 200 == source.table.values[i, j]
            assert arrays["merged"].reshape(shape)[i, j] == measured.merged
            assert -(logprobs[:, i] - 1) * text["step"] == pytest.approx(measured.logprobs, abs=text["step"] / 2)
    assert start == len(arrays["logprob"])


def test_generated_text_comes_back_beside_the_answer():
    source = panel(HEADLINE)
    (block,) = encode([source])
    text, arrays = decode(block)
    generated = arrays["generated"].reshape(source.table.values.shape)
    for i, instruction in enumerate(source.instructions):
        for j, example in enumerate(source.examples):
            written = source.measurements[instruction.id, example.id].text
            assert text["generations"][generated[i, j] - 1] == written
    assert len(arrays["logprob"]) == 0


def test_templates_and_examples_come_back_whole():
    source = panel(PLANS[3])
    text, _ = decode(encode([source])[0])
    assert [item["template"] for item in text["instructions"]] == [item.template for item in source.instructions]
    assert [dict(item["fields"]) for item in text["examples"]] == [dict(item.fields) for item in source.examples]
    assert [tuple(item["gold"]) for item in text["examples"]] == [item.gold for item in source.examples]


def test_extreme_log_probabilities_are_kept_within_the_range_and_missing_cells_are_told():
    source = tiny()
    cells = list(source.measurements)
    measured = {
        cells[0]: Measurement((float("-inf"), -1e9), (1, 1), (5, 4)),
        cells[1]: Measurement((float("nan"), -1.0), (1, 1), (5, 4)),
        cells[2]: Measurement((1e-7, -0.5), (1, 1), (5, 4)),
    }
    text, arrays = decode(encode([replace(source, measurements=measured)])[0])
    logprobs = arrays["logprob"].reshape(2, 2, 2)
    assert logprobs[0, :, 0].tolist() == [65535, 65535]
    assert logprobs[1, :, 0].tolist() == [0, 1001]
    assert logprobs[0, :, 1].tolist() == [1, 501]
    assert text["reasons"] == ["not measured yet"]
    assert text["unscored"] == [1, 1, 0]


def test_a_cut_text_says_how_much_is_missing():
    assert cut("abc", 3) == "abc"
    assert cut("a" * 1503, 3) == "aaa… (1,500 more characters)"


def large(n_instructions, n_examples, n_words):
    """A panel of four options with texts that do not compress like repeated ones."""
    source = panel(PLANS[1], n_instructions=n_instructions, n_examples=n_examples)
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlu"))
    vocabulary = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 9, 4000)]
    examples = tuple(
        replace(item, fields={"input": " ".join(rng.choice(vocabulary, n_words))}) for item in source.examples
    )
    return replace(source, examples=examples)


def test_a_large_run_stays_within_six_megabytes():
    source = large(100, 500, 60)
    view = RunView("large", panels=tuple(replace(source) for _ in range(10)))
    page = render_html(view).encode()
    assert len(page) <= 6_000_000


def test_texts_are_cut_only_where_all_together_are_too_long():
    source = large(2, 400, 2500)
    (small,) = encode([replace(tiny(), examples=tiny(text="x" * 9000).examples)])
    assert len(decode(small)[0]["examples"][0]["fields"][0][1]) == 9000
    (block,) = encode([source])
    assert "more characters)" in decode(block)[0]["examples"][0]["fields"][0][1]
    assert len(block) < 6_000_000


def test_in_a_large_run_shares_among_options_are_right_to_three_points():
    source = panel(PLANS[1], n_instructions=100, n_examples=60)
    copies = [source] * 51
    assert len(copies) * 100 * 60 * 4 > 1_200_000
    text, arrays = decode(encode(copies)[0])
    assert text["relative"]
    codes = arrays["logprob"].reshape(60, 4, 100)
    for i, instruction in enumerate(source.instructions[:10]):
        for j, example in enumerate(source.examples):
            measured = source.measurements[instruction.id, example.id].logprobs
            if not measured:
                continue
            found, expected = -(codes[j, :, i] - 1) * text["step"], np.array(measured)
            shares = [np.exp(item - item.max()) / np.exp(item - item.max()).sum() for item in (found, expected)]
            assert np.abs(shares[0] - shares[1]).max() < 0.03
            assert found.argmax() == expected.argmax() or np.sort(expected)[-2] > expected.max() - 0.1
