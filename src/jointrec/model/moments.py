"""A date as people write it, as a moment."""

from __future__ import annotations

from datetime import date, datetime, time

from jointrec import clocks
from jointrec.errors import DataError

Moment = str | date | datetime
"""A moment as people give it; a date alone is its first instant."""


def moment_of(at: Moment, zone: str = "UTC") -> int:
    """The moment in µs since 1970 UTC.

    :param zone: The time zone of a moment that names none.

    >>> moment_of("1970-01-02"), moment_of("1970-01-01T01:00:00.000001+01:00")
    (86400000000, 1)

    :raises DataError: where it is not a date or a time.
    """
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at.strip())
        except ValueError:
            raise DataError(
                f"at: `{at}` is not a moment. Write 2024-05-31 or 2024-05-31T18:00:00+02:00."
            ) from None
    if not isinstance(at, datetime):
        if not isinstance(at, date):
            raise DataError(
                f"at: should be a text, a date or a datetime. Found `{type(at).__name__}`."
            )
        at = datetime.combine(at, time())
    return clocks.moment_of(at, zone)
