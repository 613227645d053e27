"""Times as a clock on the wall shows them, as moments: the one place that knows of time zones.

Clocks that are put back show an hour twice, clocks that are put forward skip one. Such times are
read with the offset that held just before the clocks were changed: what is shown twice is its first
time, what is skipped lies as far behind the gap. Python reads them so too (``fold=0``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64

from .errors import ProjectError, nearest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL = datetime(1970, 1, 1)
_MICRO = timedelta(microseconds=1)
_FIRST, _LAST = -2_208_988_800_000_000, 7_258_118_400_000_000
"""1900 and 2200: no clock is known to have been changed outside."""


@dataclass(frozen=True)
class Moments:
    """What the clock showed, as moments.

    :param times: µs since 1970 UTC.
    :param twice: Which were shown twice; read as the first time.
    :param skipped: Which were never shown; moved behind the gap.
    """

    times: Int64[np.ndarray, "rows"]
    twice: Bool[np.ndarray, "rows"]
    skipped: Bool[np.ndarray, "rows"]


def check_zone(zone: str) -> None:
    """Refuses a time zone that is not in the database of the Internet (IANA).

    :raises ProjectError: with the nearest that is.
    """
    if zone not in _zones():
        raise ProjectError(
            f"`time_zone`: there is no time zone `{zone}`.{nearest(zone, _zones())} Names are "
            "those of the IANA database: Europe/London, Asia/Shanghai, America/New_York, UTC …"
        )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})


def moments_of(shown: Int64[np.ndarray, "rows"], zone: str) -> Moments:
    """The moments at which the clocks of a zone show some times.

    :param shown: µs between 1970-01-01 00:00 and what the clock shows.

    >>> half_past_one = np.array(["2024-10-27T01:30"], "datetime64[us]").astype(np.int64)
    >>> found = moments_of(half_past_one, "Europe/London")
    >>> str(found.times.astype("datetime64[us]")[0]), bool(found.twice[0])
    ('2024-10-27T00:30:00.000000', True)
    """
    times = shown.copy()
    twice, skipped = np.zeros(len(shown), bool), np.zeros(len(shown), bool)
    if zone == "UTC":
        return Moments(times, twice, skipped)
    within = np.flatnonzero((shown >= _FIRST) & (shown < _LAST))
    clock = pl.Series(shown[within]).cast(pl.Datetime("us"))
    found = clock.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").cast(pl.Int64)
    odd = np.flatnonzero(found.is_null().to_numpy())
    times[within] = found.fill_null(0).to_numpy()
    if len(odd):
        values, at = np.unique(shown[within[odd]], return_inverse=True)
        read = [_before_the_change(value, ZoneInfo(zone)) for value in values.tolist()]
        times[within[odd]] = np.array([time for time, _ in read])[at]
        gone = np.array([skips for _, skips in read])[at]
        skipped[within[odd]], twice[within[odd]] = gone, ~gone
    return Moments(times, twice, skipped)


def _before_the_change(shown: int, zone: ZoneInfo) -> tuple[int, bool]:
    """A time around a change of clocks as a moment, and whether no clock ever showed it."""
    wall = _WALL + shown * _MICRO
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return (moment - _EPOCH) // _MICRO, moment.astimezone(zone).replace(tzinfo=None) != wall


def moment_of(moment: datetime, zone: str) -> int:
    """A date and time as µs since 1970 UTC; without a zone of its own it is one of ``zone``."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))
    return (aware.astimezone(UTC) - _EPOCH) // _MICRO


def shown_at(times: Int64[np.ndarray, "rows"], zone: str) -> Int64[np.ndarray, "rows"]:
    """What the clocks of a zone show at some moments (µs UTC), as :func:`moments_of` takes it."""
    if zone == "UTC":
        return times
    known = pl.Series(np.clip(times, _FIRST, _LAST)).cast(pl.Datetime("us", "UTC"))
    local = known.dt.convert_time_zone(zone).dt.replace_time_zone(None).cast(pl.Int64).to_numpy()
    return np.where((times >= _FIRST) & (times <= _LAST), local, times)
