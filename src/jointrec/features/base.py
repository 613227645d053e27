"""The contract of a feature: how one column is learned, encoded and read.

A feature is frozen data. It learns its state (a vocabulary, a scale) from training rows only, as
JSON, and encodes a column with that state into one of three forms:

- :class:`Ids`: one row of the fused embedding table per value; 0 is the unknown or missing value.
- :class:`Bags`: any number of table rows per value; their vectors are averaged.
- :class:`Numbers`: ``k`` float32 numbers per value, finite, of the order of 1.

What depends on the moment at which a question is asked (an age) is encoded by :class:`Dated`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64

State = Mapping[str, Any]
"""What a feature learned, as JSON can hold it."""

CellName = Literal["id", "text", "number", "time", "flag", "list"]


@dataclass(frozen=True)
class Ids:
    """One table row per value. 0 means unknown or missing."""

    values: Int64[np.ndarray, "rows"]


@dataclass(frozen=True)
class Bags:
    """Any number of table rows per value.

    Those of row ``i`` are ``values[offsets[i] : offsets[i + 1]]``.
    """

    values: Int64[np.ndarray, "total"]
    offsets: Int64[np.ndarray, "rows_and_one"]


@dataclass(frozen=True)
class Numbers:
    """``k`` numbers per value. A missing value is 0, with a flag of its own among the numbers where
    training rows lack some."""

    values: Float32[np.ndarray, "rows k"]


@dataclass(frozen=True)
class Dated:
    """Times in µs since 1970 UTC that become numbers once the moment is known.

    The smallest int64 stands for a missing time.
    """

    values: Int64[np.ndarray, "rows"]


Encoded = Ids | Bags | Numbers | Dated
"""Any of the forms that a column is encoded in."""


class Feature(ABC):
    """What a column holds and how the network reads it."""

    cell: ClassVar[CellName]
    """How the source reads the column: ids and text as strings, numbers as float64, times as µs."""
    single: ClassVar[bool] = False
    """Whether a value is one row of the table (:class:`Ids`) and not any number (:class:`Bags`)."""
    dated: ClassVar[bool] = False
    """Whether it is encoded as :class:`Dated`, to become numbers once the moment is known."""

    @abstractmethod
    def learn(self, values: pl.Series) -> State:
        """The state, learned from training values. Must survive a round trip through JSON."""

    @abstractmethod
    def encode(self, values: pl.Series, state: State) -> Encoded:
        """Any values, seen or unseen, in the form that the network reads."""

    def table_rows(self, state: State) -> int:
        """How many rows of the fused embedding table the column needs. 0 for numbers."""
        return 0

    def num_numbers(self, state: State) -> int:
        """How many numbers a value becomes. 0 for ids and bags."""
        return 0

    def at(
        self, times: Int64[np.ndarray, "rows"], moments: Int64[np.ndarray, "rows"], state: State
    ) -> Float32[np.ndarray, "rows k"]:
        """The numbers of a :class:`Dated` column at given moments. Only for such columns."""
        raise TypeError(f"{type(self).__name__} does not depend on the moment.")
