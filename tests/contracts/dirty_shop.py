"""A clean shop, and for each code of a finding about values or rows a way to dirty it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_700_006_400_000_000  # 2023-11-15, midnight
NUM_USERS, NUM_ITEMS, NUM_ORDERS, DAYS = 80, 30, 4_000, 60
Frames = Mapping[str, pl.DataFrame]


def clean_frames() -> dict[str, pl.DataFrame]:
    """Users who order items, in the order of time, each user and each item at least once."""
    draw = np.random.default_rng(3)
    times = np.sort(draw.choice(DAYS * DAY // 1000, NUM_ORDERS, replace=False)) * 1000 + START
    return {
        "user": pl.DataFrame({"user": [f"u{n}" for n in range(NUM_USERS)]}),
        "item": pl.DataFrame(
            {
                "item": [f"i{n}" for n in range(NUM_ITEMS)],
                "title": [f"Café chair, number {n}" for n in range(NUM_ITEMS)],
            }
        ),
        "order": pl.DataFrame(
            {
                "user": [f"u{n % NUM_USERS}" for n in draw.permutation(NUM_ORDERS)],
                "item": [f"i{n % NUM_ITEMS}" for n in draw.permutation(NUM_ORDERS)],
                "at": times,
                "quantity": draw.integers(1, 6, NUM_ORDERS).astype(float),
                "size": [str(38 + n % 9) for n in draw.permutation(NUM_ORDERS)],
                "note": [("ruhig", "Café", "中文", None)[n % 4] for n in range(NUM_ORDERS)],
            }
        ),
    }


def project(frames: Frames, cleaning: Mapping[str, str] | None = None) -> jr.Project:
    return jr.Project(
        entity={
            "user": jr.Entity(frames["user"], key="user"),
            "item": jr.Entity(frames["item"], key="item", features={"title": f.Text()}),
        },
        event={
            "order": jr.Event(
                frames["order"],
                ("user", "item"),
                time="at",
                features={"size": f.Category(), "note": f.Category()},
            )
        },
        tasks={"quantity": t.Amount("order.quantity")},
        cleaning=cleaning or {},
    )


@dataclass(frozen=True)
class Plant:
    """Dirt of one kind.

    :param table: Where it is.
    :param count: How many values or rows are to be found.
    :param dirty: Puts it into the table.
    """

    table: str
    count: int
    dirty: Callable[[pl.DataFrame], pl.DataFrame]


def changed(column: str, values: Mapping[int, Any]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Puts values into a column, by the number of the row."""

    def dirty(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(frame[column].scatter(list(values), list(values.values())))

    return dirty


def with_rows(
    make: Callable[[pl.DataFrame], Mapping[str, Any]],
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Adds rows, and keeps the table in the order of time."""

    def dirty(frame: pl.DataFrame) -> pl.DataFrame:
        columns = make(frame)
        rows = pl.DataFrame(
            {name: columns.get(name) for name in frame.columns if name in columns}
        ).with_columns(
            pl.lit("i1").alias("item"), pl.lit(2.0).alias("quantity"), pl.lit("40").alias("size")
        )
        rows = rows.with_columns(pl.lit(None, pl.String).alias("note"))
        joined = pl.concat([frame, rows.select(frame.columns).cast(dict(frame.schema))])
        return joined.sort("at", maintain_order=True)

    return dirty


def _repeat(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame[100:107]]).sort("at", maintain_order=True)


def _robot(frame: pl.DataFrame) -> Mapping[str, Any]:
    at = START + 20 * DAY + np.arange(260) * 13_000_000  # 260 rows in less than an hour
    return {"at": at, "user": ["u7"] * 260}


def _burst(frame: pl.DataFrame) -> Mapping[str, Any]:
    at = [START + 20 * DAY + 12_345_678] * 60
    return {"at": at, "user": [f"u{n}" for n in range(60)]}


def _crowd(frame: pl.DataFrame) -> Mapping[str, Any]:
    at = START + 20 * DAY + np.arange(1000) * 80_000_001
    return {"at": at, "user": [f"u{n % NUM_USERS}" for n in range(1000)]}


def _back(frame: pl.DataFrame) -> pl.DataFrame:
    times = frame["at"].to_list()
    for row in (1500, 1600):
        times[row] = times[row - 1] - 2 * HOUR
    return frame.with_columns(pl.Series("at", times))


def _returned(frame: pl.DataFrame) -> pl.DataFrame:
    """Five of the last rows take back what one of the first rows bought."""
    rows, last = frame.to_dicts(), len(frame) - 1
    for n in range(5):
        rows[last - n] |= {"user": rows[n]["user"], "item": rows[n]["item"], "quantity": -1.0}
    return pl.DataFrame(rows, schema=frame.schema)


def _negative(frame: pl.DataFrame) -> pl.DataFrame:
    """The first rows of four pairs are negative, so that nothing was bought before."""
    first = (
        frame.select(pl.struct("user", "item").is_first_distinct())
        .to_series()
        .arg_true()
        .to_list()[:4]
    )
    return changed("quantity", dict.fromkeys(first, -3.0))(frame)


def _unnamed(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, pl.DataFrame({"user": ["w1", "w2", "w3"]})])


def _later_rows_of_robot() -> int:
    """How many rows are meant: all of the robot's from its 101st row in an hour on."""
    frame = with_rows(_robot)(clean_frames()["order"])
    mine = [at for user, at in frame.select("user", "at").iter_rows() if user == "u7"]
    hours: dict[int, int] = {}
    for n, at in enumerate(mine):
        hours[at // HOUR] = hours.get(at // HOUR, 0) + 1
        if hours[at // HOUR] > 100:
            return len(mine) - n
    raise AssertionError("no robot")


PLANTS: Mapping[str, Plant] = {
    "repeated_row": Plant("order", 7, _repeat),
    "bot": Plant("order", _later_rows_of_robot(), with_rows(_robot)),
    "clock_burst": Plant("order", 60, with_rows(_burst)),
    "clock_back": Plant("order", 2, _back),
    "crowded_day": Plant(
        "order", 1000 + clean_frames()["order"].filter(
            pl.col("at").is_between(START + 20 * DAY, START + 21 * DAY, closed="left")
        ).height, with_rows(_crowd),
    ),
    "absurd_number": Plant("order", 3, changed("quantity", dict.fromkeys((5, 900, 3999), 2e9))),
    "large_number": Plant("order", 2, changed("quantity", {7: 800.0, 3990: 4999.0})),
    "return": Plant("order", 5, _returned),
    "negative_number": Plant("order", 4, _negative),
    "mixed_types": Plant("order", 3, changed("size", {3: "small", 44: "small", 3000: "small"})),
    "mojibake": Plant("order", 4, changed("note", dict.fromkeys((2, 30, 60, 3900), "CafÃ©"))),
    "constant_column": Plant(
        "order", NUM_ORDERS, lambda frame: frame.with_columns(pl.lit("40").alias("size"))
    ),
    "near_duplicate": Plant("item", 2, changed("title", {
        3: "cafe\u0301 Chair  NUMBER 4", 9: "Café chair: number 8!"
    })),
    "unnamed": Plant("user", 3, _unnamed),
}  # fmt: skip


def dirty_frames(code: str) -> dict[str, pl.DataFrame]:
    """The shop with dirt of one kind."""
    frames, plant = clean_frames(), PLANTS[code]
    return {**frames, plant.table: plant.dirty(frames[plant.table])}
