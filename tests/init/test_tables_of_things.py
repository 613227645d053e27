"""Keys that are called otherwise where they are named, and tables in which little is sure."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

import jointrec as jr
from jointrec.init import propose
from jointrec.init.telling import tells
from jointrec.plan import plan
from jointrec.prepare.check import check


def bought(rows: int = 300) -> pl.DataFrame:
    chance = np.random.default_rng(2)
    start = datetime(2024, 1, 1)
    return pl.DataFrame(
        {
            "id": range(rows),
            "user_id": chance.integers(1, 31, rows),
            "product_id": chance.integers(1, 11, rows),
            "created_at": [start + timedelta(hours=5 * n) for n in range(rows)],
            "amount": chance.gamma(2, 10, rows),
        }
    )


def test_the_id_of_users_is_the_user_id_of_orders(tmp_path: Path):
    users = pl.DataFrame({"id": range(1, 31), "country": ["de", "fr", "cn"] * 10})
    users.write_csv(tmp_path / "users.csv")
    pl.DataFrame({"id": range(1, 11), "brand": ["red", "blue"] * 5}).write_csv(
        tmp_path / "products.csv"
    )
    bought().write_csv(tmp_path / "orders.csv")
    shop = jr.parse(propose(tmp_path))
    assert {name: entity.key for name, entity in shop.entity.items()} == {
        "user": "id",
        "product": "id",
    }
    order = shop.event["order"]
    assert order.entities == ("user", "product")
    assert order.keys == {"user": "user_id", "product": "product_id"}
    assert (order.key, order.time) == ("id", "created_at")
    assert str(shop.tasks["spend"].label) == "sum(order.amount, of=user, within=7d)"
    assert check(shop, tmp_path).quarantined == {}


def test_a_thing_that_two_tables_name_is_made_of_the_one_that_names_more(tmp_path: Path):
    lines = bought()
    lines.write_parquet(tmp_path / "orders.parquet")
    seen = lines.select(user_id=pl.col("user_id") + 5, product_id="product_id", at="created_at")
    pl.concat([seen, seen.with_columns(user_id=pl.col("user_id") + 40)]).write_parquet(
        tmp_path / "views.parquet"
    )
    shop = jr.parse(propose(tmp_path))
    assert shop.entity["user"].source == "views.parquet"
    assert shop.entity["user"].time == "at"
    assert shop.event["order"].entities == shop.event["view"].entities == ("user", "product")
    plan(shop)


def test_times_without_a_zone_are_pointed_at(tmp_path: Path):
    bought().write_parquet(tmp_path / "orders.parquet")
    assert "# time_zone = " in propose(tmp_path)
    zoned = bought().with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    zoned.write_parquet(tmp_path / "orders.parquet")
    assert "time_zone" not in propose(tmp_path)


def test_an_outcome_of_a_thing_without_a_table_is_no_feature_of_it(tmp_path: Path):
    lines = bought().with_columns(
        churned=pl.col("user_id") % 2, plan=pl.when(pl.col("user_id") > 9).then(pl.lit("paid"))
        .otherwise(pl.lit("free")),
    )  # fmt: skip
    lines.write_parquet(tmp_path / "orders.parquet")
    shop = jr.parse(propose(tmp_path))
    assert set(shop.entity["user"].features) == {"plan"}


def test_what_a_column_tells_of_a_key_is_counted_beyond_the_usual():
    usual = pl.DataFrame({"key": ["a", "b"] * 50, "land": ["x"] * 90 + ["y"] * 10})
    assert tells(usual, "key", "land") == 0.0
    once = pl.DataFrame({"key": range(100), "land": ["x", "y"] * 50})
    assert tells(once, "key", "land") == 0.0
    assert tells(usual.with_columns(land=pl.lit("x")), "key", "land") == 0.0


def test_two_tables_of_one_kind_of_thing_have_two_names(tmp_path: Path):
    for name in ("toys", "books"):
        frame = pl.DataFrame({"item_id": range(50), "brand": ["red", "blue"] * 25})
        frame.with_columns(photo=pl.lit(b"\x89PNG")).write_parquet(tmp_path / f"{name}.parquet")
    bought().rename({"product_id": "item_id"}).write_parquet(tmp_path / "orders.parquet")
    shop = jr.parse(propose(tmp_path))
    assert set(shop.entity) == {"item", "toy", "user"}
    assert set(shop.entity["item"].features) == set(shop.entity["toy"].features) == {"brand"}


def shown_ads() -> pl.DataFrame:
    """What an ad server logs: who was shown what, and what came of it."""
    draw = np.random.default_rng(3)
    clicked = draw.random(900) < 0.3
    ordered = clicked & (draw.random(900) < 0.3)
    return pl.DataFrame(
        {
            "ts": np.sort(draw.integers(1_735_689_600, 1_745_689_600, 900)),
            "uid": draw.integers(-50, 50, 900) * 2**50,
            "ad_id": [f"{number:016x}" for number in draw.integers(0, 20, 900) * 2**40],
            "click": clicked.astype(int),
            "order": ordered.astype(int),
            "gmv": np.where(ordered, 9.5, 0.0),
            "is_new": np.where(draw.random(900) < 0.3, "Y", "N"),
        }
    )


def test_a_log_of_ads_joins_users_and_ads(tmp_path: Path):
    shown_ads().write_csv(tmp_path / "log.csv")
    shop = jr.parse(propose(tmp_path))
    assert {name: one.key for name, one in shop.entity.items()} == {"user": "uid", "ad": "ad_id"}
    assert shop.event["log"].entities == ("user", "ad")


def test_what_a_shopper_did_is_asked_of_a_table_of_one_thing_a_row(tmp_path: Path):
    shown_ads().drop("uid", "ad_id").write_csv(tmp_path / "log.csv")
    shop = jr.parse(propose(tmp_path))
    assert {name: task.after for name, task in shop.tasks.items()} == {
        "click": None,
        "order": "click",
        "gmv": "order",
    }
    assert set(shop.entity["log"].features) == {"ts", "is_new"}
