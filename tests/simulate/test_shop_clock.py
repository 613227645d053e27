"""Shop time runs through every calendar day once, and back again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jointrec.simulate.clock import DAY_US, OPENS, OPENS_US, calendar, shop_days

moments = st.integers(OPENS_US - 400 * DAY_US, OPENS_US + 400 * DAY_US)


def test_the_opening_is_the_same_moment_twice():
    assert (np.datetime64(OPENS, "us") - np.datetime64(0, "us")).astype(int) == OPENS_US


@given(moments)
def test_there_and_back_is_the_same_second(moment):
    back = calendar(shop_days(np.array([moment])))[0]
    assert abs(back - moment // 1_000_000 * 1_000_000) <= 1_000_000


@given(moments, moments)
def test_order_is_kept(one, other):
    first, second = shop_days(np.array([min(one, other), max(one, other)]))
    assert first <= second


@given(moments, st.integers(1, 60))
def test_days_are_as_long_as_days(moment, days):
    first, second = shop_days(np.array([moment, moment + days * DAY_US]))
    assert abs(second - first - days) < 1e-9


@given(moments)
def test_midnights_are_shared(moment):
    days = shop_days(np.array([moment]))
    assert np.floor(days)[0] == (moment - OPENS_US) // DAY_US
