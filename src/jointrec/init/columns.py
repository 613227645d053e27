"""What a column holds, judged from its values."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from jointrec.sources import in_iso

from .names import TIME, snake

DATE = r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}($|[T ,])"
"""What begins like a date, in whatever order."""
ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}|$)"
_YES_NO = ({"0", "1"}, {"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})


@dataclass(frozen=True)
class Column:
    """What a column holds, judged from its values.

    :param kind: ``time``, ``flag``, ``number``, ``list`` or ``text``.
    :param distinct: How many different values the rows looked at hold.
    :param missing: The share of rows without a value.
    :param unique: Whether no value stands twice in the whole table, and none is missing. Where all
        rows were looked at, a few that equal an earlier one do not count: training leaves them out.
    :param words: The average number of words (or Chinese characters) in a text.
    :param skew: The mean of the values over their median; 1 where that means nothing.
    :param values: The values looked at, as text for keys and as numbers for numbers.
    """

    name: str
    kind: str
    distinct: int
    missing: float
    unique: bool
    words: float
    skew: float
    values: pl.Series


def column_of(values: pl.Series, rows: int | None = None) -> Column:
    """What a column holds.

    :param rows: In how many rows a key would stand once. Default: in all.
    """
    known = values.drop_nulls()
    text = known.dtype == pl.String
    kind = _kind(values.name, known)
    numbers = known.cast(pl.Float64, strict=False) if kind == "number" else None
    nested = known.dtype.is_nested()
    distinct = 0 if nested else known.n_unique()
    return Column(
        name=values.name,
        kind=kind,
        distinct=distinct,
        missing=values.null_count() / max(len(values), 1),
        unique=distinct == (len(values) if rows is None else rows) > 0,
        words=_words(known) if text and kind == "text" else 0.0,
        skew=1.0 if numbers is None else _skew(numbers),
        values=known if nested else (numbers if numbers is not None else known.cast(pl.String)),
    )


def truth_of(flags: pl.Series) -> pl.Series:
    """Which values of a column of flags say yes.

    >>> truth_of(pl.Series(["Y", "n", "1"])).to_list()
    [True, False, True]
    """
    return flags.cast(pl.String).str.to_lowercase().is_in(["1", "true", "yes", "y", "t", "1.0"])


def _skew(numbers: pl.Series) -> float:
    mean, median = numbers.mean(), numbers.median()
    skewed = isinstance(median, float) and isinstance(mean, float) and median > 0
    return float(mean / median) if skewed else 1.0  # type: ignore[operator,arg-type]


def _kind(name: str, known: pl.Series) -> str:
    if known.dtype.is_temporal():
        return "time"
    if known.dtype == pl.Boolean:
        return "flag"
    if known.dtype.is_nested():
        return "list"
    if known.dtype == pl.String:
        return _kind_of_text(name, known)
    if known.n_unique() <= 2 and set(known.unique().to_list()) <= {0, 1}:
        return "flag"
    if TIME.search(snake(name)) and len(known) and _like_epoch(known):
        return "time"
    return "number"


def _like_epoch(known: pl.Series) -> bool:
    low, high = known.min(), known.max()
    return (
        isinstance(low, int | float) and isinstance(high, int | float) and 1e9 <= low <= high < 1e19
    )


def _kind_of_text(name: str, known: pl.Series) -> str:
    sample = known.head(2_000)
    lowered = set(sample.str.to_lowercase().unique().to_list())
    if lowered and any(lowered <= pair for pair in _YES_NO):
        return "flag"
    numbers = sample.cast(pl.Float64, strict=False)
    if len(sample) and numbers.null_count() == 0:
        if TIME.search(snake(name)) and _like_epoch(numbers):
            return "time"
        return "text" if sample.str.contains(r"^0\d").any() else "number"
    # Which of two numbers is the month may show in a single value of many.
    if len(sample) and sample.str.contains(DATE).all() and _spelled(known).str.contains(ISO).all():
        return "time"
    return "text"


def _words(known: pl.Series) -> float:
    sample = known.head(2_000)
    counted = sample.str.count_matches(r"[\p{Han}]|[^\s\p{Han}]+").mean()
    return float(counted) if isinstance(counted, int | float) else 0.0


def written(values: pl.Series) -> bool:
    """Whether a column holds dates as people write them, whose text is in no order of time."""
    few = values.drop_nulls().head(100)
    like_dates = few.dtype == pl.String and few.str.contains(DATE)
    return bool(like_dates is not False and (like_dates & ~few.str.contains(ISO)).any())


def _spelled(text: pl.Series) -> pl.Series:
    """Text in which dates as people write them are spelled as in ISO 8601."""
    return pl.Series(text.name, in_iso(pa.chunked_array([text.to_arrow()])).text)


def vague(times: pl.Series) -> bool:
    """Whether times are what a clock shows: stored so, or text without a zone."""
    if times.dtype == pl.String:
        few = times.drop_nulls().head(100)
        return bool(
            (few.str.contains(DATE) & few.str.contains(r":\d{2}[:.\d]*( ?[AaPp][Mm])?$")).any()
        )
    return isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is None
