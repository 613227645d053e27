"""Which rows come when: how many passes a grain gets in an epoch, and in which order.

An epoch is one pass over the largest grain. Rows are drawn from a grain in proportion to the square
root of its size, so a smaller grain is passed more often than once; but no more than
:data:`MOST_PASSES` times in an epoch, so that a grain of ten thousand rows is not learned by heart
beside one of a million. Only a grain of fewer than :data:`FEWEST_TAKEN` rows is passed as often as
gives that many, for it would hardly be learned from otherwise; early stopping looks after it. Every
step sees every grain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

POWER = 0.5
MOST_PASSES = 2.0
FEWEST_TAKEN = 4_000
"""A grain of fewer rows is passed in an epoch until it has given at least so many."""
BLOCK = 8
"""Rows that stay together when rows are shuffled: lists shown together share their encoding."""

FEWEST_STEPS = 64
FEWEST_ROWS = 128
"""An epoch has at least so many steps, as long as each can have at least so many rows."""


def taken(sizes: Sequence[int], rows: int) -> tuple[int, tuple[int, ...]]:
    """The steps of an epoch, and how many rows of each grain the whole epoch takes.

    A grain of ``n`` rows beside a largest one of ``m`` is passed ``min((m / n) ** 0.5, 2)`` times,
    or in whole passes until it has given 4,000 rows, and gives every step at least one row.

    :param sizes: The rows of each grain; 0 takes no part.
    :param rows: Rows of one step, over all grains, at most (but for the one that each grain gives).

    >>> taken([1_000_000, 250_000, 10_000], 4096)
    (372, (1000000, 500000, 20000))
    """
    most = max(sizes, default=0)
    if most == 0:
        return 0, tuple(0 for _ in sizes)
    wanted = [_wanted(size, most) if size else 0 for size in sizes]
    rows = min(rows, max(FEWEST_ROWS, sum(wanted) // FEWEST_STEPS))
    steps = -(-sum(wanted) // rows)
    return steps, tuple(max(want, steps) if want else 0 for want in wanted)


def _wanted(size: int, most: int) -> int:
    """How many rows of a grain an epoch takes, if every step gives it room."""
    if size < FEWEST_TAKEN:
        passes: float = -(-FEWEST_TAKEN // size)
    else:
        passes = min((most / size) ** POWER, MOST_PASSES)
    return round(passes * size)


def stream(size: int, start: int, count: int, seed: Sequence[int]) -> Int64[np.ndarray, "count"]:
    """A stretch of an endless stream over ``size`` rows: one shuffled pass after another.

    Every pass holds every row once, in an order of its own; blocks of neighbours stay together.

    :param start: Where in the stream the stretch begins, so that an epoch goes on where the one
        before it ended.
    """
    first, last = start // size, -(-(start + count) // size)
    passes = [
        _shuffled(size, np.random.default_rng([*seed, number])) for number in range(first, last)
    ]
    begin = start - first * size
    return np.concatenate([*passes, np.zeros(0, dtype=np.int64)])[begin : begin + count]


def _shuffled(size: int, chance: np.random.Generator) -> Int64[np.ndarray, "size"]:
    """Every row once, in blocks. The first block is cut at random: no two rows always meet."""
    shift = int(chance.integers(BLOCK))
    blocks = chance.permutation(-(-(size + shift) // BLOCK))
    rows = (blocks[:, None] * BLOCK + np.arange(BLOCK) - shift).ravel()
    return rows[(rows >= 0) & (rows < size)].astype(np.int64, copy=False)
