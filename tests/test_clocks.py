"""What clocks show, as moments: around every change of clocks as Python's own zoneinfo reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec.clocks import check_zone, moment_of, moments_of, shown_at
from jointrec.errors import ProjectError
from jointrec.project import parse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "UTC", "Europe/London", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe",
    "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca",
)  # fmt: skip


def micro(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


def slow(shown: int, zone: str) -> int:
    """One time by zoneinfo: fold=0 is the offset before the change."""
    wall = (EPOCH + timedelta(microseconds=shown)).replace(tzinfo=None)
    return (wall.replace(tzinfo=ZoneInfo(zone)) - EPOCH) // timedelta(microseconds=1)


HOUR = 3_600 * 10**6


def times_of(year: int, zone: str) -> np.ndarray:
    """Every sixth hour of a year, and around each change of clocks every quarter of an hour."""
    few = np.arange(micro(f"{year}-01-01"), micro(f"{year + 1}-01-01"), 6 * HOUR) + 1
    ahead = np.array([slow(time, zone) for time in few.tolist()]) - few
    before = few[np.flatnonzero(np.diff(ahead))]
    around = [np.arange(time - 24 * HOUR, time + 36 * HOUR, HOUR // 4) for time in before]
    return np.unique(np.concatenate([few, *around]))


def test_changes_of_clocks_are_among_the_times():
    assert len(times_of(2024, "UTC")) == 366 * 4
    assert len(times_of(2024, "Europe/London")) > 366 * 4 + 400
    assert len(times_of(2011, "Pacific/Apia")) > 365 * 4 + 600  # and the day that it left out


@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_of_an_hour_around_changes_is_read_as_python_does(zone: str):
    for year in (1986, 2011, 2018, 2024):
        shown = times_of(year, zone)
        found = moments_of(shown, zone)
        assert found.times.tolist() == [slow(time, zone) for time in shown.tolist()]
        back = shown_at(found.times, zone)
        np.testing.assert_array_equal(back == shown, ~found.skipped)


@settings(max_examples=100)
@given(zone=st.sampled_from(ZONES), shown=st.integers(micro("1950-01-01"), micro("2150-01-01")))
def test_any_time_is_read_as_python_does(zone: str, shown: int):
    assert moments_of(np.array([shown]), zone).times.tolist() == [slow(shown, zone)]


def test_an_hour_shown_twice_and_one_that_is_skipped_are_told():
    shown = np.array(
        [
            micro(f"2024-{day}")
            for day in ("10-27T01:30", "03-31T01:30", "03-31T02:00", "10-27T02:00")
        ]
    )
    found = moments_of(shown, "Europe/London")
    assert found.times.tolist() == [
        micro(f"2024-{day}") for day in ("10-27T00:30", "03-31T01:30", "03-31T01:00", "10-27T02:00")
    ]
    assert found.twice.tolist() == [True, False, False, False]
    assert found.skipped.tolist() == [False, True, False, False]


def test_times_no_clock_can_show_are_left_alone():
    far = np.array([-(2**63), micro("1800-01-01"), micro("2300-01-01"), 2**63 - 1])
    assert moments_of(far, "Europe/London").times.tolist() == far.tolist()
    assert shown_at(far, "Europe/London").tolist() == far.tolist()


def test_a_moment_with_a_zone_of_its_own_keeps_it():
    assert moment_of(datetime(2024, 7, 1), "Europe/London") == micro("2024-06-30T23:00")
    assert moment_of(datetime(2024, 7, 1, tzinfo=UTC), "Europe/London") == micro("2024-07-01")


def test_a_zone_that_there_is_not_is_told_with_the_nearest():
    for zone in ("UTC", "Europe/London", "Asia/Shanghai"):
        check_zone(zone)
    with pytest.raises(ProjectError) as error:
        parse('time_zone = "Europe/Lodnon"\nentity.u = { source = "u.csv", key = "u" }\ntasks = {}')
    assert str(error.value) == (
        "`time_zone`: there is no time zone `Europe/Lodnon`. Did you mean "
        "`Europe/London`? Names are those of the IANA database: Europe/London, Asia/Shanghai, "
        "America/New_York, UTC …"
    )
