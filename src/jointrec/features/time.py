"""A column of times, read as an age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64

from jointrec.labels import DAY

from .base import Dated, Feature, State

MISSING = int(np.iinfo(np.int64).min)
"""Stands for a missing time."""
YEAR = float(np.log1p(365.0))


@dataclass(frozen=True)
class Time(Feature):
    """A column of times: first seen, listed, last restocked. It is read as how long ago that was.

    Two numbers: ``log(1 + age in days) / log(366)``, so that a year is 1, and a flag that is 1
    where there is no age, because the time is missing or not before the moment. The two are one
    case on purpose: what will happen later is not known at the moment, not even that it will.

    >>> times = Time().encode(pl.Series([0, 366 * DAY, None], dtype=pl.Int64), {})
    >>> Time().at(times.values, np.full(3, 365 * DAY), {}).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """

    cell: ClassVar[Literal["time"]] = "time"
    dated: ClassVar[bool] = True

    def learn(self, values: pl.Series) -> State:
        return {}

    def encode(self, values: pl.Series, state: State) -> Dated:
        times = values.cast(pl.Datetime("us")) if values.dtype.is_temporal() else values
        return Dated(times.cast(pl.Int64).fill_null(MISSING).to_numpy(writable=True))

    def num_numbers(self, state: State) -> int:
        return 2

    def at(
        self, times: Int64[np.ndarray, "rows"], moments: Int64[np.ndarray, "rows"], state: State
    ) -> Float32[np.ndarray, "rows 2"]:
        past = (times != MISSING) & (times < moments)
        # As floats, for the time between the first and the last int64 is none itself.
        since = np.where(past, moments.astype(np.float64) - times, 0.0)
        return np.stack([np.log1p(since / DAY) / YEAR, ~past], axis=1).astype(np.float32)
