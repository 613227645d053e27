"""Columns as times: int64, µs since 1970 in UTC."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jointrec.clocks import moments_of
from jointrec.errors import SourceError

from .base import kind_of
from .casting import TEXT, Cast, shown
from .dates import Spelled, in_iso
from .numbers import check_some_read

_FIRST, _LAST = 315_532_800, 4_102_444_800
"""1980 and 2100, in seconds: between them lies what may tell the unit of a number."""
_UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
"""How many of each make a second. The windows from 1980 to 2100 of no two of them overlap."""
_STORED = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_NUMERIC = r"^-?\d+(\.\d*)?$"
_WHOLE = r"^-?\d+$"
_ISO = (
    r"^(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[Tt ](?P<hour>\d{2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<zone>[Zz]|UTC|(?P<sign>[+-])(?P<zone_hour>\d{2}):?(?P<zone_minute>\d{2})?)?)?$"
)
_DAY = 86_400 * 10**6
_LIMIT = 2**63 - 1


def as_times(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Times as µs since 1970 in UTC; what is finer than a µs is cut off towards the past.

    - Stored times: any unit; with a zone they are turned into UTC, without one they are what the
      clocks of the declared zone show (see :mod:`jointrec.clocks`).
    - Stored dates: their midnight there.
    - Text: ISO 8601, ``2024-05-01``, ``2024-05-01 12:30``, ``2024-05-01T12:30:00.5+02:00``; without
      a zone likewise. Dates such as ``12/1/2010 8:26`` where the column tells whether the day or
      the month comes first, with a finding (see :mod:`jointrec.sources.dates`). Text of digits only
      is read as numbers.
    - Numbers: seconds, milliseconds, microseconds or nanoseconds since 1970, one unit for the whole
      column: the one in which values lie between 1980 and 2100. Where values do so in two units, or
      in none, the column is refused.

    A text that is no time, or a time that int64 cannot hold, becomes null and is counted.
    """
    kind = kind_of(values.type)
    if kind.startswith("times"):
        times = _scaled(values.cast(pa.int64()), _STORED[values.type.unit], values, step)
        return (
            times if values.type.tz is not None else _zoned(times, pc.is_valid(times), values, step)
        )
    if kind == "dates":
        days = values.cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64())
        times = _scaled(pc.multiply(days, 86_400), "seconds", values, step)
        return _zoned(times, pc.is_valid(times), values, step)
    if kind in ("whole numbers", "decimal numbers"):
        return _since_1970(values, values, step)
    if kind == "text":
        trimmed = pc.utf8_trim_whitespace(values)
        trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, TEXT), trimmed)
        if pc.all(pc.match_substring_regex(trimmed, _NUMERIC)).as_py() and trimmed.null_count < len(
            trimmed
        ):
            return _since_1970(_numbers(trimmed), values, step)
        return _from_text(trimmed, step)
    if kind == "nothing":
        return values.cast(pa.int64())
    raise step.refuse(values, "times", "Write them as times, or as text like 2024-05-01T12:30:00Z.")


def _numbers(text: pa.ChunkedArray) -> pa.ChunkedArray:
    if pc.all(pc.match_substring_regex(text, _WHOLE)).as_py():
        try:
            return text.cast(pa.int64())
        except pa.ArrowException:  # longer than int64: no unit of time makes it one
            return text.cast(pa.float64())
    return text.cast(pa.float64())


