"""A shop small enough to be counted by hand, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.prepare import Tables
from jointrec.splits import Cuts

HOUR = 3_600_000_000
DAY = 24 * HOUR

BRANDS = ("red", "blue", None, "red", "green")
CATEGORIES = ("shoe", "sock", "shoe", None, "sock")
NUM_USERS, NUM_ITEMS, NUM_QUERIES = 4, len(BRANDS), 2


def shop(**tasks: t.Task) -> jr.Project:
    """Users are shown items for queries and buy them; people judge items."""
    return jr.Project(
        entity={
            "user": jr.Entity("users", key="user", features={"country": f.Category()}),
            "item": jr.Entity(
                "items", key="item", features={"brand": f.Category(), "category": f.Category()}
            ),
            "query": jr.Entity("queries", key="query"),
        },
        event={
            "impression": jr.Event(
                "impressions", entities=("user", "query", "item"), time="time", matures="1d"
            ),
            "purchase": jr.Event("purchases", entities=("user", "item"), time="time"),
            "judgement": jr.Event("judgements", entities=("query", "item")),
        },
        tasks=tasks or funnel(),
        counters=("1h", "7d", "1d"),
    )


def funnel() -> dict[str, t.Task]:
    """Three outcomes of an impression, the deepest declared first, and a later label."""
    return {
        "buy": t.Binary("impression.bought", after="cart"),
        "cart": t.Binary("impression.carted", after="click"),
        "click": t.Binary("impression.clicked"),
        "back": t.Binary(later.any("purchase", of="user", within="7d")),
        "worth": t.Amount(later.sum("purchase.value", of="user", within="7d")),
    }


def tables(**events: Sequence[Mapping[str, Any]]) -> Tables:
    """Tables with rows given one by one: ``user=2, item=0`` are codes, ``time`` is in µs."""
    frames = {name: frame(name, events.get(name, ())) for name in SCHEMAS}
    times = pl.concat([frames[name]["@time"] for name in ("impression", "purchase")])
    return Tables(
        entities={
            "user": pl.DataFrame(
                {
                    "@key": ["a", "b", "c", "d"],
                    "country": ["x", "y", "x", None],
                    "plan": ["free", "paid", None, "free"],
                }
            ),
            "item": pl.DataFrame({"@key": list("vwxyz"), "brand": BRANDS, "category": CATEGORIES}),
            "query": pl.DataFrame({"@key": ["p", "q"]}),
        },
        events=frames,
        findings=(),
        quarantine={},
        rows_in={},
        first=times.min(),  # type: ignore[arg-type]
        until=times.max() + 1 if len(times) else None,  # type: ignore[operator,arg-type]
        cuts=Cuts(None, None),
    )


SCHEMAS: dict[str, dict[str, Any]] = {
    "impression": {
        "@user": pl.Int64, "@query": pl.Int64, "@item": pl.Int64, "@time": pl.Int64,
        "clicked": pl.Float64, "carted": pl.Float64, "bought": pl.Float64,
    },
    "purchase": {"@user": pl.Int64, "@item": pl.Int64, "@time": pl.Int64, "value": pl.Float64},
    "judgement": {"@query": pl.Int64, "@item": pl.Int64, "grade": pl.Float64},
}  # fmt: skip


def frame(event: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The table of an event; codes that are not given are unknown, columns null."""
    columns = {
        name: [row.get(name.removeprefix("@"), 0 if name.startswith("@") else None) for row in rows]
        for name in SCHEMAS[event]
    }
    return pl.DataFrame(columns, schema=SCHEMAS[event])


def random_rows(seed: int, num_rows: int, last: int) -> dict[str, list[dict[str, Any]]]:
    """Impressions and purchases at random, some of unknown users and items, many at one moment."""
    generator = np.random.default_rng(seed)

    def row() -> dict[str, Any]:
        return {
            "user": int(generator.integers(0, NUM_USERS + 1)),
            "query": int(generator.integers(0, NUM_QUERIES + 1)),
            "item": int(generator.integers(0, NUM_ITEMS + 1)),
            "time": int(generator.integers(0, last // HOUR)) * HOUR,
            "value": [None, 0.01, 7.5, 1e9][generator.integers(0, 4)],
            **{
                name: [None, 0.0, 0.0, 1.0][generator.integers(0, 4)]
                for name in ("clicked", "carted", "bought")
            },
        }

    return {name: [row() for _ in range(num_rows)] for name in ("impression", "purchase")}
