"""The run folder: whole or not at all, one owner a unit, the same table however it was filled."""

from __future__ import annotations

import json
import multiprocessing
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.errors import StoreError
from isophrase.manifest import continued, difference, new_manifest, read_manifest
from isophrase.store import Store, existing_run, open_run
from isophrase.types import Cell, Measurement, Score

IDENTITY = {"config": {"seed": 0, "tasks": ["a", "b"]}, "models": {"m": {"fingerprint": "12"}}}


@pytest.fixture
def store(tmp_path) -> Store:
    return open_run(tmp_path / "run", new_manifest("r", IDENTITY), {"asked": []})


def scores(task: str, count: int = 4) -> list[Score]:
    return [
        Score(
            Cell("m", task, f"i{index % 2}", f"e{index}", 0, "plain", 0, "float32"),
            Measurement((-1.5 * index, -2.0), (1, 2), (3, 4)) if index else Measurement(unscored="too long"),
        )
        for index in range(count)
    ]


def test_what_is_written_is_read_back(store):
    store.write("u", scores("t"))
    assert store.scores() == sorted(scores("t"), key=lambda score: score.cell)
    assert set(store.parts()) == {"u"}
    assert store.is_done("u")


def test_generated_text_and_flags_are_read_back(store):
    cell = scores("t", 1)[0].cell
    written = [Score(cell, Measurement(text='né "x"\n', merged=True))]
    store.write("u", written)
    assert store.scores() == written


def test_panels_tell_tasks_apart_and_scores_can_be_asked_for_one(store):
    store.write("u", scores("t") + scores("s"))
    assert [key.task for key in store.panels()] == ["s", "t"]
    assert {score.cell.task for score in store.scores(store.panels()[1])} == {"t"}


def test_a_run_without_scores_is_empty(store):
    assert (store.scores(), store.panels(), store.parts()) == ([], [], {})


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(4)))
def test_the_table_does_not_depend_on_the_order_of_writing(tmp_path_factory, order):
    store = open_run(tmp_path_factory.mktemp("run"), new_manifest("r", IDENTITY), {})
    for index in order:
        store.write(f"u{index}", scores(f"t{index}"))
    assert store.scores() == sorted((s for index in range(4) for s in scores(f"t{index}")), key=lambda s: s.cell)


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_truncated_part_is_named_set_aside_and_its_unit_is_free_again(store, kept):
    store.write("u", scores("t"))
    path = store.parts()["u"]
    content = path.read_bytes()
    path.write_bytes(content[:kept])
    (damaged,) = store.check_parts()
    assert damaged.part == path.name
    assert damaged.set_aside.read_bytes() == content[:kept]
    assert not store.is_done("u")
    with store.claim("u") as ours:
        assert ours


def test_a_flipped_bit_anywhere_is_found(store):
    store.write("u", scores("t", 60))
    path = store.parts()["u"]
    content = path.read_bytes()
    for position in random.Random(0).sample(range(len(content)), 40):
        flipped = bytearray(content)
        flipped[position] ^= 0x40
        path.write_bytes(flipped)
        assert len(store.check_parts()) == 1, position


def test_a_leftover_of_a_killed_writer_is_ignored_and_removed(store):
    leftover = store.scores_folder / ".u-12ab.parquet.999.tmp"
    leftover.write_bytes(b"half")
    assert not store.is_done("u")
    with store.claim("u") as ours:
        assert ours
    assert not leftover.exists()


def test_a_finished_unit_cannot_be_claimed(store):
    store.write("u", scores("t"))
    with store.claim("u") as ours:
        assert not ours


def _hold(folder, started, release):
    with Store(folder).claim("u") as ours:
        assert ours
        started.set()
        release.wait(30)


def test_a_unit_that_another_process_holds_is_not_ours_until_it_dies(store):
    context = multiprocessing.get_context("spawn")
    started, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(store.folder, started, release))
    other.start()
    assert started.wait(30)
    with store.claim("u") as ours:
        assert not ours
    other.kill()
    other.join()
    with store.claim("u") as ours:
        assert ours


def test_a_changed_identity_is_refused_and_every_difference_is_shown(store):
    changed = {"config": {"seed": 1, "tasks": ["a", "c"]}, "models": {"m": {"fingerprint": "12"}}}
    with pytest.raises(StoreError) as caught:
        open_run(store.folder, new_manifest("r", changed), {})
    assert "config.seed: 0 -> 1" in str(caught.value)
    assert 'config.tasks[1]: "b" -> "c"' in str(caught.value)
    assert "--out" in str(caught.value)


def test_another_environment_is_recorded_not_refused(store):
    old = read_manifest(store.folder)
    new = new_manifest("r", IDENTITY)
    other = type(new)(new.name, new.created, new.identity, ({"torch": "9"},), ("note",))
    joined = continued(old, other, store.folder)
    assert joined.environments == (*old.environments, {"torch": "9"})
    assert joined.notes == ("note",)
    assert continued(joined, new, store.folder).environments == joined.environments


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        open_run(tmp_path, new_manifest("r", IDENTITY), {})


def test_an_interrupted_beginning_can_be_begun_again(tmp_path):
    for name in ("scores", "locks"):
        (tmp_path / name).mkdir()
    (tmp_path / ".manifest.json.123.tmp").write_text("{")
    assert open_run(tmp_path, new_manifest("r", IDENTITY), {}).parts() == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "none in"), ("{", "JSONDecodeError"), ("{}", "KeyError"), (json.dumps({"format": 99}), "format 99")],
)
def test_an_unreadable_manifest_is_one_clear_error(tmp_path, content, words):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match=words):
        existing_run(tmp_path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
def test_differences_are_empty_exactly_when_values_are_equal(left, right):
    def empty_is_nothing(value):
        if isinstance(value, dict):
            kept = {key: empty_is_nothing(item) for key, item in value.items()}
            return {key: item for key, item in kept.items() if item is not None}
        return [empty_is_nothing(item) for item in value] if isinstance(value, list) else value

    assert not list(difference(left, left))
    if empty_is_nothing(left) != empty_is_nothing(right):
        assert list(difference(left, right))
