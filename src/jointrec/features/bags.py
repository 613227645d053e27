"""Makes bags: any number of table rows for each row of a column."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from .base import Bags


def bags_of(
    rows: Int64[np.ndarray, "total"], places: Int64[np.ndarray, "total"], *, num_rows: int
) -> Bags:
    """The bags that hold each place once, in ascending order.

    :param rows: The row that each place belongs to, in any order.
    :param places: Rows of the table, from 0.

    >>> bags = bags_of(np.array([2, 0, 0]), np.array([7, 5, 5]), num_rows=3)
    >>> bags.values.tolist(), bags.offsets.tolist()
    ([5, 7], [0, 1, 1, 2])
    """
    size = int(places.max(initial=0)) + 1
    # Rows mostly come in order, which a stable sort makes use of; `unique` would hash.
    pairs = np.sort(rows * size + places, kind="stable")
    first = np.ones(len(pairs), dtype=np.bool_)
    np.not_equal(pairs[1:], pairs[:-1], out=first[1:])
    pairs = pairs[first]
    offsets = np.zeros(num_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(pairs // size, minlength=num_rows), out=offsets[1:])
    return Bags(pairs % size, offsets)


def gather_bags(bags: Bags, rows: Int64[np.ndarray, "rows"]) -> Bags:
    """The bags of some rows, in the order asked.

    >>> two = Bags(np.array([5, 7, 8]), np.array([0, 1, 3]))
    >>> gather_bags(two, np.array([1, 0, 1])).values.tolist()
    [7, 8, 5, 7, 8]
    """
    lengths = np.diff(bags.offsets)[rows]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    shift = np.repeat(bags.offsets[rows] - offsets[:-1], lengths)
    return Bags(bags.values[np.arange(offsets[-1]) + shift], offsets)
