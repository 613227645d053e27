"""The tables are those of a shop: whole, consistent, the same from the same seed."""

import hashlib
import tomllib
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec.errors import DataError, ProjectError
from jointrec.simulate import Shop

SMALL = Shop(users=150, items=80, days=50, seed=3)


@pytest.fixture(scope="module")
def tables():
    return SMALL.tables()


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_same_seed_gives_equal_bytes_and_another_seed_does_not(tmp_path, kind):
    sizes = {"users": 40, "items": 40, "days": 20}
    one = digests(Shop(**sizes, seed=1).write(tmp_path / "one", kind))
    same = digests(Shop(**sizes, seed=1).write(tmp_path / "same", kind))
    other = digests(Shop(**sizes, seed=2).write(tmp_path / "other", kind))
    assert one == same
    assert set(one) == {f"{name}.{kind}" for name in SMALL.tables()}
    assert all(one[name] != other[name] for name in one)


def test_parquet_and_csv_hold_the_same(tmp_path, tables):
    SMALL.write(tmp_path, "parquet")
    SMALL.write(tmp_path, "csv")
    for name, table in tables.items():
        assert pl.read_parquet(tmp_path / f"{name}.parquet").equals(table)
        text = pl.read_csv(tmp_path / f"{name}.csv", schema_overrides=[pl.String] * table.width)
        told = table.with_columns(
            pl.selectors.by_dtype(pl.List(pl.String)).list.join("|"),
            pl.selectors.datetime().dt.to_string("%Y-%m-%d %H:%M:%S"),
        )
        for column in table.columns:
            if told[column].dtype.is_float():
                assert text[column].cast(pl.Float64).equals(told[column])
            else:
                assert text[column].equals(told[column].cast(pl.String))


def test_keys_are_unique_strings_and_every_reference_exists(tables):
    keys = {
        "users": "user_id", "items": "item_id", "queries": "query_id",
        "impressions": "impression_id", "purchases": "order_id", "judgements": "judgement_id",
    }  # fmt: skip
    for name, key in keys.items():
        assert tables[name][key].dtype == pl.String
        assert tables[name][key].is_unique().all()
        for other in ("users", "items", "queries"):
            if keys[other] in tables[name].columns:
                assert tables[name][keys[other]].is_in(tables[other][keys[other]].implode()).all()


def test_only_what_may_be_unknown_is_null(tables):
    nulls = {
        f"{name}.{column}"
        for name, table in tables.items()
        for column in table.columns
        if table[column].null_count()
    }
    assert nulls == {"items.rating", "impressions.returned"}


def test_the_funnel_is_strict(tables):
    shown = tables["impressions"]
    steps = ["clicked", "favourited", "carted", "bought"]
    assert all(set(shown[step].unique()) == {0, 1} for step in steps)
    for step, after in [("favourited", "clicked"), ("carted", "clicked"), ("bought", "carted")]:
        assert shown.filter(pl.col(step) > pl.col(after)).is_empty()
        assert len(shown.filter(pl.col(step) < pl.col(after)))
    assert ((shown["revenue"] > 0) == (shown["bought"] == 1)).all()
    assert (shown["returned"].is_null() == (shown["bought"] == 0)).all()


def test_purchases_are_what_was_bought(tables):
    bought = (
        tables["impressions"]
        .filter(pl.col("bought") == 1)
        .select("user_id", "item_id", paid_at="shown_at", value="revenue")
    )
    assert tables["purchases"].drop("order_id", "quantity").equals(bought)
    paid = tables["purchases"].join(tables["items"], on="item_id")
    assert (paid["value"] <= paid["quantity"] * paid["price"] + 0.005 * paid["quantity"]).all()


def test_lists_show_each_item_and_position_once_in_order_of_time(tables):
    shown = tables["impressions"]
    for column in ("item_id", "position"):
        assert not shown.select("request_id", column).is_duplicated().any()
    assert shown["shown_at"].is_sorted()
    assert shown["position"].is_between(1, 10).all()
    sizes = shown.group_by("request_id").len()["len"]
    assert 8 < sizes.mean() <= 10


def test_nobody_acts_before_they_are_there_and_nothing_is_shown_before_it_is_listed(tables):
    shown = (
        tables["impressions"]
        .join(tables["users"], on="user_id")
        .join(tables["items"], on="item_id")
    )
    assert (shown["shown_at"] >= shown["first_seen"]).all()
    assert (shown["shown_at"] >= shown["listed_at"]).all()
    assert len(shown) == len(tables["impressions"])


def test_base_rates_and_size_are_those_of_a_shop():
    shown = Shop(users=700, seed=11).tables()["impressions"]
    clicked = shown["clicked"].mean()
    carted = shown["carted"].sum() / shown["clicked"].sum()
    bought = shown["bought"].sum() / shown["carted"].sum()
    assert 0.06 < clicked < 0.10
    assert 0.25 < carted < 0.37
    assert 0.33 < bought < 0.50
    assert 40_000 < len(shown) < 75_000


def test_the_declaration_names_columns_that_exist(tables):
    text = (files("jointrec.simulate") / "shop.toml").read_text(encoding="utf-8")
    declared = tomllib.loads(text)
    by_name = {}
    for name, table in (declared["entity"] | declared["event"]).items():
        columns = by_name[name] = tables[table["source"].removesuffix(".parquet")].columns
        said = {table[word] for word in ("key", "time", "list") if word in table}
        said |= {declared["entity"][entity]["key"] for entity in table.get("entities", [])}
        assert said | set(table.get("features", [])) <= set(columns)
    for task in declared["tasks"].values():
        label = task["label"]
        named = [label] if isinstance(label, str) else [label.get("sum")]
        for table, column in (name.split(".") for name in named if name):
            assert column in by_name[table]
    assert set(declared["tasks"]) == set(Shop.tasks)


@settings(max_examples=12, deadline=None)
@given(
    users=st.integers(1, 30), items=st.integers(16, 90), days=st.integers(1, 20),
    seed=st.integers(0, 10_000),
)  # fmt: skip
def test_any_size_gives_whole_tables(users, items, days, seed):
    shop = Shop(users, items, days, seed)
    tables = shop.tables()
    assert len(tables["users"]) == users
    assert len(tables["items"]) == items
    pool = shop._world.needs.pool
    assert set(pool[pool >= 0].tolist()) == set(range(items))  # everything can be sold
    for need in pool.reshape(len(pool), -1):
        assert np.unique(need[need >= 0]).size == (need >= 0).sum()
    moments = tables["users"].select("user_id").with_columns(moment=pl.datetime(2025, 1, 6))
    for task in ("churn", "spend", "orders"):
        answers = shop.oracle(task, moments)
        assert answers.shape == (users,)
        assert np.isfinite(answers).all() and (answers >= 0).all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"users": 0}, "Shop.users"), ({"items": 3}, "Shop.items"), ({"days": 1.5}, "Shop.days")],
)
def test_a_size_that_cannot_be_is_refused(wrong, told):
    with pytest.raises(ProjectError, match=told):
        Shop(**wrong)


def test_all_wrong_sizes_are_told_at_once():
    with pytest.raises(ProjectError, match=r"2 problems\.\n.*Shop.users.*\n.*Shop.seed"):
        Shop(users=0, seed=-1)


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"`parquett`\. Did you mean `parquet`"):
        SMALL.write(tmp_path, "parquett")
