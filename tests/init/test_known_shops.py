"""Schemas that shops already have, and tables of order lines, give projects that can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from known_shops import SHOPS

import jointrec as jr
from jointrec import features as f
from jointrec.init import propose
from jointrec.model import Compare
from jointrec.prepare.check import check
from jointrec.tasks import Ordinal


def write(folder: Path, name: str, ending: str = "parquet", seed: int = 0) -> Path:
    for table, frame in SHOPS[name](seed).items():
        if ending == "csv":
            frame.write_csv(folder / f"{table}.csv")
        else:
            frame.write_parquet(folder / f"{table}.parquet")
    return folder


EXPECTED: dict[str, dict[str, Any]] = {
    "Google Analytics 4": {
        "entities": {"user": "user_pseudo_id", "item": "item_id"},
        "events": ["page_view", "view_item", "add_to_cart", "purchase"],
        "features": {
            "user": {"geo.country": f.Category()},
            "item": {"item_name": f.Category(), "item_brand": f.Category()},
        },
        "spend": "sum(purchase.quantity * purchase.price, of=user, within=7d)",
        "sales": "sum(purchase.quantity, of=item, within=7d)",
        "buy": "any(purchase, of=view_item, within=1d)",
    },
    "Google Analytics 4 in two tables": {
        "entities": {"user": "user_pseudo_id", "item": "item_id"},
        "events": ["view_item", "add_to_cart", "purchase", "page_view"],
        "features": {"user": {"geo.country": f.Category()}},
        "spend": "sum(purchase.quantity * purchase.price, of=user, within=7d)",
        "sales": "sum(purchase.quantity, of=item, within=7d)",
        "buy": "any(purchase, of=view_item, within=1d)",
    },
    "Amazon Personalize": {
        "entities": {"item": "ITEM_ID", "user": "USER_ID"},
        "events": ["view", "add_to_cart", "purchase"],
        "features": {
            "user": {"COUNTRY": f.Category()},
            "item": {
                "CREATION_TIMESTAMP": f.Time(),
                "CATEGORIES": f.Set(),
                "PRICE": f.Number(),
            },
        },
        "spend": "sum(purchase.EVENT_VALUE, of=user, within=7d)",
        "sales": "count(purchase, of=item, within=7d)",
        "buy": "any(purchase, of=view, within=1d)",
    },
    "Gorse": {
        "entities": {"item": "ItemId", "user": "UserId"},
        "events": ["read", "cart", "buy"],
        "features": {"user": {}},
        "spend": None,
        "sales": "count(buy, of=item, within=7d)",
        "buy": "any(buy, of=read, within=1d)",
    },
    "Google Retail": {
        "entities": {"item": "id", "user": "visitorId"},
        "events": ["home_page_view", "detail_page_view", "add_to_cart", "purchase_complete"],
        "features": {"item": {}},
        "spend": "sum(purchase_complete.purchaseTransaction.revenue, of=user, within=7d)",
        "sales": "sum(purchase_complete.productDetails.quantity, of=item, within=7d)",
        "buy": "any(purchase_complete, of=detail_page_view, within=1d)",
    },
    "order lines": {
        "entities": {"customer": "Customer ID", "item": "StockCode"},
        "events": ["purchase"],
        "features": {
            "customer": {"Country": f.Category()},
            "item": {"Description": f.Category(), "Price": f.Number()},
        },
        "spend": "sum(purchase.Quantity * purchase.Price, of=customer, within=7d)",
        "sales": "sum(purchase.Quantity, of=item, within=7d)",
        "buy": None,
    },
}


@pytest.mark.parametrize(
    ("name", "ending"),
    [*((name, "parquet") for name in SHOPS), ("Gorse", "csv"), ("order lines", "csv")],
)
def test_a_known_shop_is_understood_and_can_be_trained(tmp_path: Path, name: str, ending: str):
    text = propose(write(tmp_path, name, ending))
    shop, expected = jr.parse(text), EXPECTED[name]
    assert {entity: made.key for entity, made in shop.entity.items()} == expected["entities"]
    assert list(shop.event) == expected["events"]
    for entity, features in expected["features"].items():
        assert dict(shop.entity[entity].features).items() >= features.items()
    for task in ("spend", "sales", "buy"):
        label = shop.tasks[task].label if task in shop.tasks else None
        assert (None if label is None else str(label)) == expected[task]
    assert {"churn", "next_item"} <= set(shop.tasks)
    if name.split(" in ")[0] != "order lines":
        assert f"# The names of the columns are those of {name.split(' in ')[0]}." in text
    for event in shop.event.values():
        assert event.entities[0] in ("user", "customer")
    checked = check(shop, tmp_path)
    assert all(min(task.known) > 0 for grain in checked.grains for task in grain.tasks.values())


def test_an_event_in_two_tables_is_read_once(tmp_path: Path):
    text = propose(write(tmp_path, "Google Analytics 4 in two tables"))
    assert (
        "# Left out: `purchase` is in another table too; if these are others, uncomment them."
        in text
    )
    assert "# [event.event_purchase]" in text


def test_a_page_view_names_no_item(tmp_path: Path):
    shop = jr.parse(propose(write(tmp_path, "Google Retail")))
    assert shop.event["home_page_view"].entities == ("user",)
    assert shop.event["detail_page_view"].entities == ("user", "item")
    assert shop.event["detail_page_view"].keys == {"item": "productDetails.product.id"}


def test_what_changes_with_every_row_tells_of_no_thing(tmp_path: Path):
    frame = SHOPS["order lines"](0)["online retail"]
    frame = frame.with_columns(Price=pl.col("Quantity") * 0.25 + 3)
    frame.write_parquet(tmp_path / "online retail.parquet")
    shop = jr.parse(propose(tmp_path))
    assert set(shop.entity["item"].features) == {"Description"}


@pytest.mark.parametrize(("share", "returns"), [(0.0, None), (0.1, "Quantity"), (0.4, None)])
def test_numbers_that_are_seldom_negative_are_returns(
    tmp_path: Path, share: float, returns: str | None
):
    frame = SHOPS["order lines"](0)["online retail"]
    back = pl.int_range(pl.len()) < share * pl.len()
    frame = frame.with_columns(pl.when(back).then(-pl.col("Quantity")).otherwise("Quantity"))
    frame.write_csv(tmp_path / "online retail.csv")
    text = propose(tmp_path)
    assert jr.parse(text).event["purchase"].returns == returns
    assert ("given back, not bought" in text) == (returns is not None)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOPS)
def test_a_known_shop_is_trained(tmp_path: Path, name: str):
    (tmp_path / "data").mkdir()
    shop = jr.parse(propose(write(tmp_path / "data", name)))
    compare = Compare(alone=False, baselines=(), rounds=10)
    model = jr.fit(shop, root=tmp_path / "data", out=tmp_path / "out", compare=compare)
    loaded = jr.load(tmp_path / "out" / "model")
    churn = model.predict("churn")
    assert churn.equals(loaded.predict("churn"))
    assert churn["answer"].is_between(0, 1).all()
    who = next(iter(shop.entity)) if name == "order lines" else "user"
    best = loaded.recommend(k=5, rank_by={"next_item": 1}, **{who: churn[who][0]})
    assert len(best) == 5


def test_the_real_order_lines(data_root: Path):
    folder = data_root / "online_retail"
    if not folder.is_dir():
        pytest.skip("no online_retail data here")
    shop = jr.parse(propose(folder))
    assert {name: entity.key for name, entity in shop.entity.items()} == {
        "customer": "CustomerID",
        "item": "StockCode",
    }
    sales = {"sales_7d", "sales_14d", "sales_28d"}
    assert {"churn", "until_transaction", "spend", "next_item", *sales} == set(shop.tasks)
    assert shop.event["transaction"].returns == "Quantity"
    assert set(shop.entity["item"].features) == {"Description"}
    assert set(shop.entity["customer"].features) == {"Country"}


def test_the_real_judgements(data_root: Path):
    folder = data_root / "home_depot"
    if not folder.is_dir():
        pytest.skip("no home_depot data here")
    shop = jr.parse(propose(folder))
    assert set(shop.entity) == {"query", "product"}
    assert shop.tasks == {"relevance": Ordinal("judgement.relevance")}


def test_the_real_mailing(data_root: Path):
    folder = data_root / "hillstrom"
    if not folder.is_dir():
        pytest.skip("no hillstrom data here")
    shop = jr.parse(propose(folder))
    assert {name: task.after for name, task in shop.tasks.items()} == {
        "visit": None,
        "conversion": "visit",
        "spend": "conversion",
    }
