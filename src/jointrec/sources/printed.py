"""Columns that a database server prints as text, turned into Arrow without losing a digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from .casting import TEXT, examples
from .finding import Finding
from .times import iso_times


@dataclass(frozen=True)
class Field:
    """A column of a table or of the result of a query.

    :param name: Its name.
    :param stored: The type that it is stored in. Exact decimals are delivered as text, every digit
        of it, and become numbers only where the declaration says so.
    :param words: What the database calls the type, for messages.
    :param refused: Why it cannot be read and what to do; None where it can.
    :param padded: Whether blanks at the end only fill up the width of the column.
    :param asked: How it is selected: as it stands, with all digits of a double where the server
        would print fewer, or as the database prints it.
    """

    name: str
    stored: pa.DataType
    words: str
    refused: str | None = None
    padded: bool = False
    asked: Literal["plain", "precise", "text"] = "plain"

    @property
    def delivered(self) -> pa.DataType:
        """The type that its values are delivered in."""
        return TEXT if pa.types.is_decimal(self.stored) else self.stored


def refused(name: str, words: str, way_out: str, stored: pa.DataType) -> Field:
    """A column of a type that no feature, key or label can be."""
    return Field(name, stored, words, way_out)


def columns_of_rows(
    rows: Sequence[Sequence[str | None]], fields: Sequence[Field], *, at: str
) -> tuple[pa.Table, list[Finding]]:
    """Printed rows as a table: each column in the type that it is stored in.

    Null stays null. A date that is none (``0000-00-00`` in MySQL) or lies outside the years 1 to
    9999 (``infinity`` in PostgreSQL) becomes null, with a finding.
    """
    findings: list[Finding] = []
    columns = []
    for field, values in zip(fields, zip(*rows, strict=True) if rows else (), strict=False):
        columns.append(_column(pa.array(values, TEXT), field, at, findings))
    if not rows:
        columns = [pa.array([], field.delivered) for field in fields]
    return pa.table(columns, [field.name for field in fields]), findings


def _column(text: pa.Array, field: Field, at: str, findings: list[Finding]) -> pa.Array:
    kind = field.delivered
    if kind == TEXT:
        return pc.utf8_rtrim(text, " ") if field.padded else text
    if pa.types.is_boolean(kind):
        return pc.or_(pc.equal(text, "t"), pc.equal(text, "1"))
    if pa.types.is_null(kind):
        return pa.nulls(len(text))
    if not pa.types.is_temporal(kind):
        return text.cast(kind)
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        return _odd_times(text, kind, field, at, findings)


def _odd_times(
    text: pa.Array, kind: pa.DataType, field: Field, at: str, findings: list[Finding]
) -> pa.Array:
    times, _ = iso_times(text)
    unread = text.filter(pc.and_(pc.is_valid(text), pc.is_null(times)))
    zero = pc.match_substring_regex(unread, r"^\d{4}-(00-\d\d|\d\d-00)")
    for code, which, what in (
        ("zero_date", zero, "zero dates, which stand for unknown ones."),
        ("time_too_far", pc.invert(zero), "times outside the years 1 to 9999, or that are none."),
    ):
        odd = unread.filter(which)
        if len(odd):
            shown = examples(pa.chunked_array([odd]))
            findings.append(Finding(code, at, field.name, len(odd), shown, "made null", what))
    stamps = times.view(pa.timestamp("us"))
    if pa.types.is_date(kind):
        return stamps.cast(pa.date32())
    return times.view(kind)
