"""Dates as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.errors import DataError
from jointrec.model.moments import moment_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.integers(-(10**16), 10**17))
def test_every_microsecond_is_kept(moment):
    at = EPOCH + timedelta(microseconds=moment)
    assert moment_of(at) == moment
    assert moment_of(at.isoformat()) == moment
    assert moment_of(at.replace(tzinfo=None)) == moment
    assert moment_of(f" {at.replace(tzinfo=None).isoformat(' ')} ") == moment


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)), zones)
def test_a_zone_is_heeded(at, zone):
    assert moment_of(at.replace(tzinfo=zone)) == moment_of(at) - zone.utcoffset(None) // timedelta(
        microseconds=1
    )


@given(st.dates())
def test_a_date_is_its_first_instant(day):
    assert (
        moment_of(day)
        == moment_of(day.isoformat())
        == (day - date(1970, 1, 1)).days * 86400 * 10**6
    )


@pytest.mark.parametrize("at", ["", "soon", "31.05.2024", "2024-13-01", 7, 1.5, None])
def test_what_is_no_moment_is_refused(at):
    with pytest.raises(DataError, match="at:"):
        moment_of(at)


def test_a_moment_without_a_zone_is_one_of_the_projects():
    assert moment_of("2024-07-01", "Europe/London") == moment_of("2024-06-30T23:00Z")
    assert moment_of("2024-07-01T00:00Z", "Europe/London") == moment_of("2024-07-01")
