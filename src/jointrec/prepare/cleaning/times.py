"""Times that cannot be: after now, or alone far away from all others.

Both are judged before time is cut, as one wrong year would make the days that test its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64

from jointrec.labels import DAY

from .record import Record

SLACK = DAY
"""How long after now a time may be: clocks are set to zones up to 14 hours apart."""
GAP = 60
"""By how many days, at least, lone times are parted from all others."""
FEW = 100
"""At most one row in so many is alone; and from so many rows on it is asked."""


def put_future_aside(at: str, frame: pl.DataFrame, column: str, record: Record) -> pl.DataFrame:
    """The rows of an event that are not after now, with a finding about the others."""
    future = frame["@time"] > time.time_ns() // 1000 + SLACK
    return _act("future_time", at, frame, future, f"`{column}` is after now.", record)


def put_lone_aside(frames: Mapping[str, pl.DataFrame], record: Record) -> dict[str, pl.DataFrame]:
    """The events without rows at lone times, with findings about those.

    :param frames: All events, by name; those without ``@time`` are given back as they are.
    """
    timed = {name: frame for name, frame in frames.items() if "@time" in frame.columns}
    if not timed:
        return dict(frames)
    counted = pl.concat(
        [frame.group_by((pl.col("@time") // DAY).alias("day")).len() for frame in timed.values()]
    )
    days = counted.group_by("day").agg(pl.col("len").sum()).sort("day")
    lone = lone_days(days["day"].to_numpy(), days["len"].to_numpy().astype(np.int64))
    left = dict(frames)
    if lone.any():
        alone = days.filter(pl.Series(lone))["day"]
        for name, frame in timed.items():
            bad = (frame["@time"] // DAY).is_in(alone.implode())
            text = f"a few rows far away in time from all others, with {GAP} days or more between."
            left[name] = _act("lone_time", f"event.{name}", frame, bad, text, record)
    return left


def lone_days(
    days: Int64[np.ndarray, "days"], counts: Int64[np.ndarray, "days"]
) -> Bool[np.ndarray, "days"]:
    """Which days, in order, are parted from the others and have next to no rows.

    The days fall into pieces wherever at least 60 pass without a row. The piece with most rows
    takes in its neighbours, nearest first, while the gap to them is shorter than itself. What is
    left is alone if it has at most one row in a hundred.

    >>> lone_days(np.array([0, 1, 2, 3000]), np.array([50, 50, 50, 1])).tolist()
    [False, False, False, True]
    """
    if len(days) < 2 or counts.sum() < FEW:
        return np.zeros(len(days), dtype=bool)
    piece = np.concatenate([[0], np.cumsum(np.diff(days) >= GAP)])
    most = int(np.argmax(np.bincount(piece, weights=counts)))
    first = int(np.searchsorted(piece, most))
    last = int(np.searchsorted(piece, most, side="right")) - 1
    while True:
        span = days[last] - days[first]
        before = days[first] - days[first - 1] if first > 0 else None
        after = days[last + 1] - days[last] if last + 1 < len(days) else None
        if before is not None and before <= max(span, GAP - 1):
            first -= 1
        elif after is not None and after <= max(span, GAP - 1):
            last += 1
        else:
            break
    lone = np.ones(len(days), dtype=bool)
    lone[first : last + 1] = False
    return lone & bool(counts[lone].sum() * FEW <= counts.sum())


def _act(
    code: str, at: str, frame: pl.DataFrame, bad: pl.Series, text: str, record: Record
) -> pl.DataFrame:
    if not bad.any():
        return frame
    record.find(code, at, frame.filter(bad), text=text)
    return record.put_aside(at, frame, bad, code) if (
        record.action(code, at) == "quarantine"
    ) else frame  # fmt: skip
