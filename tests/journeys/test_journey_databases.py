"""Two shops on two servers: from init to a trained model, nothing edited by hand."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import servers
from journey_shop import SHOP

LINES = 4_000
RETURNS, GUESTS, REPEATED = 60, 500, 40


def order_lines() -> Mapping[str, pl.DataFrame]:
    """A table as the UCI Online Retail data are, with their dirt: what was given back, customers
    who are not named, a line twice, an order of 80,995 pieces and its return."""
    chance = np.random.default_rng(4)
    minutes = np.sort(chance.integers(0, 120 * 24 * 60, LINES))
    item = chance.integers(0, 40, LINES)
    lines = pl.DataFrame(
        {
            "InvoiceNo": np.char.add("5", (36_365 + np.arange(LINES) // 4).astype(str)),
            "StockCode": np.char.add((20_000 + item).astype(str), "A"),
            "Description": [f"A THING, NUMBER {n}" for n in item],
            "Quantity": chance.integers(1, 12, LINES),
            "InvoiceDate": np.datetime64("2011-01-01T08:00", "us") + minutes * 60_000_000,
            "UnitPrice": np.round(1.25 + item / 8, 2),
            "CustomerID": 12_000 + chance.integers(0, 60, LINES) ** 2 // 60,
        }
    ).with_columns(Country=pl.when(pl.col("CustomerID") % 3 > 0).then(pl.lit("France"))
                   .otherwise(pl.lit("Eire")))  # fmt: skip
    guests = pl.int_range(pl.len()) % (LINES // GUESTS) == 3
    lines = lines.with_columns(CustomerID=pl.when(~guests).then("CustomerID"))
    back = lines.filter(pl.col("CustomerID").is_not_null()).head(RETURNS).with_columns(
        pl.format("C{}", "InvoiceNo").alias("InvoiceNo"), -pl.col("Quantity"),
        pl.col("InvoiceDate") + pl.duration(minutes=12),
    )  # fmt: skip
    known = lines.filter(pl.col("CustomerID").is_not_null())
    absurd = known.tail(1).with_columns(Quantity=pl.lit(80_995, pl.Int64))
    repeated = known.slice(RETURNS, REPEATED)
    return {"transactions": pl.concat([lines, back, repeated, absurd]).sort("InvoiceDate")}


def simulated() -> Mapping[str, pl.DataFrame]:
    """Users, items, queries, impressions and judgements, with flags, lists and texts."""
    return SHOP.tables()


SHOPS: Mapping[str, Callable[[], Mapping[str, pl.DataFrame]]] = {
    "order lines": order_lines, "simulated": simulated,
}  # fmt: skip
TASKS = {
    "order lines": {"churn", "spend", "sales_7d", "sales_14d", "next_item"},
    "simulated": {"clicked", "carted", "bought", "revenue"},
}
FOUND = {
    "order lines": ("missing_key", "return", "repeated_row", "absurd_number"),
    "simulated": (),
}


@pytest.fixture
def both() -> Iterator[dict[str, servers.Server]]:
    """A new database on each server."""
    with ExitStack() as stack:
        opened = (servers.postgresql, servers.mariadb)
        yield {made.__name__: stack.enter_context(made()) for made in opened}


@pytest.mark.slow
@pytest.mark.parametrize("shop", list(SHOPS))
def test_from_a_database_to_a_model(both, cli, tmp_path: Path, shop: str):
    data = tmp_path / "data"
    data.mkdir()
    for name, frame in SHOPS[shop]().items():
        frame.write_parquet(data / f"{name}.parquet")
    for name, server in both.items():
        servers.loader().load(data, server.url)
        ran = cli("init", server.url, "--out", f"{name}.toml")
        assert ran.code == 0, ran.err
        assert "Left out" not in (tmp_path / f"{name}.toml").read_text()
        ran = cli(*following(ran.out))
        assert ran.code == 0, ran.err
        assert all(code in ran.said for code in FOUND[shop])
        ran = cli(
            *following(ran.out), "--no-compare", "--epochs", 1, "--rounds", 2, "--no-cache",
            "--out", name,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        if shop == "order lines":
            assert 'returns = "Quantity"' in (tmp_path / f"{name}.toml").read_text()
        report = json.loads((tmp_path / name / "report.json").read_text())
        assert set(report["tasks"]) >= TASKS[shop]
        assert f"{report['facts']['findings']} findings in {name}/findings.csv" in ran.said
        assert cli("prepare", f"{name}.toml", "--out", f"{name}-ready", "--no-cache").code == 0
    ran = cli("init", "data", "--out", "files.toml")
    words = ("--root", "data", "--out", "files-ready", "--no-cache")
    assert cli("prepare", "files.toml", *words).code == 0
    manifests = {(tmp_path / f"{n}-ready" / "manifest.json").read_bytes() for n in [*both, "files"]}
    assert len(manifests) == 1


def following(out: str) -> list[str]:
    """The words of the command that the last line of a command proposes."""
    said = out.strip().splitlines()[-1]
    command = said.partition("Next: ")[2] or said.partition("then: ")[2]
    return shlex.split(command)[1:]
