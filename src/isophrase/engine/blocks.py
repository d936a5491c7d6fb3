"""How the queries of a pack are grouped for attention, and which keys a group needs.

Knows a pack's tree shape. A group needs only its ancestors and itself, so attention costs what the tree costs and
not the square of the pack. Pure. Does not know tensors or models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isophrase.engine.plan import Integers, Pack


@dataclass(frozen=True)
class Block:
    """Consecutive queries of a pack with the keys that any of them sees.

    Attributes:
        start: First token index.
        stop: One past the last token index.
        keys: Key indexes: the ancestors of the first token, then the block's own tokens.
        visible: Which query sees which key, [stop - start, len(keys)].
        distance: Position of the query minus position of the key, same shape.
    """

    start: int
    stop: int
    keys: Integers
    visible: NDArray[np.bool_]
    distance: Integers


def blocks(pack: Pack, size: int) -> Iterator[Block]:
    """The pack's queries in blocks of about `size` tokens, cut where few ancestors are shared.

    Args:
        pack: What to group.
        size: Wanted number of queries; a block has between half and one and a half times as many, but for the last.
    """
    inherited = len(pack.inherited)
    positions = pack.key_positions
    for start, stop in _cuts(pack, size):
        ancestors = np.flatnonzero(pack.ends[: inherited + start] > start)
        keys = np.concatenate([ancestors, np.arange(inherited + start, inherited + stop)])
        queries = np.arange(start, stop)[:, None]
        visible = (keys - inherited <= queries) & (queries < pack.ends[keys])
        yield Block(start, stop, keys, visible, pack.positions[start:stop, None] - positions[keys])


def _cuts(pack: Pack, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of queries. A cut at a branch near the root keeps the ancestors of the next block few."""
    start = 0
    depths = pack.positions[pack.starts]
    while pack.size - start > size + size // 2:
        low, high = np.searchsorted(pack.starts, [start + max(1, size // 2), start + size + size // 2])
        stop = start + size
        if low < high:
            shallowest = np.flatnonzero(depths[low:high] == depths[low:high].min())[-1]
            stop = int(pack.starts[low + shallowest])
        yield start, stop
        start = stop
    yield start, pack.size
