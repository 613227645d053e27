"""Dates as people write them: in the order that their column shows, or refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_sources_cells import findings, got, micro, refused

from jointrec.sources import Cell

MONTH_FIRST = ("%m/%d/%Y %H:%M", "%-m/%-d/%Y %-H:%M:%S", "%m-%d-%Y %I:%M:%S %p", "%-m/%-d/%Y")
DAY_FIRST = ("%d/%m/%Y %H:%M", "%-d.%-m.%Y %-H:%M:%S.%f", "%d-%m-%Y %I:%M %p", "%-d/%-m/%Y")
YEAR_FIRST = ("%Y/%m/%d %H:%M", "%Y-%-m-%-d %-H:%M", "%Y.%-m.%-d", "%Y/%-m/%-d %I:%M%p")


@given(
    form=st.sampled_from([*MONTH_FIRST, *DAY_FIRST, *YEAR_FIRST]),
    moments=st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), min_size=1),
)
def test_dates_as_people_write_them(form: str, moments: list[datetime]) -> None:
    """Read as Python reads what it wrote, where one day is above 12, and else refused."""
    values = [moment.strftime(form) for moment in moments]
    known = [
        micro(datetime.strptime(v, form.replace("%-", "%")).replace(tzinfo=UTC)) for v in values
    ]
    if form in YEAR_FIRST:
        assert got(values, Cell.TIME) == known
        assert findings(values, Cell.TIME) == []
    elif any(moment.day > 12 for moment in moments):
        assert got([*values, None], Cell.TIME) == [*known, None]
        assert findings(values, Cell.TIME) == [("date_order", len(values))]
    else:
        assert "none of its dates has a number above 12" in refused(values, Cell.TIME)


def test_dates_of_two_orders_are_refused() -> None:
    told = refused(["1/2/2010", "12/13/2010", "13/12/2010 8:26"], Cell.TIME)
    assert "`13/12/2010 8:26` begins with the day and `12/13/2010` with the month" in told
    assert got(["2010-12-01", "12/1/2010"], Cell.TIME) == [1_291_161_600_000_000, None]
    assert findings(["2010-12-01", "12/1/2010"], Cell.TIME) == [("not_a_time", 1)]


@pytest.mark.parametrize(
    "text", ["2/30/2010", "12/1/2010 24:00", "12/1/2010 0:10 AM", "12/1/2010 13:10 pm", "1/2-2010",
             "12/1/10 8:26", "0/1/2010", "12/1/2010 8", "12/1/2010 8:26 CET"],
)  # fmt: skip
def test_dates_that_are_none_are_null_and_counted(text: str) -> None:
    assert got(["12/13/2010", text], Cell.TIME) == [1_292_198_400_000_000, None]
    assert findings(["12/13/2010", text], Cell.TIME) == [("date_order", 1), ("not_a_time", 1)]


def test_a_date_with_a_zone_is_a_moment() -> None:
    values = ["12/13/2010 8:26 +02:00", "12/1/2010 12:26 am Z"]
    assert got(values, Cell.TIME) == [1_292_221_560_000_000, 1_291_163_160_000_000]
