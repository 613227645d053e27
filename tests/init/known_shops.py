"""Small shops made by chance whose tables look as four products export them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

DAYS, USERS, ITEMS = 60, 40, 15
START = datetime(2024, 3, 1, tzinfo=UTC)
Frames = Mapping[str, pl.DataFrame]


def visits(seed: int = 0) -> pl.DataFrame:
    """What shoppers do: they look, sometimes put into the cart, sometimes buy."""
    chance = np.random.default_rng(seed)
    rows = []
    for visit in range(900):
        user, item = int(chance.integers(USERS)), int(chance.integers(ITEMS))
        at = START + timedelta(seconds=float(chance.uniform(0, DAYS * 86_400)))
        steps = ["home", "view", "cart", "buy"][: 2 + int(chance.choice(3, p=[0.4, 0.2, 0.4]))]
        for step, kind in enumerate(steps):
            rows.append((visit, user, item, kind, at + timedelta(minutes=step)))
    columns = ["visit", "user", "item", "kind", "at"]
    frame = pl.DataFrame(rows, schema=columns, orient="row").sort("at")
    price = 5.0 + pl.col("item")
    return frame.with_columns(
        price=price,
        quantity=pl.Series(chance.integers(1, 4, len(frame))),
        country=pl.when(pl.col("user") % 3 == 0).then(pl.lit("de")).otherwise(pl.lit("fr")),
        title=pl.format("a thing number {}", "item"),
        brand=pl.when(pl.col("item") % 2 == 0).then(pl.lit("red")).otherwise(pl.lit("blue")),
    )


def _kinds(names: Mapping[str, str]) -> pl.Expr:
    return pl.col("kind").replace_strict(names)


def _of_items(values: pl.Expr) -> pl.Expr:
    """Known only where the row is about an item."""
    return pl.when(pl.col("kind") != "home").then(values)


def ga4(seed: int = 0) -> Frames:
    """One flattened table: a row for each event and item."""
    named = {"home": "page_view", "view": "view_item", "cart": "add_to_cart", "buy": "purchase"}
    shown = visits(seed).select(
        event_date=pl.col("at").dt.strftime("%Y%m%d"),
        event_timestamp=pl.col("at").dt.epoch("us"),
        event_name=_kinds(named),
        user_pseudo_id=pl.format("{}.77", pl.col("user") + 1_000_000),
        user_id=pl.lit(None, pl.String),
        ga_session_id=pl.col("visit") + 1_600_000_000,
        **{"geo.country": pl.col("country")},
        item_id=_of_items(pl.format("SKU{}", "item")),
        item_name=_of_items(pl.col("title")),
        item_brand=_of_items(pl.col("brand")),
        price=_of_items(pl.col("price")),
        quantity=_of_items(pl.col("quantity")),
    )
    return {"events_flat": shown}


def ga4_two(seed: int = 0) -> Frames:
    """A table of events and one of the items in them."""
    flat = ga4(seed)["events_flat"]
    items = [name for name in flat.columns if name.startswith(("item", "price", "quantity"))]
    said = ["event_timestamp", "event_name", "user_pseudo_id", *items]
    return {
        "events": flat.drop(items),
        "items": flat.filter(pl.col("item_id").is_not_null()).select(said),
    }


def personalize(seed: int = 0) -> Frames:
    named = {"view": "View", "cart": "AddToCart", "buy": "Purchase"}
    rows = visits(seed)
    return {
        "Interactions": rows.filter(pl.col("kind") != "home").select(
            USER_ID="user", ITEM_ID=pl.format("i{}", "item"), TIMESTAMP=pl.col("at").dt.epoch("s"),
            EVENT_TYPE=_kinds(named), EVENT_VALUE=pl.when(pl.col("kind") == "buy").then("price"),
        ),
        "Users": rows.unique("user").sort("user").select(USER_ID="user", COUNTRY="country"),
        "Items": rows.unique("item").sort("item").select(
            ITEM_ID=pl.format("i{}", "item"), CREATION_TIMESTAMP=pl.lit(1_700_000_000),
            CATEGORIES=pl.format("{}|things", "brand"), PRICE="price",
        ),
    }  # fmt: skip


def gorse(seed: int = 0) -> Frames:
    named = {"view": "read", "cart": "cart", "buy": "buy"}
    rows = visits(seed)
    return {
        "feedback": rows.filter(pl.col("kind") != "home").select(
            FeedbackType=_kinds(named), UserId=pl.format("u{}", "user"),
            ItemId=pl.format("i{}", "item"),
            Value=pl.lit(0.0), Timestamp=pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            Comment=pl.lit(""),
        ),
        "users": rows.unique("user").sort("user").select(
            UserId=pl.format("u{}", "user"), Labels=pl.format('{{"country": "{}"}}', "country"),
            Comment=pl.lit(""),
        ),
        "items": rows.unique("item").sort("item").select(
            ItemId=pl.format("i{}", "item"), IsHidden=pl.col("item") == 3,
            Categories=pl.format('["{}"]', "brand"), Timestamp=pl.lit("2024-01-01T00:00:00Z"),
            Labels=pl.lit("[]"), Comment=pl.col("title"),
        ),
    }  # fmt: skip


def retail(seed: int = 0) -> Frames:
    named = {
        "home": "home-page-view", "view": "detail-page-view", "cart": "add-to-cart",
        "buy": "purchase-complete",
    }  # fmt: skip
    rows = visits(seed)
    bought = pl.when(pl.col("kind") == "buy")
    return {
        "user_events": rows.select(
            eventType=_kinds(named), visitorId=pl.format("v{}", "user"),
            eventTime=pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **{
                "productDetails.product.id": _of_items(pl.format("p{}", "item")),
                "productDetails.quantity": _of_items(pl.col("quantity")),
                "purchaseTransaction.revenue": bought.then(pl.col("price") * pl.col("quantity")),
            },
        ),
        "catalog": rows.unique("item").sort("item").select(
            id=pl.format("p{}", "item"), title="title", brands="brand",
            categories=pl.format("Home > {}", "brand"), **{"priceInfo.price": pl.col("price")},
        ),
    }  # fmt: skip


def order_lines(seed: int = 0) -> Frames:
    """One table of order lines whose columns have blanks in their names."""
    lines = visits(seed).filter(pl.col("kind") == "buy")
    return {
        "online retail": lines.select(
            pl.col("visit").cast(pl.String).alias("Invoice"),
            pl.format("{}A", pl.col("item") + 20_000).alias("StockCode"),
            pl.col("title").alias("Description"),
            pl.col("quantity").alias("Quantity"),
            pl.col("at").dt.replace_time_zone(None).alias("InvoiceDate"),
            pl.col("price").alias("Price"),
            pl.when(pl.col("visit") % 9 > 0).then(pl.col("user") + 12_000).alias("Customer ID"),
            pl.col("country").alias("Country"),
        )
    }


SHOPS: Mapping[str, Callable[[int], Frames]] = {
    "Google Analytics 4": ga4,
    "Google Analytics 4 in two tables": ga4_two,
    "Amazon Personalize": personalize,
    "Gorse": gorse,
    "Google Retail": retail,
    "order lines": order_lines,
}
