"""A shop in a database gives the project that its files give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import servers
from known_shops import SHOPS

import jointrec as jr
from jointrec.errors import SourceError
from jointrec.init import look, propose
from jointrec.prepare.check import check

TYPES: dict[Any, str] = {
    pl.String: "VARCHAR(200)", pl.Int64: "BIGINT", pl.Int32: "INT", pl.Float64: "DOUBLE PRECISION",
    pl.Boolean: "BOOLEAN",
}  # fmt: skip


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[servers.Server]:
    """An empty database of the kind that the test names."""
    with ExitStack() as stack:
        if request.param in ("postgresql", "mariadb"):
            yield stack.enter_context(getattr(servers, request.param)())
        else:
            made = getattr(servers, request.param)(tmp_path)
            yield replace(made, url=made.url.replace(":///", f":///{tmp_path}/"))


def fill(server: servers.Server, name: str) -> None:
    """Makes the tables of a shop."""
    quote = "`" if server.kind == "mysql" else '"'
    moment = {"mysql": "DATETIME(6)", "sqlite": "TEXT"}.get(server.kind, "TIMESTAMP")
    for table, frame in SHOPS[name](0).items():
        columns = ", ".join(
            f"{quote}{column}{quote} {TYPES.get(kind.base_type(), moment)}"
            for column, kind in frame.schema.items()
        )
        if server.kind == "sqlite":
            frame = frame.with_columns(
                pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M:%S%.6f"),
                pl.col(pl.Boolean).cast(pl.Int64),
            )
        server.make(f"{quote}{table}{quote}", columns, frame.rows())


def without_sources(shop: jr.Project) -> jr.Project:
    """The same declarations of tables that are somewhere else."""
    return replace(
        shop,
        entity={name: replace(entity, source="") for name, entity in shop.entity.items()},
        event={name: replace(event, source="") for name, event in shop.event.items()},
    )


def reasons(text: str) -> list[str]:
    """The comments of a project, in which a table is called the same wherever it lies."""
    found = [line.partition("#")[2] for line in text.splitlines() if not line.startswith("# Then")]
    return [reason.replace(".parquet", "") for reason in found if "source =" not in reason]


@pytest.mark.parametrize(
    ("database", "name"),
    [
        *((kind, "order lines") for kind in ("postgresql", "mariadb", "duckdb")),
        ("sqlite", "Gorse"),
    ],
    indirect=["database"],
)
def test_it_is_the_project_of_its_files(
    database: servers.Server, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fill(database, name)
    folder = tmp_path / "files"
    folder.mkdir()
    for table, frame in SHOPS[name](0).items():
        frame.write_parquet(folder / f"{table}.parquet")
    there, here = propose(database.url), propose(folder)
    assert reasons(there) == reasons(here)
    shop, from_files = jr.parse(there), jr.parse(here)
    assert without_sources(shop) == without_sources(from_files)
    told = check(shop)
    assert told.rows_in == check(from_files, folder).rows_in
    # Of a table that is longer than what is looked at, the rest is asked for as well.
    monkeypatch.setattr(look, "MOST_ROWS", 200)
    sampled = jr.parse(propose(database.url))
    assert {n: e.key for n, e in sampled.entity.items()} == {
        n: e.key for n, e in shop.entity.items()
    }
    assert set(sampled.tasks) == set(shop.tasks)


def test_tables_without_rows_are_left_out_aloud(tmp_path: Path):
    server = servers.sqlite(tmp_path)
    url = server.url.replace(":///", f":///{tmp_path}/")
    with pytest.raises(SourceError, match="holds no tables"):
        propose(url)
    fill(server, "order lines")
    server.make("leftover", "id BIGINT, note TEXT")
    text = propose(url)
    assert "# Left out: leftover: " in text
    assert "not one row" in text
    assert set(jr.parse(text).event) == {"purchase"}
