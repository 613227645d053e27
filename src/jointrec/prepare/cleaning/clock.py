"""Times that a clock or a batch job made, not those who acted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import polars as pl

from jointrec.labels import DAY

from .base import LEAST, Detector, Limits, Odd, View

MINUTE = 60_000_000
SAMPLE = 50_000
"""From how many rows on only some moments are looked at to learn what is usual."""


class ClockBurst(Detector):
    """Moments at which far more different actors act than ever at once.

    The first entity of an event acts. A moment is one µs; where times are whole days, many act at
    each, and the limit is as much higher.
    """

    code = "clock_burst"
    times, floor = 50, 20

    def learn(self, view: View) -> dict[str, float]:
        """For each event with a time, how many at one moment are too many."""
        found: dict[str, float] = {}
        for name, frame in view.timed().items():
            rows = frame.select("@time", _actor(view, name)).filter(view.seen[name])
            if len(rows) >= LEAST:
                actors = rows.filter(pl.col("@time") % _step(len(rows)) == 0).unique()
                usual = np.quantile(actors["@time"].value_counts()["count"], 0.99) if (
                    len(actors)
                ) else 1  # fmt: skip
                found[name] = float(max(self.floor, self.times * usual))
        return found

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """The rows at such moments."""
        for name, limit in limits.items():
            frame, actor = view.tables.events[name], _actor(view, name)
            crowded = _repeated(frame["@time"], int(limit))
            if crowded.is_empty():
                continue
            many = frame.filter(pl.col("@time").is_in(crowded.implode()))
            acted = many.group_by("@time").agg(pl.col(actor).n_unique().alias("actors"))
            moments = acted.filter(pl.col("actors") > limit)["@time"]
            rows = frame["@time"].is_in(moments.implode())
            text = f"rows at one identical time of more than {limit:g} different {actor[1:]}s."
            yield Odd(name, view.project.event[name].time, rows, text, None, _shown(moments))


class ClockBack(Detector):
    """Rows of a log whose time is more than a minute before that of the row before.

    A table is a log if its rows, or its numbered keys, are in the order of time but for at most one
    in a thousand, and most of those go back by a day at most. Others are in another order, such as
    by user, and there it means nothing.
    """

    code = "clock_back"
    by_order = True

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """The rows right after such a step."""
        for name, frame in view.timed().items():
            if len(frame) >= LEAST:
                order = _numbered(frame, view.project.event[name].key)
                times = frame["@time"].gather(order) if order is not None else frame["@time"]
                steps = times.diff().fill_null(0)
                back = steps < -MINUTE
                count = int(back.sum())
                short = int((back & (steps >= -DAY)).sum())
                if 0 < count <= max(1, len(frame) // 1000) and 2 * short > count:
                    rows = back if order is None else _put_back(back, order)
                    text = "rows whose time is before that of the row before."
                    yield Odd(name, view.project.event[name].time, rows, text, None, _shown(
                        frame["@time"].filter(rows)
                    ))  # fmt: skip


def _numbered(frame: pl.DataFrame, key: str | None) -> pl.Series | None:
    """The rows in the order of their key, where it is a whole number in all rows."""
    if key is None:
        return None
    numbers = frame[key].cast(pl.Int64, strict=False)
    return None if numbers.has_nulls() else numbers.arg_sort()


def _put_back(mask: pl.Series, order: pl.Series) -> pl.Series:
    rows = pl.repeat(False, len(mask), eager=True)
    return rows.scatter(order, mask)


class CrowdedDay(Detector):
    """Days (UTC) with more than ten times as many rows as the median day that training saw."""

    code = "crowded_day"
    times, days = 10, 14

    def learn(self, view: View) -> dict[str, float]:
        """For each event with a time, how many rows are too many for a day."""
        found: dict[str, float] = {}
        for name, frame in view.timed().items():
            seen = (frame["@time"].filter(view.seen[name]) // DAY).value_counts()["count"]
            if len(seen) >= self.days:
                found[name] = float(max(LEAST, self.times * np.median(seen)))
        return found

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """The rows of such days."""
        for name, limit in limits.items():
            days = view.tables.events[name]["@time"] // DAY
            crowded = days.value_counts().filter(pl.col("count") > limit)["@time"].sort()
            if len(crowded):
                text = f"rows of days with more than {limit:,.0f}, ten times the median day."
                column = view.project.event[name].time
                rows = days.is_in(crowded.implode())
                yield Odd(name, column, rows, text, None, _shown(crowded * DAY))


def _repeated(times: pl.Series, most: int) -> pl.Series:
    """The moments that are there more often than so many times.

    >>> _repeated(pl.Series([3, 1, 3, 3, 1]), 2).to_list()
    [3]
    """
    ordered = times.sort()
    same = ordered[most:] == ordered[: max(len(ordered) - most, 0)]
    return ordered[most:].filter(same).unique()


def _actor(view: View, name: str) -> str:
    return f"@{view.project.event[name].entities[0]}"


def _step(num_rows: int) -> int:
    """Of how many moments one is looked at: coprime with 30, as times are often whole minutes."""
    step = max(1, num_rows // SAMPLE)
    while step > 1 and (step % 2 == 0 or step % 3 == 0 or step % 5 == 0):
        step += 1
    return step


def _shown(moments: pl.Series) -> tuple[str, ...]:
    """A few moments as people write them."""
    few = moments.unique().sort().head(3).to_list()
    return tuple(datetime.fromtimestamp(m / 1e6, tz=UTC).isoformat(" ", "seconds") for m in few)
