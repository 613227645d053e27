"""Writes a large shop: the schema of the simulated one, made fast and piece by piece, as Parquet.

`jointrec.simulate` knows the truth of every probability and is slow; a measurement of speed needs
only tables of the right shape: users and items whose activity falls off as in a real shop, visits
that show ten items at one moment, outcomes that follow from one another.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t

SHOWN = 10
"""Items that a visit shows."""
PIECE = 1_000_000
"""Impressions that are made at a time."""
DAYS = 90
DAY = 86_400_000_000
OPENS = 1_735_689_600_000_000
"""2025-01-01."""


def project() -> jr.Project:
    """Two entities, two events, six tasks at four grains, all counters."""
    soon = {"active": "30d", "every": "14d"}
    return jr.Project(
        entity={
            "user": jr.Entity("users.parquet", "user_id", {"country": f.Category()}),
            "item": jr.Entity(
                "items.parquet",
                "item_id",
                {"category": f.Category(), "price": f.Number(scale="log"), "listed_at": f.Time()},
            ),
        },
        event={
            "impression": jr.Event(
                "impressions/*.parquet", ("user", "item"), "shown_at",
                features={"device": f.Category(), "discount": f.Number(scale="standard")},
            ),
            "purchase": jr.Event("purchases/*.parquet", ("user", "item"), "paid_at"),
        },
        tasks={
            "click": t.Binary("impression.clicked"),
            "buy": t.Binary("impression.bought", after="click"),
            "churn": t.Binary(later.no("purchase", of="user", within="14d", **soon)),
            "spend": t.Amount(later.sum("purchase.value", of="user", within="14d", **soon)),
            "next_item": t.Retrieval(later.next("purchase.item", of="user")),
            "sales": t.Count(later.sum("purchase.quantity", of="item", within="7d", every="7d")),
        },
        split=jr.ByTime(test_days=14, valid_days=7),
    )  # fmt: skip


def write(folder: Path, impressions: int, seed: int = 0) -> None:
    """Writes the shop to a folder; memory does not grow with its size, but for users and items."""
    users, items = max(impressions // 100, 100), max(min(impressions // 1000, 50_000), 50)
    for name in ("impressions", "purchases"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 0])
    category = rng.integers(0, 30, items)
    price = np.round(np.exp(rng.normal(3, 0.8, items)), 2)
    pl.DataFrame(
        {
            "user_id": _ids("u", np.arange(users)),
            "country": pl.Series(["de", "fr", "cn", "us", "jp"]).gather(rng.integers(0, 5, users)),
        }
    ).write_parquet(folder / "users.parquet")
    pl.DataFrame(
        {
            "item_id": _ids("i", np.arange(items)),
            "category": _ids("c", category),
            "price": price,
            "listed_at": _times(OPENS - rng.integers(1, 400, items) * DAY),
        }
    ).write_parquet(folder / "items.parquet")
    pieces = -(-impressions // PIECE)
    for piece in range(pieces):
        rows = min(PIECE, impressions - piece * PIECE)
        begin = OPENS + DAYS * DAY * piece // pieces
        length = DAYS * DAY // pieces
        _write_piece(folder, piece, rows, (users, price), begin, length, seed)


def _write_piece(
    folder: Path,
    piece: int,
    rows: int,
    world: tuple[int, np.ndarray],
    begin: int,
    length: int,
    seed: int,
) -> None:
    """A stretch of time: the visits in it and what came of them."""
    rng = np.random.default_rng([seed, 1, piece])
    users, price = world
    visits = -(-rows // SHOWN)
    who = (users * rng.random(visits) ** 2).astype(np.int64)
    when = np.sort(rng.integers(begin, begin + length, visits))
    visit = np.repeat(np.arange(visits), SHOWN)[:rows]
    item = (len(price) * rng.random(rows) ** 3).astype(np.int64)
    clicked = rng.random(rows) < 0.02 + 0.1 * ((who[visit] + item) % 3 == 0)
    bought = clicked & (rng.random(rows) < 0.2)
    frame = pl.DataFrame(
        {
            "user_id": _ids("u", who[visit]),
            "item_id": _ids("i", item),
            "shown_at": _times(when[visit]),
            "device": pl.Series(["app", "web", "mobile"]).gather(who[visit] % 3),
            "discount": np.round(rng.integers(0, 4, rows) * 0.1, 1),
            "clicked": clicked.astype(np.int8),
            "bought": bought.astype(np.int8),
        }
    )
    _save(frame, folder / "impressions" / f"{piece:05}.parquet")
    quantity = rng.integers(1, 4, int(bought.sum()))
    purchases = frame.filter(pl.Series(bought)).select(
        "user_id",
        "item_id",
        (pl.col("shown_at") + pl.duration(minutes=5)).alias("paid_at"),
        pl.Series("quantity", quantity),
        pl.Series("value", np.round(quantity * price[item[bought]], 2)),
    )
    _save(purchases, folder / "purchases" / f"{piece:05}.parquet")


def _save(frame: pl.DataFrame, path: Path) -> None:
    table: pa.Table = frame.to_arrow()
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


def _ids(letter: str, numbers: np.ndarray) -> pl.Series:
    return pl.select(pl.format("{}{}", pl.lit(letter), pl.lit(pl.Series(numbers)))).to_series()


def _times(micros: np.ndarray) -> pl.Series:
    return pl.Series(micros).cast(pl.Datetime("us"))
