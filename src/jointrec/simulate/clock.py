"""The shop's clock: days that are stretched so that more happens in the evening.

Everything random in the shop happens at a constant speed *in shop days*. A shop day starts and ends
with a day of the calendar (UTC), but inside it shop time runs fast in the evening and slowly at
night. So an expectation over any window of calendar time is a sum over pieces of shop days.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from jaxtyping import Float64, Int64

OPENS = datetime(2025, 1, 6)
"""The start of day 0, UTC: a Monday."""
OPENS_US = 1_736_121_600_000_000
DAY_US = 86_400_000_000
DAYS_A_WEEK = 7

_BUSY = np.array(
    [3, 2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 6, 6, 5, 5, 5, 5, 6, 8, 10, 10, 8, 5], dtype=np.float64
)
_HOURS = np.linspace(0.0, 1.0, len(_BUSY) + 1)
_PASSED = np.concatenate([[0.0], np.cumsum(_BUSY)]) / _BUSY.sum()


def shop_days(times: Int64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows"]:
    """Shop days since the opening, from µs since 1970 UTC.

    >>> shop_days(np.array([OPENS_US, OPENS_US + DAY_US, OPENS_US + DAY_US // 2])).round(2).tolist()
    [0.0, 1.0, 0.29]
    """
    since = times - OPENS_US
    inside = np.interp((since % DAY_US) / DAY_US, _HOURS, _PASSED)
    return np.asarray(since // DAY_US + inside, np.float64)


def calendar(days: Float64[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
    """µs since 1970 UTC, cut to whole seconds, from shop days since the opening."""
    whole = np.floor(days)
    seconds = np.floor(np.interp(days - whole, _PASSED, _HOURS) * (DAY_US // 1_000_000))
    return np.asarray(OPENS_US + whole * DAY_US + seconds * 1_000_000).astype(np.int64)
