"""From a stored column to the declared kind of cell: exact, or refused, or null with a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from .base import Cell
from .casting import Cast, examples, plain
from .finding import Finding
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


def cast(
    values: pa.ChunkedArray, cell: Cell, *, where: str, at: str, column: str, zone: str = "UTC"
) -> tuple[pa.ChunkedArray, tuple[Finding, ...]]:
    """A column as the declared kind of cell. A value that is none is made null and counted.

    :param zone: The time zone of times that name none.

    Null means unknown. Empty text is null in every kind of cell, as CSV cannot tell them apart.

    :raises SourceError: where the column holds another kind of thing altogether: lists where
        numbers are declared, or not one value that could be read.
    """
    step = Cast(where, zone)
    read = _CASTS[cell](plain(values, step), step)
    findings = [
        Finding(code, at, column, len(odd), examples(odd), action, text)
        for code, (text, action, odd) in step.odd.items()
    ]
    return read, tuple(findings)
