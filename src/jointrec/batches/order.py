"""Which rows come when: how many passes a grain gets in an epoch, and in which order.

An epoch is one pass over every grain, so that early stopping looks at each as often as its rows
were seen: a small grain that is passed more often is learned by heart between two looks. Only a
grain of fewer than :data:`FEWEST_TAKEN` rows is passed as often as gives that many, for it would
hardly be learned from otherwise. Every step sees every grain, unless it is learned by whole lists
and there are fewer of them than steps (see `jointrec.batches.lists`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from jointrec.durable import collected

FEWEST_TAKEN = 4_000
"""A grain of fewer rows is passed in an epoch until it has given at least so many."""
BLOCK = 8
"""Rows that stay together when rows are shuffled: lists shown together share their encoding."""

NEAR = 4_096
"""Rows of a large grain that are read together: eight here and eight there, of arrays that memory
does not hold, would be read a hundred times as slowly."""
WINDOW = 1 << 20
"""So many rows, of stretches of :data:`NEAR` from anywhere, are shuffled at a time: some hundreds
of megabytes, which the system keeps while they are needed."""
LARGE = 4 * WINDOW
"""From so many rows on a grain is shuffled so; a smaller one as a whole."""

FEWEST_STEPS = 64
FEWEST_ROWS = 128
"""An epoch has at least so many steps, as long as each can have at least so many rows."""


def taken(sizes: Sequence[int], rows: int) -> tuple[int, tuple[int, ...]]:
    """The steps of an epoch, and how many rows of each grain the whole epoch takes.

    A grain is passed once, or in whole passes until it has given 4,000 rows, and gives every step
    at least one row.

    :param sizes: The rows of each grain; 0 takes no part.
    :param rows: Rows of one step, over all grains, at most (but for the one that each grain gives).

    >>> taken([1_000_000, 250_000, 10_000], 4096)
    (308, (1000000, 250000, 10000))
    """
    if not any(sizes):
        return 0, tuple(0 for _ in sizes)
    wanted = [
        size * -(-FEWEST_TAKEN // size) if 0 < size < FEWEST_TAKEN else size for size in sizes
    ]
    rows = min(rows, max(FEWEST_ROWS, sum(wanted) // FEWEST_STEPS))
    steps = -(-sum(wanted) // rows)
    return steps, tuple(max(want, steps) if want else 0 for want in wanted)


class Stream:
    """A stretch of an endless stream over ``size`` rows: one shuffled pass after another.

    Every pass holds every row once, in an order of its own; blocks of neighbours stay together, and
    of a large grain they come window by window (:func:`shuffled`). In memory is the order of the
    blocks: about a byte a row.

    :param start: Where in the stream the stretch begins, so that an epoch goes on where the one
        before it ended.
    :param count: How many rows the stretch has.
    """

    def __init__(self, size: int, start: int, count: int, seed: Sequence[int]) -> None:
        self._size, self._count = size, count
        first, last = start // size, -(-(start + count) // size)
        self._begin = start - first * size
        self._passes = [
            _Pass(size, np.random.default_rng([*seed, number])) for number in range(first, last)
        ]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: slice) -> Int64[np.ndarray, "part"]:
        """Some rows of the stretch.

        >>> sorted(Stream(5, 0, 5, [0])[0:5].tolist())
        [0, 1, 2, 3, 4]
        """
        start, stop, _ = part.indices(self._count)
        start, stop = start + self._begin, stop + self._begin
        found = [
            one.rows(max(start - before, 0), min(stop - before, self._size))
            for number, one in enumerate(self._passes)
            if start < (before := number * self._size) + self._size and before < stop
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *found])


class _Pass:
    """Every row once, in blocks. The first block is cut at random: no two rows always meet."""

    def __init__(self, size: int, chance: np.random.Generator) -> None:
        self._size = size
        self._shift = int(chance.integers(BLOCK))
        self._blocks = shuffled(-(-(size + self._shift) // BLOCK), chance)
        # All blocks are whole but two: the first, and the last.
        missing = (self._shift, len(self._blocks) * BLOCK - self._shift - size)
        self._short = [
            (int(np.flatnonzero(self._blocks == block)[0]), rows)
            for block, rows in zip((0, len(self._blocks) - 1), missing, strict=True)
            if rows
        ]

    def rows(self, start: int, stop: int) -> Int64[np.ndarray, "part"]:
        """The rows at some places of the order."""
        first = start // BLOCK
        last = (stop + sum(rows for _, rows in self._short)) // BLOCK + 1
        blocks = self._blocks[first:last]
        found = (blocks[:, None] * BLOCK + np.arange(BLOCK) - self._shift).ravel()
        found = found[(found >= 0) & (found < self._size)]
        before = first * BLOCK - sum(rows for place, rows in self._short if place < first)
        return found[start - before : stop - before]


def shuffled(blocks: int, chance: np.random.Generator) -> Int64[np.ndarray, "blocks"]:
    """The order of some blocks of :data:`BLOCK` rows.

    Where they are many, stretches of neighbours are shuffled, so many of them as make a window are
    put together, and the blocks of each window are shuffled. What a step reads then lies in
    a few hundred places, and is read once.
    """
    if blocks * BLOCK < LARGE:
        return chance.permutation(blocks)
    near, many = NEAR // BLOCK, WINDOW // NEAR
    stretches = chance.permutation(-(-blocks // near))

    def window(first: int) -> Int64[np.ndarray, "some"]:
        some = (stretches[first : first + many, None] * near + np.arange(near)).ravel()
        return chance.permutation(some[some < blocks])

    windows = map(window, range(0, len(stretches), many))
    return collected(windows, np.empty(blocks, np.int64))


def stream_of_lists(
    size: int, start: int, count: int, seed: Sequence[int], starts: Int64[np.ndarray, "lists"]
) -> Int64[np.ndarray, "count"]:
    """What :class:`Stream` is, of rows that stand list by list: no block cuts a list.

    :param starts: Where lists begin.
    """
    first, last = start // size, -(-(start + count) // size)
    passes = [
        _lists_shuffled(size, np.random.default_rng([*seed, number]), starts)
        for number in range(first, last)
    ]
    begin = start - first * size
    return np.concatenate([*passes, np.zeros(0, dtype=np.int64)])[begin : begin + count]


def _lists_shuffled(
    size: int, chance: np.random.Generator, starts: Int64[np.ndarray, "lists"]
) -> Int64[np.ndarray, "size"]:
    """Every row once, in blocks of whole lists: those that begin in the same block of rows."""
    shift = int(chance.integers(BLOCK))
    begins = starts[np.flatnonzero(np.diff((starts + shift) // BLOCK, prepend=-1))]
    blocks = shuffled(len(begins), chance)
    lengths = np.diff(begins, append=size)[blocks]
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins[blocks] - before, lengths) + np.arange(size)