def _since_1970(numbers: pa.ChunkedArray, values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Numbers in the one unit that makes them times of our days."""
    if pa.types.is_floating(numbers.type):
        numbers = numbers.cast(pa.float64())
        infinite = pc.is_inf(numbers)
        _note_far(values, infinite, step)
        useless = pc.or_(infinite, pc.is_nan(numbers))
        numbers = pc.if_else(useless, pa.scalar(None, pa.float64()), numbers)
    elif numbers.type == pa.uint64():
        far = pc.greater(numbers, pa.scalar(_LIMIT, pa.uint64()))
        _note_far(values, far, step)
        numbers = pc.if_else(far, pa.scalar(None, pa.uint64()), numbers).cast(pa.int64())
    else:
        numbers = numbers.cast(pa.int64())
    if numbers.null_count == len(numbers):
        return pa.chunked_array([pa.nulls(len(numbers), pa.int64())])
    return _scaled(numbers, _unit(numbers, step), values, step)


def _unit(numbers: pa.ChunkedArray, step: Cast) -> str:
    inside = {
        unit: pc.and_(
            pc.greater_equal(numbers, pa.scalar(_FIRST * per).cast(numbers.type, safe=False)),
            pc.less(numbers, pa.scalar(_LAST * per).cast(numbers.type, safe=False)),
        )
        for unit, per in _UNITS.items()
    }
    fitting = [unit for unit, which in inside.items() if pc.any(which).as_py()]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise SourceError(
            f"{step.where} should hold times, but as seconds, milliseconds, microseconds or "
            f"nanoseconds since 1970 none of its numbers{shown(numbers)} lies between 1980 and "
            "2100. Write them as times, or as text like 2024-05-01T12:30:00Z."
        )
    found = " and ".join(
        f"{unit}{shown(numbers.filter(inside[unit]).slice(0, 1))}" for unit in fitting
    )
    raise SourceError(
        f"{step.where} should hold times in one unit, but its numbers look like {found}. "
        "Write all of them in one unit since 1970, or as times."
    )


def _scaled(
    numbers: pa.ChunkedArray, unit: str, values: pa.ChunkedArray, step: Cast
) -> pa.ChunkedArray:
    """Numbers of a unit as whole µs."""
    per, micro = _UNITS[unit], 10**6
    if per <= micro:
        factor = micro // per
        far = pc.greater(pc.abs(numbers.cast(pa.float64(), safe=False)), (2.0**63 - 2**12) / factor)
        _note_far(values, far, step)
        numbers = pc.if_else(far, pa.scalar(None, numbers.type), numbers)
        if pa.types.is_integer(numbers.type):
            return pc.multiply(numbers, pa.scalar(factor, pa.int64()))
        whole = pc.floor(numbers)  # apart, so that the fraction keeps all its digits
        part = pc.round(pc.multiply(pc.subtract(numbers, whole), float(factor)))
        scaled = pc.multiply(whole.cast(pa.int64()), pa.scalar(factor, pa.int64()))
        return pc.add(scaled, part.cast(pa.int64()))
    factor = per // micro
    if not pa.types.is_integer(numbers.type):
        return pc.floor(pc.divide(numbers, float(factor))).cast(pa.int64())
    divided = pc.divide(numbers, pa.scalar(factor, pa.int64()))
    rest = pc.subtract(numbers, pc.multiply(divided, pa.scalar(factor, pa.int64())))
    # Arrow divides towards zero; before 1970 that would be towards the future.
    return pc.subtract(divided, pc.less(rest, 0).cast(pa.int64()))


def _note_far(values: pa.ChunkedArray, far: pa.ChunkedArray, step: Cast) -> None:
    far = pc.fill_null(far, False)
    step.note("time_too_far", values, far, "times too far away to be counted in µs.", "made null")


def _from_text(text: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    times, local = _from_iso(text)
    unread = pc.and_(pc.is_null(times), pc.is_valid(text))
    if pc.any(unread).as_py():
        spelled = in_iso(text)
        times, local = _from_iso(spelled.text)
        unread = pc.and_(pc.is_null(times), pc.is_valid(text))
        if spelled.reason and spelled.first is None and times.null_count == len(times):
            raise SourceError(
                f"{step.where} should hold times, but it holds text{shown(text)}: "
                f"{spelled.reason}. Write them like 2024-05-01T12:30:00Z."
            )
        check_some_read(text, unread, "times like 2024-05-01T12:30:00Z", step)
        _note_order(text, spelled, unread, step)
    step.note("not_a_time", text, unread, "values that are not ISO 8601 times.", "made null")
    return _zoned(times, local, text, step)


def _note_order(
    text: pa.ChunkedArray, spelled: Spelled, unread: pa.ChunkedArray, step: Cast
) -> None:
    """Says in which order dates were read that do not say it themselves."""
    read = pc.and_(spelled.judged, pc.invert(unread))
    told = f"dates read with the {spelled.first} first: {spelled.reason}."
    step.note("date_order", text, read, told, "read in that order")


def _from_iso(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    chunks = [iso_times(chunk) for chunk in text.chunks]
    times = pa.chunked_array([times for times, _ in chunks], pa.int64())
    return times, pa.chunked_array([local for _, local in chunks], pa.bool_())


def _zoned(
    times: pa.ChunkedArray, local: pa.ChunkedArray, values: pa.ChunkedArray, step: Cast
) -> pa.ChunkedArray:
    """Times without a zone of their own as moments: they are what the clocks of a zone show.

    :param local: Which are without one.
    :param values: As they are stored, for examples.
    """
    if step.zone == "UTC":
        return times
    missing = times.is_null().to_numpy(zero_copy_only=False)
    found = pc.fill_null(times, 0).to_numpy().copy()
    at = np.flatnonzero(local.to_numpy(zero_copy_only=False).astype(bool) & ~missing)
    moments = moments_of(found[at], step.zone)
    found[at] = moments.times
    for code, odd, text, action in (
        ("shown_twice", moments.twice, "show twice, as they are put back", "read as the first"),
        ("never_shown", moments.skipped, "skip, as they are put forward", "moved behind the gap"),
    ):
        concerned = np.zeros(len(found), bool)
        concerned[at[odd]] = True
        told = f"times without a zone that the clocks of {step.zone} {text}."
        step.note(code, values, pa.chunked_array([concerned]), told, action)
    return pa.chunked_array([pa.array(found, mask=missing)])


def iso_times(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Text as µs since 1970 in UTC, null where it is no ISO 8601 time of the years 1 to 9999.

    The proleptic Gregorian calendar, in whole-column arithmetic.

    :returns: The times, and which of them name no zone.
    """
    parts = pc.extract_regex(text, pattern=_ISO)
    known = parts.is_valid().to_numpy(zero_copy_only=False)

    def number(name: str, missing: str = "0") -> np.ndarray:
        found = pc.fill_null(parts.field(name), missing)
        found = pc.if_else(pc.equal(found, ""), missing, found)
        numbers: np.ndarray = found.cast(pa.int64()).to_numpy()
        return numbers

    year, month, day = number("year", "1"), number("month", "1"), number("day", "1")
    hour, minute, second = number("hour"), number("minute"), number("second")
    fraction = pc.utf8_rpad(pc.fill_null(parts.field("fraction"), ""), 9, padding="0")
    micro = fraction.cast(pa.int64()).to_numpy() // 1_000
    east = number("zone_hour") * 60 + number("zone_minute")
    sign = pc.fill_null(pc.equal(parts.field("sign"), "-"), False).to_numpy(zero_copy_only=False)
    months = (year - 1970) * 12 + month - 1
    start = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    real = (year > 0) & (month > 0) & (month < 13) & (day > 0) & (day <= after - start)
    real &= (hour < 24) & (minute < 60) & (second < 60)
    real &= (number("zone_hour") < 24) & (number("zone_minute") < 60)
    minutes = hour * 60 + minute - np.where(sign, -east, east)
    times = (start + day - 1) * _DAY + (minutes * 60 + second) * 10**6 + micro
    zoned = pc.not_equal(pc.fill_null(parts.field("zone"), ""), "")
    return pa.array(times, mask=~(known & real)), pc.invert(pc.fill_null(zoned, False))
