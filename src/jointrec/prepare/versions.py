"""Things that change slowly: which of their rows is valid at a moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Int64

from .tables import Tables
from .timeline import Timeline


@dataclass(frozen=True)
class Versions:
    """The versions of an entity, and where they stand among its rows.

    Of ``n`` things, row 0 of :class:`~jointrec.prepare.prepared.Things` is the unknown one, rows
    ``1 … n`` hold what is known of each before its first version (its key), and the versions
    follow, by thing and time.

    :param codes: For each row the code of its thing.
    :param line: The versions by code and time.
    """

    codes: Int64[np.ndarray, "rows"]
    line: Timeline

    @classmethod
    def of(cls, tables: Tables, entity: str) -> Versions | None:
        """The versions of an entity; None where its rows do not change."""
        if entity not in tables.versions:
            return None
        frame, count = tables.versions[entity], len(tables.entities[entity])
        codes = frame["@code"].to_numpy()
        return cls(
            np.concatenate([np.arange(count + 1), codes]),
            Timeline.build(codes, frame["@time"].to_numpy()),
        )

    @property
    def first(self) -> int:
        """The first row that is a version."""
        return len(self.codes) - len(self.line.times)

    def at(
        self, codes: Int64[np.ndarray, "rows"], moments: Int64[np.ndarray, "rows"]
    ) -> Int64[np.ndarray, "rows"]:
        """The row of each thing at a moment: its last version strictly before it, or its key's."""
        span = self.line.before(codes, moments)
        return np.where(span.stop > span.start, self.first + span.stop - 1, codes)


def by_version(frame: pl.DataFrame, said: Collection[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys of clean rows with ``@key`` and ``@time``, and their versions by code and time.

    A row that says the same as the one before it of the same key begins no version.

    :param said: The columns that say something.
    """
    keys = frame.select("@key").unique(maintain_order=True)
    codes = keys.with_columns(pl.int_range(1, pl.len() + 1).alias("@code"))
    versions = (
        frame.join(codes, on="@key", how="left", maintain_order="left")
        .unique(["@code", "@time"], keep="first", maintain_order=True)
        .sort("@code", "@time")
        .select("@code", "@time", *said)
    )
    new = [pl.col(name).ne_missing(pl.col(name).shift()) for name in ("@code", *said)]
    return keys, versions.filter(pl.any_horizontal(*new))
