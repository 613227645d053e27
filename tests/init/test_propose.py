"""The file that `jointrec init` writes: what each table is, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec.errors import JointRecError, SourceError
from jointrec.init import propose
from jointrec.plan import plan
from jointrec.prepare.check import check


def tables(days: int = 90) -> Mapping[str, pl.DataFrame]:
    """A shop made by hand: customers, products, what was shown, what was bought."""
    generator = np.random.default_rng(1)
    shown, bought, start = 600, 200, datetime(2024, 1, 1)
    customers = [f"{n:03}" for n in range(60)]
    products = [f"p{n}" for n in range(30)]

    def times(rows: int) -> pl.Series:
        seconds = np.sort(generator.integers(0, days * 86_400, rows))
        return pl.Series([start]).repeat_by(rows).explode() + pl.Series(seconds * 10**6).cast(
            pl.Duration("us")
        )

    clicked = generator.random(shown) < 0.4
    carted = clicked & (generator.random(shown) < 0.5)
    return {
        "customers": pl.DataFrame(
            {
                "customer_id": customers,
                "country": generator.choice(["de", "fr", "中国"], 60),
                "since": [start] * 60,
                "constant": ["x"] * 60,
            }
        ),
        "products": pl.DataFrame(
            {
                "product_id": products,
                "title": [f"a very nice thing number {n}" for n in range(30)],
                "brand": generator.choice(["red", "blue"], 30),
                "price": np.exp(generator.normal(3, 1.5, 30)).round(2),
            }
        ),
        "impressions": pl.DataFrame(
            {
                "customer_id": generator.choice(customers, shown),
                "product_id": generator.choice(products, shown),
                "time": times(shown),
                "device": generator.choice(["phone", "desk"], shown),
                "clicked": clicked.astype(int),
                "carted": carted.astype(int),
                "revenue": np.where(carted, 9.5, 0.0),
            }
        ),
        "orders": pl.DataFrame(
            {
                "order_id": [f"o{n}" for n in range(bought)],
                "customer_id": generator.choice(customers, bought),
                "product_id": generator.choice(products, bought),
                "paid_at": times(bought),
                "quantity": generator.integers(1, 5, bought),
                "value": generator.gamma(2, 20, bought).round(2),
            }
        ),
    }


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path.with_suffix(".csv"))


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path.with_suffix(".parquet"))


Writer = Callable[[pl.DataFrame, Path], None]


def folder_of(folder: Path, frames: Mapping[str, pl.DataFrame], write: Writer = write_csv) -> Path:
    for name, frame in frames.items():
        write(frame, folder / name)
    return folder


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_shop_is_understood(tmp_path: Path, write: Writer):
    text = propose(folder_of(tmp_path, tables(), write))
    shop = jr.parse(text)
    ending = "csv" if write is write_csv else "parquet"
    assert {name: entity.key for name, entity in shop.entity.items()} == {
        "customer": "customer_id",
        "product": "product_id",
    }
    assert shop.entity["customer"].source == f"customers.{ending}"
    assert shop.entity["customer"].features == {"country": f.Category(), "since": f.Time()}
    assert shop.entity["product"].features == {
        "title": f.Text(),
        "brand": f.Category(),
        "price": f.Number(scale="log"),
    }
    assert shop.event["impression"].entities == ("customer", "product")
    assert shop.event["impression"].time == "time"
    assert shop.event["impression"].features == {"device": f.Category()}
    assert (shop.event["order"].key, shop.event["order"].time) == ("order_id", "paid_at")
    tasks = {
        name: (type(task).__name__, str(task.label), task.after)
        for name, task in shop.tasks.items()
    }
    assert tasks == {
        "clicked": ("Binary", "impression.clicked", None),
        "carted": ("Binary", "impression.carted", "clicked"),
        "revenue": ("Amount", "impression.revenue", "carted"),
        "churn": ("Binary", "no(order, of=customer, within=14d)", None),
        "spend": ("Amount", "sum(order.value, of=customer, within=14d)", None),
        "until_order": ("Survival", "until(order, of=customer, within=28d)", None),
        "sales_7d": ("Count", "sum(order.quantity, of=product, within=7d)", None),
        "sales_14d": ("Count", "sum(order.quantity, of=product, within=14d)", "sales_7d"),
        "next_product": ("Retrieval", "next(order.product, of=customer)", None),
    }
    plan(shop)
    checked = check(shop, tmp_path)
    assert len(checked.grains) == 4
    assert checked.quarantined == {}


def test_csv_and_parquet_of_one_shop_give_one_project(tmp_path: Path):
    texts = []
    for write, ending in ((write_csv, ".csv"), (write_parquet, ".parquet")):
        folder = tmp_path / ending[1:]
        folder.mkdir()
        texts.append(propose(folder_of(folder, tables(), write)).replace(ending, ""))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "form", ["%m/%d/%Y %H:%M:%S%.f", "%-d.%-m.%Y %-I:%M:%S%.f %p", "%Y/%m/%d %H:%M:%S%.f"]
)
def test_dates_as_people_write_them_are_times(tmp_path: Path, form: str):
    for kind in ("iso", "written"):
        (tmp_path / kind).mkdir()
        for name, frame in tables().items():
            frame = frame.drop("since", strict=False)  # all of one day, which tells no order
            if kind == "written":
                frame = frame.with_columns(pl.selectors.datetime().dt.strftime(form))
            frame.write_csv(tmp_path / kind / f"{name}.csv")
    one, other = (jr.parse(propose(tmp_path / kind)) for kind in ("iso", "written"))
    assert other == one
    assert check(other, tmp_path / "written").grains == check(one, tmp_path / "iso").grains


def test_dates_of_which_nothing_tells_the_order_are_left_out(tmp_path: Path):
    for name, frame in tables().items():
        early = pl.selectors.datetime().dt.replace(day=3).dt.strftime("%m/%d/%Y %H:%M")
        frame.with_columns(early).write_csv(tmp_path / f"{name}.csv")
    text = propose(tmp_path)
    assert "holds dates, but nothing tells whether the day or the month comes first" in text
    assert {event.time for event in jr.parse(text).event.values()} == {None}


def test_every_choice_says_why(tmp_path: Path):
    lines = propose(folder_of(tmp_path, tables())).splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("[entity.", "[event.")):
            assert lines[number - 1].startswith("# ")
        if line.startswith("features."):
            assert "  # " in line
    for line in [
        "# customers.csv holds things, one a row: `customer_id` never repeats here and is named in "
        "`impression`, `order`.",
        "# orders.csv holds events: `customer_id`, `product_id` name things of other tables.",
        "# constant: left out, always the same.",
        "# What came of a row (clicked, carted, revenue) is learned, never read as a feature.",
    ]:
        assert line in lines


def test_several_kinds_of_event_in_one_table(tmp_path: Path):
    frames = dict(tables())
    frames["log"] = frames.pop("orders").with_columns(
        event_type=pl.Series(["view", "Add to cart", "purchase", "purchase"] * 50)
    )
    text = propose(folder_of(tmp_path, frames))
    shop = jr.parse(text)
    assert list(shop.event) == ["impression", "view", "add_to_cart", "purchase"]
    assert shop.event["add_to_cart"].where == {"event_type": "Add to cart"}
    assert "its rows are of several kinds, and these say view in `event_type`" in text
    assert shop.tasks["churn"].label.event == "purchase"
    check(shop, tmp_path)


def test_files_of_a_folder_below_are_one_table(tmp_path: Path):
    frames = dict(tables())
    shown = frames.pop("impressions")
    folder_of(tmp_path, frames, write_parquet)
    (tmp_path / "impressions").mkdir()
    write_parquet(shown.head(300), tmp_path / "impressions" / "a")
    write_parquet(shown.tail(300), tmp_path / "impressions" / "b")
    shop = jr.parse(propose(tmp_path))
    assert shop.event["impression"].source == "impressions/*.parquet"
    assert check(shop, tmp_path).rows_in["impression"] == 600


def test_a_flat_table_without_a_key(tmp_path: Path):
    generator = np.random.default_rng(0)
    flat = pl.DataFrame(
        {
            "age": generator.integers(18, 80, 300),
            "member": generator.choice(["yes", "no"], 300),
            "plan": generator.choice(["a", "b", "c"], 300),
            "churned": generator.integers(0, 2, 300),
        }
    )
    text = propose(folder_of(tmp_path, {"people": flat}))
    shop = jr.parse(text)
    (name,) = shop.entity
    assert shop.entity[name].key is None
    assert set(shop.entity[name].features) == {"age", "member", "plan"}
    assert {task: str(made.label) for task, made in shop.tasks.items()} == {
        "churned": f"{name}.churned"
    }
    assert "it is the only table, and no column never repeats, so each row is one" in text
    assert check(shop, tmp_path).rows_in == {name: 300}


def test_a_flat_table_whose_last_column_is_a_class(tmp_path: Path):
    income = ["- 50000.", "- 50000.", "50000+."] * 100
    flat = pl.DataFrame({"job": ["x", "y", "z"] * 100, "age": [20, 30, 40] * 100, "income": income})
    text = propose(folder_of(tmp_path, {"people": flat}))
    assert 'income = { kind = "Choice", label = "people.income" }  # one of 2 classes' in text
    shop = jr.parse(text)
    assert set(shop.entity["people"].features) == {"job", "age"}
    check(shop, tmp_path)


def test_a_cart_that_is_rarer_than_purchases_is_no_step_to_them(tmp_path: Path):
    rows = [("click", 200), ("cart", 4), ("buy", 30)]
    kinds = [kind for kind, count in rows for _ in range(count)]
    events = pl.DataFrame(
        {
            "user_id": [f"u{n % 9}" for n in range(len(kinds))],
            "item_id": [f"i{n % 7}" for n in range(len(kinds))],
            "behavior": kinds,
            "time": [datetime(2024, 1, 1) + timedelta(hours=7 * n) for n in range(len(kinds))],
        }
    )
    text = propose(folder_of(tmp_path, {"log": events}))
    assert "# `cart` is rarer than `buy`, so it is no step on the way to it." in text
    made = jr.parse(text).tasks
    assert "cart" not in made
    assert made["buy"].after is None


def test_numbered_columns_of_an_event_are_no_outcomes(tmp_path: Path):
    shown = pl.DataFrame(
        {
            "user_id": [f"u{n % 9}" for n in range(200)],
            "item_id": [f"i{n % 7}" for n in range(200)],
            "time": [datetime(2024, 1, 1) + timedelta(hours=n) for n in range(200)],
            "clicked": [n % 5 == 0 for n in range(200)],
            "propensity_score": [0.1 + n % 3 / 10 for n in range(200)],
            **{f"affinity_{k}": [n % (k + 2) == 0 for n in range(200)] for k in range(4)},
        }
    )
    text = propose(folder_of(tmp_path, {"shown": shown}))
    assert set(jr.parse(text).tasks) == {"clicked"}
    assert jr.parse(text).tasks["clicked"].propensity == "shown.propensity_score"
    # Eight days are fewer than the default split takes away.
    assert "# The data span 8 days, too few to leave 14 to test on." in text
    assert check(jr.parse(text), tmp_path).rows_in["shown"] == 200


def test_a_series_of_time_that_stands_side_by_side_is_told(tmp_path: Path):
    weeks = {f"W{k}": [(n * k) % 11 for n in range(30)] for k in range(12)}
    text = propose(folder_of(tmp_path, {"sales": pl.DataFrame({"code": range(30), **weeks})}))
    assert "# W0 … W11 of sales.csv look like one number at 12 times." in text


def test_a_flat_table_with_a_key(tmp_path: Path):
    flat = pl.DataFrame({"user_id": range(100), "won": [0, 1] * 50, "x": [0.5, 1.5] * 50})
    shop = jr.parse(propose(folder_of(tmp_path, {"users": flat})))
    assert shop.entity["user"].key == "user_id"
    assert set(shop.tasks) == {"won"}
    check(shop, tmp_path)


def test_a_folder_in_which_nothing_can_be_told_apart(tmp_path: Path):
    same = pl.DataFrame({"colour": ["red", "red", "blue"], "size": ["s", "s", "m"]})
    with pytest.raises(SourceError) as caught:
        propose(folder_of(tmp_path, {"one": same, "two": same}))
    assert str(caught.value) == (
        f"{tmp_path}: no table has a column that never repeats, so nothing can be told apart. "
        "Give one table a key column (user_id, item_id …)."
    )


def test_an_empty_folder(tmp_path: Path):
    with pytest.raises(SourceError) as caught:
        propose(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds no tables. JointRec reads .parquet, .csv, .tsv, .jsonl, .ndjson, and "
        "databases by their URL: jointrec init postgresql://user@host/shop."
    )
    with pytest.raises(SourceError) as caught:
        propose(tmp_path / "nowhere")
    assert str(caught.value) == (
        f"{tmp_path / 'nowhere'}: there is no such folder. Name one that holds your tables."
    )


def test_files_that_cannot_be_read_are_told_at_once(tmp_path: Path):
    folder_of(tmp_path, tables())
    (tmp_path / "broken.parquet").write_bytes(b"not parquet at all")
    (tmp_path / "torn.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(JointRecError) as caught:
        propose(tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path}: 2 problems."
    assert "broken.parquet: cannot be read" in lines[1]
    assert "torn.jsonl: cannot be read" in lines[2]


def test_the_real_shop(data_root: Path):
    shop = jr.parse(propose(_merch(data_root)))
    assert set(shop.entity) == {"user", "item"}
    assert {"clicked", "carted", "bought", "revenue", "churn", "next_item"} <= set(shop.tasks)


def _merch(data_root: Path) -> Path:
    folder = data_root / "merch"
    if not folder.is_dir():
        pytest.skip("no merch data here")
    return folder


@pytest.mark.slow
def test_the_real_shop_has_labels_in_every_part(data_root: Path):
    folder = _merch(data_root)
    checked = check(jr.parse(propose(folder)), folder)
    assert all(min(task.known) > 0 for grain in checked.grains for task in grain.tasks.values())
