"""From a stored column to the declared kind of cell: exact, or refused, or null with a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from .base import Cell, kind_of
from .casting import Cast, examples, plain
from .finding import Finding
from .null_words import without_null_marks, without_null_words
from .numbers import as_flags, as_numbers
from .texts import as_ids, as_lists, as_text
from .times import as_times

_CASTS: Mapping[Cell, Callable[[pa.ChunkedArray, Cast], pa.ChunkedArray]] = {
    Cell.ID: as_ids,
    Cell.TEXT: as_text,
    Cell.NUMBER: as_numbers,
    Cell.TIME: as_times,
    Cell.FLAG: as_flags,
    Cell.LIST: as_lists,
}


def by_the_whole(values: pa.ChunkedArray, cell: Cell) -> bool:
    """Whether only all values of a column together tell how each is read, not their type alone."""
    kind = kind_of(values.type)
    if cell is Cell.TIME:
        return kind in ("text", "whole numbers", "decimal numbers")
    return cell in (Cell.NUMBER, Cell.FLAG) and kind == "text"


def cast(
    values: pa.ChunkedArray, cell: Cell, *, where: str, at: str, column: str, zone: str = "UTC"
) -> tuple[pa.ChunkedArray, tuple[Finding, ...]]:
    """A column as the declared kind of cell. A value that is none is made null and counted.

    :param zone: The time zone of times that name none.

    Null means unknown. Empty text is null in every kind of cell, as CSV cannot tell them apart;
    of words that stand for nothing see :mod:`jointrec.sources.null_words`.

    :raises SourceError: where the column holds another kind of thing altogether: lists where
        numbers are declared, or not one value that could be read.
    """
    step = Cast(where, zone)
    stored = plain(values, step)
    if kind_of(stored.type) == "text":
        is_text = cell in (Cell.ID, Cell.TEXT, Cell.LIST)
        stored = (without_null_marks if is_text else without_null_words)(stored, step)
    read = _CASTS[cell](stored, step)
    findings = [
        Finding(code, at, column, len(odd), examples(odd), action, text)
        for code, (text, action, odd) in step.odd.items()
    ]
    return read, tuple(findings)
