"""One shop, in every place that tables may lie in, gives the same batches to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import servers
import torch

import jointrec as jr
from jointrec import features as f
from jointrec import later, sources
from jointrec import tasks as t
from jointrec.batches import Assembler
from jointrec.plan import plan
from jointrec.prepare import load, prepare
from jointrec.prepare.check import check

SHOP = jr.Project(
    entity={
        "user": jr.Entity("users", "user_id", {"country": f.Category(), "first_seen": f.Time()}),
        "item": jr.Entity(
            "items", "item_id",
            {"category": f.Category(), "price": f.Number(scale="log"), "tags": f.Set(),
             "title": f.Text()},
        ),
    },
    event={
        "impression": jr.Event(
            "impressions", entities=("user", "item"), time="shown_at",
            features={"device": f.Category(), "discount": f.Number()},
        ),
    },
    tasks={
        "click": t.Binary("impression.clicked"),
        "revenue": t.Amount("impression.revenue"),
        "back": t.Binary(later.any("impression", of="user", within="5d", every="5d")),
        "next": t.Retrieval(later.next("impression.item", of="user")),
    },
    split=jr.ByTime(test_from="2025-02-10", valid_days=7),
)  # fmt: skip
NAMES = ("users", "items", "impressions")


@cache
def tables() -> Mapping[str, pl.DataFrame]:
    """The tables, each cut to what the project reads of it, and their flags as yes or no."""
    made = jr.simulate.Shop(users=60, items=20, days=50, seed=3).tables()
    columns = {
        "users": ["user_id", "country", "first_seen"],
        "items": ["item_id", "category", "price", "tags", "title"],
        "impressions": [
            "user_id", "item_id", "shown_at", "device", "discount", "clicked", "revenue",
        ],
    }  # fmt: skip
    cut = {name: made[name].select(columns[name]) for name in NAMES}
    flag = pl.col("clicked").cast(pl.Boolean)
    return {**cut, "impressions": cut["impressions"].with_columns(flag)}


def flat(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.selectors.by_dtype(pl.List(pl.String)).list.join("|"))


def in_csv(folder: Path) -> dict[str, Any]:
    for name, table in tables().items():
        flat(table).write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S%.6f")
    return {name: f"{name}.csv" for name in NAMES}


def in_json_lines(folder: Path) -> dict[str, Any]:
    for name, table in tables().items():
        table.write_ndjson(folder / f"{name}.jsonl")
    return {name: f"{name}.jsonl" for name in NAMES}


def in_parquet(folder: Path) -> dict[str, Any]:
    for name, table in tables().items():
        table.write_parquet(folder / f"{name}.parquet")
    return {name: f"{name}.parquet" for name in NAMES}


def in_memory(_: Path) -> dict[str, Any]:
    return dict(tables())


def in_database(server: servers.Server) -> dict[str, Any]:
    for name, table in tables().items():
        text = "VARCHAR(200)"
        stamp = "DATETIME(6)" if server.kind == "mysql" else "TIMESTAMP"
        kinds = {
            pl.String: text, pl.Float64: "DOUBLE PRECISION", pl.Boolean: "BOOLEAN",
            pl.Datetime: stamp,
        }  # fmt: skip
        rows = flat(table)
        columns = ", ".join(f"{c} {kinds[kind.base_type()]}" for c, kind in rows.schema.items())
        if server.kind == "sqlite":
            rows = rows.with_columns(pl.selectors.datetime().dt.to_string("%Y-%m-%d %H:%M:%S%.6f"))
        server.run(f"DROP TABLE IF EXISTS {name}")
        server.make(name, columns, rows.rows())
    return {name: server.table(name) for name in NAMES}


PLACES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "csv": in_csv, "json lines": in_json_lines, "parquet": in_parquet, "memory": in_memory,
}  # fmt: skip


def placed(sources_of: Mapping[str, Any]) -> jr.Project:
    def at(table: Any) -> Any:
        return replace(table, source=sources_of[table.source])

    return replace(
        SHOP,
        entity={name: at(entity) for name, entity in SHOP.entity.items()},
        event={name: at(event) for name, event in SHOP.event.items()},
    )


def batch_bytes(project: jr.Project, root: Path) -> list[tuple[str, bytes]]:
    """Every tensor of the batch of all rows, with its path, type and shape."""
    planned = plan(project)
    _, prepared, _ = prepare(project, planned, load(project, root))
    assembler = Assembler(prepared, planned, project.history.last)
    picked = [(asked, np.arange(len(asked.source))) for asked in prepared.asked.values()]
    return list(tensors(assembler(picked), "batch"))


def tensors(part: Any, path: str) -> Any:
    if isinstance(part, torch.Tensor):
        yield f"{path} {part.dtype} {tuple(part.shape)}", part.contiguous().numpy().tobytes()
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from tensors(value, f"{path}.{name}")
    elif isinstance(part, tuple | list):
        for place, value in enumerate(part):
            yield from tensors(value, f"{path}[{place}]")
    elif is_dataclass(part):
        for field in fields(part):
            yield from tensors(getattr(part, field.name), f"{path}.{field.name}")


@cache
def expected() -> list[tuple[str, bytes]]:
    return batch_bytes(placed(in_memory(Path())), Path())


@pytest.mark.parametrize("place", ["csv", "json lines", "parquet"])
def test_files_give_the_batches_of_memory(place: str, tmp_path: Path) -> None:
    assert len(expected()) > 30
    assert batch_bytes(placed(PLACES[place](tmp_path)), tmp_path) == expected()


def test_databases_give_the_batches_of_memory(database: servers.Server, tmp_path: Path) -> None:
    project = placed(in_database(database))
    assert batch_bytes(project, tmp_path) == expected()
    checked = check(project, tmp_path)
    assert checked.rows_in == check(placed(in_memory(tmp_path)), tmp_path).rows_in
    assert jr.parse(project.to_toml()) == project
    listed = sources.tables(database.url, root=tmp_path, at="init")
    assert {database.table(name) for name in NAMES} <= set(listed)


def test_another_shop_gives_other_batches(tmp_path: Path) -> None:
    found = in_memory(tmp_path)
    found["items"] = found["items"].with_columns(pl.col("price") * 1.01)
    assert batch_bytes(placed(found), tmp_path) != expected()
