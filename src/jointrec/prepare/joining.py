"""One key for all that the rows of two tables have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Int64


def joined(
    frame: pl.DataFrame, codes: Mapping[str, Int64[np.ndarray, "rows"]], shared: Sequence[str]
) -> tuple[Int64[np.ndarray, "events"], Int64[np.ndarray, "rows"]]:
    """The keys of the rows of an event and of those that ask: equal where all entities are.

    :param frame: The rows of the event, with the code of each entity in ``@entity``.
    :param codes: For each entity its code in the rows that ask; 0 where it is unknown.
    :param shared: The entities that both have.
    :returns: Both; −1 where any of the entities is unknown.

    >>> frame = pl.DataFrame({"@user": [1, 1, 0], "@item": [5, 6, 5]})
    >>> joined(frame, {"user": np.array([1]), "item": np.array([6])}, ["user", "item"])
    (array([12, 13, -1]), array([13]))
    """
    columns = [np.concatenate([frame[f"@{name}"].to_numpy(), codes[name]]) for name in shared]
    keys = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if int(keys.max(initial=0)) >= 2**62 // (int(column.max(initial=0)) + 1):
            keys = np.unique(keys, return_inverse=True)[1]
        keys = keys * (int(column.max(initial=0)) + 1) + column
    keys = np.where(np.all([column > 0 for column in columns], axis=0), keys, -1)
    return keys[: len(frame)], keys[len(frame) :]
