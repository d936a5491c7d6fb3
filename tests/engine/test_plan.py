"""The planner and the grouping of queries: pure, so tested against the definition on random trees."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.engine.blocks import blocks
from isophrase.engine.plan import Pack, places, plan

Sequences = list[tuple[int, ...]]

# Few different tokens, so that sequences share beginnings, are prefixes of each other and repeat.
sequences = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=9).map(tuple), min_size=1, max_size=12)
budgets = st.integers(1, 40)
virtuals = st.integers(0, 3)


def all_columns(found: Sequences) -> list[list[int]]:
    return [list(range(len(sequence))) for sequence in found]


def prefixes(pack: Pack, before: list[tuple[int, ...]], virtual: int) -> list[tuple[int, ...]]:
    """What each key of the pack has read, itself included, by what the pack says that it sees."""
    inherited = [before[key] for key in pack.inherited]
    found = list(inherited)
    for token in range(pack.size):
        keys = [k for k in range(len(inherited) + token) if pack.ends[k] > token]
        own = [pack.tokens[k - len(inherited)] if k >= len(inherited) else found[k][-1] for k in keys]
        found.append((*map(int, own), int(pack.tokens[token])))
    return found


def walked(found: Sequences, budget: int, virtual: int) -> Iterator[tuple[Pack, list[tuple[int, ...]]]]:
    before: list[tuple[int, ...]] = [tuple(range(-virtual, place + 1 - virtual)) for place in range(virtual)]
    for pack in plan(found, all_columns(found), budget, virtual=virtual):
        before = prefixes(pack, before, virtual)
        yield pack, before


@settings(max_examples=300, deadline=None)
@given(sequences, budgets, virtuals)
def test_every_distinct_prefix_is_computed_exactly_once(found: Sequences, budget: int, virtual: int) -> None:
    front = tuple(range(-virtual, 0))
    computed = [prefix for pack, known in walked(found, budget, virtual) for prefix in known[len(pack.inherited) :]]
    wanted = {front + sequence[: size + 1] for sequence in found for size in range(len(sequence))}
    assert sorted(computed) == sorted(wanted)


@settings(max_examples=300, deadline=None)
@given(sequences, budgets, virtuals)
def test_every_asker_is_answered_where_exactly_its_tokens_have_been_read(
    found: Sequences, budget: int, virtual: int
) -> None:
    front = tuple(range(-virtual, 0))
    answered = []
    for pack, known in walked(found, budget, virtual):
        assert list(pack.asked) == sorted(pack.asked)
        for place, (row, column) in zip(pack.asked, pack.askers, strict=True):
            assert known[len(pack.inherited) + place] == front + found[row][: column + 1]
            answered.append((int(row), int(column)))
    assert sorted(answered) == [(row, column) for row in range(len(found)) for column in range(len(found[row]))]


@settings(max_examples=200, deadline=None)
@given(sequences, budgets, virtuals)
def test_packs_are_full_but_for_the_last_and_positions_count_ancestors(
    found: Sequences, budget: int, virtual: int
) -> None:
    packs = list(walked(found, budget, virtual))
    assert all(pack.size == budget for pack, _ in packs[:-1])
    assert 1 <= packs[-1][0].size <= budget
    for pack, known in packs:
        assert [len(prefix) - 1 for prefix in known] == list(pack.key_positions)
        assert len(pack.inherited) == pack.positions[0]


@settings(max_examples=200, deadline=None)
@given(sequences, budgets, st.integers(1, 12))
def test_blocks_cover_the_pack_and_see_what_the_pack_says(found: Sequences, budget: int, size: int) -> None:
    for pack in plan(found, all_columns(found), budget, virtual=2):
        covered = []
        inherited = len(pack.inherited)
        for block in blocks(pack, size):
            covered += range(block.start, block.stop)
            assert block.stop - block.start <= max(size + size // 2, 1)
            seen = np.zeros((block.stop - block.start, inherited + pack.size), dtype=bool)
            seen[:, block.keys] = block.visible
            for query in range(block.start, block.stop):
                expected = [k - inherited <= query < pack.ends[k] for k in range(inherited + pack.size)]
                assert list(seen[query - block.start]) == expected
                distance = block.distance[query - block.start][block.visible[query - block.start]]
                assert sorted(distance) == list(range(pack.positions[query] + 1))
        assert covered == list(range(pack.size))


@given(sequences)
def test_places_are_indexes_into_the_stream(found: Sequences) -> None:
    stream = np.concatenate([pack.tokens for pack in plan(found, all_columns(found), 5)])
    for sequence, place in zip(found, places(found), strict=True):
        assert tuple(stream[place]) == sequence


@given(sequences, budgets)
def test_the_plan_does_not_depend_on_the_order_of_the_sequences(found: Sequences, budget: int) -> None:
    one = [pack.tokens.tolist() for pack in plan(found, all_columns(found), budget)]
    other = [pack.tokens.tolist() for pack in plan(found[::-1], all_columns(found[::-1]), budget)]
    assert one == other


def test_planning_is_lazy() -> None:
    packs = plan([(1, 2, 3), (1, 2, 4)], [[2], [2]], 1)
    assert next(packs).tokens.tolist() == [1]
    assert next(packs).tokens.tolist() == [2]
