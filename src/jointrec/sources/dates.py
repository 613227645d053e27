"""Dates as people write them, ``12/1/2010 8:26``, spelled as ISO 8601 spells them.

Whether the day or the month comes first is asked of the whole column: what is above 12 is no month.
Where no date tells, or two tell otherwise, nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl
import pyarrow as pa

from .casting import TEXT

_CLOCK = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<rest>:\d{2}(?:\.\d{1,9})?)?"
    r"(?: ?(?P<half>[AaPp][Mm]))?(?P<zone> ?(?:[Zz]|UTC|[+-]\d{2}:?\d{2}))?)?$"
)
_YEAR_FIRST = r"^(?P<year>\d{4})(?P<gap>[/.-])(?P<one>\d{1,2})(?P<same>[/.-])(?P<two>\d{1,2})"
_YEAR_LAST = r"^(?P<one>\d{1,2})(?P<gap>[/.-])(?P<two>\d{1,2})(?P<same>[/.-])(?P<year>\d{4})"

Order = Literal["day", "month"]


@dataclass(frozen=True)
class Spelled:
    """Text whose dates are spelled as in ISO 8601, as far as that can be told.

    :param text: The same values; those that are no such dates as they were.
    :param first: What comes first in dates that end with the year; None where there are none, or
        where it cannot be told.
    :param judged: Which values are dates that end with the year.
    :param reason: What tells the order, or why nothing does. Empty where there are no such dates.
    """

    text: pa.ChunkedArray
    first: Order | None
    judged: pa.ChunkedArray
    reason: str


def in_iso(text: pa.ChunkedArray) -> Spelled:
    """Spells dates such as ``12/1/2010 8:26`` or ``2010/12/1`` as ISO 8601 does.

    Numbers may be parted by ``/``, ``.`` or ``-``; the year has four digits; a clock, ``AM`` or
    ``PM`` and a zone may follow.

    >>> spelled = in_iso(pa.chunked_array([["12/1/2010 8:26", "12/13/2010", "2010/7/1", "soon"]]))
    >>> spelled.text.to_pylist()
    ['2010-12-01T08:26', '2010-12-13', '2010-07-01', 'soon']
    >>> spelled.first, spelled.reason
    ('month', 'as in `12/13/2010` the second number is above 12')
    >>> in_iso(pa.chunked_array([["12/1/2010 8:26"]])).reason
    'none of its dates has a number above 12, so either may be the month'
    """
    written = pl.Series("text", text, pl.String)
    sure, judged = _dates(written, _YEAR_FIRST), _dates(written, _YEAR_LAST)
    first, reason = _order(written, judged)
    spelled = _iso(sure, "one", "two")
    if first is not None:
        told = _iso(judged, "one", "two") if first == "month" else _iso(judged, "two", "one")
        spelled = spelled.fill_null(told)
    arrow = spelled.fill_null(written).to_arrow().cast(TEXT)
    which = judged["year"].is_not_null().to_arrow()
    return Spelled(pa.chunked_array([arrow]), first, pa.chunked_array([which]), reason)


def _dates(text: pl.Series, pattern: str) -> pl.DataFrame:
    """The parts of dates; null where a text is none, or its two gaps differ."""
    parts = text.str.extract_groups(pattern + _CLOCK).struct.unnest()
    return parts.select(pl.when(pl.col("gap") == pl.col("same")).then(pl.all()))


def _order(text: pl.Series, parts: pl.DataFrame) -> tuple[Order | None, str]:
    """What comes first, and what tells so, or why nothing does."""
    if parts["year"].null_count() == len(parts):
        return None, ""
    above = [text.filter(parts[name].cast(pl.Int64) > 12).head(1) for name in ("one", "two")]
    one, two = ("".join(found.to_list()) for found in above)
    if one and two:
        return None, f"`{one}` begins with the day and `{two}` with the month"
    if one:
        return "day", f"as in `{one}` the first number is above 12"
    if two:
        return "month", f"as in `{two}` the second number is above 12"
    return None, "none of its dates has a number above 12, so either may be the month"


def _iso(parts: pl.DataFrame, month: str, day: str) -> pl.Series:
    """Dates and their clocks in ISO 8601; an hour that AM or PM cannot have becomes no time."""
    hour, half = pl.col("hour").cast(pl.Int64), pl.col("half").str.to_lowercase()
    noon = pl.when(half == "pm").then(12).otherwise(0)
    of_24 = pl.when(hour.is_between(1, 12)).then(hour % 12 + noon)
    hour = pl.when(half.is_null()).then(hour).otherwise(of_24.fill_null(99)).cast(pl.String)
    rest = [pl.col(name).fill_null("") for name in ("rest", "zone")]
    clock = pl.format("T{}:{}{}{}", hour.str.zfill(2), "minute", *rest)
    date = pl.format("{}-{}-{}", "year", pl.col(month).str.zfill(2), pl.col(day).str.zfill(2))
    return parts.select(pl.concat_str(date, clock.fill_null(""))).to_series()
