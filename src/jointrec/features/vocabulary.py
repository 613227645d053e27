"""Which values have a row of the embedding table of their own, and which row that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import overload

import numpy as np
import polars as pl
import pyarrow.compute as pc
from jaxtyping import Int64

from jointrec.durable import PIECE, pieces_of

FEW = 4_096
"""Up to so many values are looked up one by one; more at once."""
PLAIN = pl.CompatLevel.oldest()
"""Texts as Arrow has long had them, which it can look up."""


class Words(Sequence[str]):
    """Very many texts in a fifth of the memory that a list of them takes. Equal to such a list.

    >>> words = Words(["red", "blue"])
    >>> words[1], words[:1], len(words), words == ["red", "blue"]
    ('blue', ['red'], 2, True)
    """

    def __init__(self, texts: Sequence[str] | pl.Series) -> None:
        self.column = pl.Series(texts, dtype=pl.String)
        """The texts, in their order."""

    def __len__(self) -> int:
        return len(self.column)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        found = self.column[at]
        return found.to_list() if isinstance(found, pl.Series) else str(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self.column)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and [*self] == [*other]

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"Words({self[:3]!r}, … of {len(self):,})"


def compact(texts: Sequence[str]) -> Sequence[str]:
    """The same texts, as `Words` where they are many."""
    return Words(texts) if len(texts) > FEW else texts


def frequent(values: pl.Series, *, floor: int, size: int | None = None) -> Sequence[str]:
    """The values seen at least ``floor`` times, the most frequent first, equals in order of value.

    :param values: Strings; null is no value.
    :param size: At most so many.

    >>> frequent(pl.Series(["b", "a", "b", "c", "c", None]), floor=1)
    ['b', 'c', 'a']
    """
    often = counted(values).filter(pl.col("len") >= floor)
    kept = often.sort("len", "value", descending=[True, False])
    found = kept["value"].head(size if size is not None else len(kept))
    return Words(found.rechunk()) if len(found) > FEW else found.to_list()


def counted(values: pl.Series) -> pl.DataFrame:
    """How often each value is there, null aside, in no order.

    :param values: Strings. They are counted piece by piece, so that memory holds the different ones
        and not as many as there are rows.

    >>> counted(pl.Series(["b", "a", "b", None])).sort("value").rows()
    [('a', 1), ('b', 2)]
    """
    found: list[pl.DataFrame] = []
    least = 0
    for piece in pieces_of(max(len(values), 1)):
        some = values[piece].cast(pl.String)
        found.append(pl.DataFrame({"value": some}).drop_nulls().group_by("value").len())
        if sum(map(len, found)) > 2 * least + PIECE:
            found = [_together(found)]
            least = len(found[0])
    return _together(found)


def _together(counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The counts of several pieces, added up."""
    if len(counts) == 1:
        return counts[0]
    return pl.concat(counts).group_by("value").agg(pl.col("len").sum())


def numbered(values: pl.Series, known: Sequence[str]) -> Int64[np.ndarray, "rows"]:
    """The place of each value among the known ones, from 1; 0 for all others and for null.

    >>> numbered(pl.Series(["b", "x", None, "a"]), ["a", "b"]).tolist()
    [2, 0, 0, 1]
    """
    if len(values) <= FEW:
        if values.null_count() == len(values):
            return np.zeros(len(values), np.int64)
        place = _places(_Same(known))
        found = [place.get(value, 0) for value in values.cast(pl.String).to_list()]
        return np.array(found, np.int64)
    words = known.column if isinstance(known, Words) else pl.Series(known, dtype=pl.String)
    asked = values.cast(pl.String)
    # Arrow finds texts among others twice as fast as polars joins them.
    found = pc.index_in(
        asked.to_arrow(compat_level=PLAIN), value_set=words.to_arrow(compat_level=PLAIN)
    )
    places: Int64[np.ndarray, "rows"] = found.fill_null(-1).to_numpy(zero_copy_only=False)
    return places.astype(np.int64) + 1


class _Same:
    """A list that equals itself only: what was made of it can be found without reading it."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def __hash__(self) -> int:
        return id(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.names is self.names


@lru_cache(maxsize=64)
def _places(known: _Same) -> dict[str, int]:
    """The place of each name: made once, as a request reads few names of a vocabulary of many."""
    return {name: place for place, name in enumerate(known.names, 1)}
