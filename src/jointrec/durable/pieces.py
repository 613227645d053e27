"""Long arrays, made piece by piece, in files that nobody sees.

The pages of such a file belong to the system, which may write them out when it needs the room.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

PIECE = 524_288
"""How many rows are made or read at a time; an array of more is long."""


def pieces_of(rows: int) -> Iterator[slice]:
    """All rows, piece by piece.

    >>> list(pieces_of(PIECE + 1)) == [slice(0, PIECE), slice(PIECE, PIECE + 1)]
    True
    """
    for start in range(0, rows, PIECE):
        yield slice(start, min(start + PIECE, rows))


def array_of(rows: int, kind: Any) -> np.ndarray:
    """An array to be filled. A long one is in a file where the system keeps what is temporary,
    unlinked already: it goes when nobody needs it."""
    if rows <= PIECE:
        return np.empty(rows, kind)
    with tempfile.TemporaryFile() as file:
        # Not `np.memmap` any longer: a plain array, whose slices are plain as well.
        return np.asarray(np.memmap(file, mode="w+", dtype=kind, shape=(rows,)))


def collected(parts: Iterable[np.ndarray], room: np.ndarray) -> np.ndarray:
    """What parts hold, one after another.

    :param room: Where it is put; it has at least as many rows.

    >>> collected(iter([np.array([3.0]), np.array([4.0, 5.0])]), np.empty(8))
    array([3., 4., 5.])
    """
    end = 0
    for some in parts:
        room[end : end + len(some)] = some
        end += len(some)
    return room[:end]
