"""Whether a column tells of a thing: how much of it is known once the thing is."""

from __future__ import annotations

import polars as pl

TELLS = 0.8
"""A column tells of a thing where knowing the thing leaves at most 1 − this to guess."""
FEWEST = 20
"""Of fewer rows nothing is judged."""


def tells(rows: pl.DataFrame, key: str, column: str) -> float:
    """How much of a column is known once the key is: 0 for nothing, 1 for all.

    Goodman and Kruskal's λ: the share of mistakes that are no longer made when one guesses the most
    frequent value of the key's other rows rather than that of all. Keys of one row say nothing.

    >>> rows = pl.DataFrame({"user": ["a", "b"] * 20, "land": ["x", "y"] * 20, "n": range(40)})
    >>> tells(rows, "user", "land"), round(tells(rows, "user", "n"), 3)
    (1.0, 0.026)
    """
    value = pl.col(column).alias("value")
    if isinstance(rows.schema[column], pl.List):
        value = value.cast(pl.List(pl.String)).list.join("|")
    known = rows.select(pl.col(key).alias("key"), value).drop_nulls()
    known = known.filter(pl.len().over("key") > 1)
    if len(known) < FEWEST:
        return 0.0
    guessed = known.group_by("key", "value").len().group_by("key").agg(pl.col("len").max())
    right = int(guessed["len"].sum())
    usual = int(known["value"].value_counts()["count"].max())  # type: ignore[arg-type]
    return (right - usual) / (len(known) - usual) if usual < len(known) else 0.0
