"""The planner: sequences of tokens become a tree, and the tree becomes packs of bounded size.

Knows tokens, depths and what each token may see. Pure, deterministic and lazy: it holds one pack at a time. Does not
know tensors, models or why something is scored.

The tree is never built. Sorted sequences visit it depth first, and each adds only the tokens behind what it shares
with the one before; this stream of tokens is cut into packs of exactly the budget. In such a stream a token's
descendants follow it without a gap, so one number for each token, where its descendants end, is the whole ancestor
mask.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isophrase.engine.seam import Tokens, common

Integers = NDArray[np.int64]

FOREVER = int(np.iinfo(np.int64).max)
"""The end of a key that every later token of its pack sees."""


@dataclass(frozen=True)
class Pack:
    """Tokens that one forward pass computes. Its keys are those inherited from the pack before, then its own tokens.

    Attributes:
        tokens: Token ids, [size].
        positions: Where each token stands in its sequence, virtual tokens counted: [size].
        inherited: The keys of the pack before that this pack's first token descends from: key indexes, by position.
        ends: For each key, the token index at which its descendants end: token t sees key k exactly if
            k - len(inherited) <= t < ends[k]. Shape [len(inherited) + size].
        starts: Token indexes where a branch begins, ascending, 0 among them.
        asked: Token indexes whose next token is asked for, ascending; equal ones once for each who asks.
        askers: For each entry of `asked`, the index of the sequence that asks and its column: [len(asked), 2].
    """

    tokens: Integers
    positions: Integers
    inherited: Integers
    ends: Integers
    starts: Integers
    asked: Integers
    askers: Integers

    @property
    def size(self) -> int:
        return len(self.tokens)

    @property
    def key_positions(self) -> Integers:
        """Position of each key. Ancestors of one token stand at 0, 1, 2, ..."""
        return np.concatenate([np.arange(len(self.inherited)), self.positions])


@dataclass(frozen=True)
class _Branch:
    """Tokens that one sequence adds to the stream.

    Attributes:
        first: Index of the first of them in the stream.
        depth: Column of the first of them in the sequence.
        tokens: The tokens.
    """

    first: int
    depth: int
    tokens: Tokens


@dataclass(frozen=True)
class _Asked:
    """Who asks for the token behind which place of the stream, by place."""

    places: Integers
    askers: Integers

    def between(self, start: int, stop: int) -> tuple[Integers, Integers]:
        low, high = np.searchsorted(self.places, [start, stop])
        return self.places[low:high] - start, self.askers[low:high]


def plan(
    sequences: Sequence[Tokens], columns: Sequence[Sequence[int]], budget: int, *, virtual: int = 0
) -> Iterator[Pack]:
    """The packs that compute every distinct beginning of the sequences once.

    Args:
        sequences: Token sequences, each of at least one token.
        columns: For each sequence the columns whose next token is asked for.
        budget: Tokens in a pack; only the last one may be shorter.
        virtual: Tokens that stand in front of all sequences; the first pack inherits them as its keys 0 to virtual - 1.

    Yields:
        Packs in the order in which they have to be computed.
    """
    order = sorted(range(len(sequences)), key=sequences.__getitem__)
    shared = _shared(sequences, order)
    asked = _resolve(sequences, columns, order, shared)
    draft = _Draft(0, np.arange(-virtual, 0), np.arange(virtual))
    path = np.arange(-virtual, max((len(tokens) for tokens in sequences), default=0))
    known = virtual  # valid entries of `path`, which holds the stream index of every token from the root on
    for branch in _branches(sequences, order, shared):
        done = 0
        while done < len(branch.tokens):
            fork, first = virtual + branch.depth + done, branch.first + done
            if first == draft.first + budget:
                yield draft.pack(asked)
                draft = draft.next(path[:fork].copy())
                known = fork
            taken = min(len(branch.tokens) - done, draft.first + budget - first)
            draft.add(branch.tokens[done : done + taken], fork, path[fork:known])
            path[fork : fork + taken] = np.arange(first, first + taken)
            known = fork + taken
            done += taken
    if draft.tokens:
        yield draft.pack(asked)


def places(sequences: Sequence[Tokens]) -> list[Integers]:
    """For each sequence, where in the stream of `plan` each of its tokens stands: [length]."""
    order = sorted(range(len(sequences)), key=sequences.__getitem__)
    found: dict[int, Integers] = {}
    path = np.empty(0, dtype=np.int64)
    for index, branch in zip(order, _branches(sequences, order, _shared(sequences, order)), strict=True):
        own = np.arange(branch.first, branch.first + len(branch.tokens))
        path = found[index] = np.concatenate([path[: branch.depth], own])
    return [found[index] for index in range(len(sequences))]


class _Draft:
    """The pack that is being filled.

    Args:
        first: Stream index of its first token.
        ancestors: Stream index of every inherited key, ascending.
        inherited: Their key indexes in the pack before.
    """

    def __init__(self, first: int, ancestors: Integers, inherited: Integers) -> None:
        self.first = first
        self.tokens: list[int] = []
        self._ancestors = ancestors
        self._inherited = inherited
        self._positions: list[Integers] = []
        self._starts: list[int] = []
        self._ended: list[tuple[Integers, int]] = []

    def add(self, tokens: Tokens, position: int, left: Integers) -> None:
        """Appends a branch that starts at a position; the keys `left` (stream indexes) have no further descendants."""
        here = len(self.tokens)
        if len(left):
            self._ended.append((self._keys(left), here))
        self._starts.append(here)
        self._positions.append(np.arange(position, position + len(tokens)))
        self.tokens.extend(tokens)

    def _keys(self, indexes: Integers) -> Integers:
        """Key indexes in this pack of ancestors or own tokens, given by their stream indexes."""
        own = len(self._ancestors) + indexes - self.first
        return np.where(indexes >= self.first, own, np.searchsorted(self._ancestors, indexes))

    def next(self, ancestors: Integers) -> _Draft:
        """The draft of the pack behind this one, whose first token has these ancestors."""
        return _Draft(self.first + len(self.tokens), ancestors, self._keys(ancestors))

    def pack(self, asked: _Asked) -> Pack:
        ends = np.full(len(self._ancestors) + len(self.tokens), FOREVER)
        for keys, end in self._ended:
            ends[keys] = end
        places, askers = asked.between(self.first, self.first + len(self.tokens))
        return Pack(
            np.array(self.tokens),
            np.concatenate(self._positions),
            self._inherited,
            ends,
            np.array(self._starts),
            places,
            askers,
        )


def _shared(sequences: Sequence[Tokens], order: Sequence[int]) -> list[int]:
    """For each sequence in order, the number of tokens that it shares with the one before."""
    before: Tokens = ()
    counts = []
    for index in order:
        counts.append(common(before, sequences[index]))
        before = sequences[index]
    return counts


def _branches(sequences: Sequence[Tokens], order: Sequence[int], shared: Sequence[int]) -> Iterator[_Branch]:
    first = 0
    for index, depth in zip(order, shared, strict=True):
        tokens = sequences[index][depth:]
        yield _Branch(first, depth, tokens)
        first += len(tokens)


def _resolve(
    sequences: Sequence[Tokens], columns: Sequence[Sequence[int]], order: Sequence[int], shared: Sequence[int]
) -> _Asked:
    """Finds the place of every column that is asked for, which may be on a branch of an earlier sequence."""
    depths: list[int] = []
    firsts: list[int] = []
    found: list[tuple[int, int, int]] = []
    first = 0
    for index, depth in zip(order, shared, strict=True):
        while depths and depths[-1] >= depth:
            depths.pop()
            firsts.pop()
        depths.append(depth)
        firsts.append(first)
        for column in columns[index]:
            owner = bisect_right(depths, column) - 1
            found.append((firsts[owner] + column - depths[owner], index, column))
        first += len(sequences[index]) - depth
    found.sort()
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return _Asked(table[:, 0], table[:, 1:])
