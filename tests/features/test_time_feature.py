from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from jointrec.features import Time
from jointrec.features.time import DAY, MISSING

MICROS = st.integers(-(2**63), 2**63 - 1)


def ages(times: list[int | None], moment: int) -> list[list[float]]:
    dated = Time().encode(pl.Series(times, dtype=pl.Int64), {})
    return Time().at(dated.values, np.full(len(times), moment), {}).tolist()


def test_a_year_is_one() -> None:
    (year, flag), (day, _), (nothing, _) = ages([0, 364 * DAY, 365 * DAY - 1], 365 * DAY)
    assert (year, flag) == (1.0, 0.0)
    assert abs(day - np.log(2) / np.log(366)) < 1e-7
    assert 0 < nothing < 1e-10


@given(MICROS, st.integers(-(2**63) + 1, 2**63 - 1))
def test_what_is_not_before_the_moment_is_as_if_missing(time, moment) -> None:
    found, missing = ages([time, None], moment)
    assert missing == [0.0, 1.0]
    if time >= moment or time == MISSING:
        assert found == missing
    else:
        assert found[1] == 0.0
        assert found[0] >= 0.0


@given(st.lists(st.integers(0, 10**16), min_size=2, max_size=9).map(sorted))
def test_the_longer_ago_the_larger(times) -> None:
    found = [age for age, _ in ages(times, 10**16 + 1)]
    assert found == sorted(found, reverse=True)


def test_dates_are_read_as_times() -> None:
    day = datetime(1970, 1, 2, tzinfo=UTC)
    for unit in ("ms", "us", "ns"):
        column = pl.Series([day, None]).cast(pl.Datetime(unit, "UTC"))
        assert Time().encode(column, {}).values.tolist() == [DAY, MISSING]
    assert Time().encode(pl.Series([day.date()]), {}).values.tolist() == [DAY]
