"""Which thing each row names: the place of its key in the table of the things."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from jointrec.prepare.workspace import Workspace

SHARE = 2
"""So many pieces of keys are looked for at a time, at most."""


def places_of(named: pl.Series, keys: pl.Series, workspace: Workspace) -> pl.Series:
    """The place of each value among distinct keys, from 1; 0 where none is equal to it.

    Where keys are many, they are looked for in shares by their hash, so that the places of one
    share alone are in memory; and each share is made once, however many rows there are.

    >>> from jointrec.prepare.workspace import IN_MEMORY
    >>> places_of(pl.Series(["b", None, "x", "a"]), pl.Series(["a", "b"]), IN_MEMORY).to_list()
    [2, 0, 0, 1]
    """
    shares = -(-len(keys) // (SHARE * workspace.piece)) or 1
    if shares == 1:
        known = _table(keys, pl.int_range(1, len(keys) + 1, eager=True))
        pieces = (_found(named[piece], known) for piece in workspace.pieces(len(named)))
        return workspace.joined(pieces, len(named))
    with workspace.scratch() as room:
        of_keys, of_named = _shares(keys, shares, room), _shares(named, shares, room)
        places = room.empty((len(named),), np.int64)
        for share in range(shares):
            own, rows = _rows(of_keys, share, room), _rows(of_named, share, room)
            known = _table(keys.gather(own), own + 1)
            places[rows.to_numpy()] = _found(named.gather(rows), known).to_numpy()
    return pl.Series(pa.array(places))  # without a copy


def _table(keys: pl.Series, places: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"key": keys, "place": places})


def _found(named: pl.Series, known: pl.DataFrame) -> pl.Series:
    """The place of each value, 0 where it is not known."""
    asked = pl.DataFrame({"key": named})
    return asked.join(known, on="key", how="left", maintain_order="left")["place"].fill_null(0)


def _shares(values: pl.Series, shares: int, room: Workspace) -> np.ndarray:
    """The share that each value is looked for in."""
    found = room.empty((len(values),), np.uint16)
    for piece in room.pieces(len(values)):
        found[piece] = (values[piece].hash() % shares).to_numpy()
    return found


def _rows(of: np.ndarray, share: int, room: Workspace) -> pl.Series:
    """The rows of a share."""
    found = [np.flatnonzero(of[piece] == share) + piece.start for piece in room.pieces(len(of))]
    return pl.Series(np.concatenate(found))
