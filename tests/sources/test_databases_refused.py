"""What cannot be read of a database is told in words: what, where, nearest, what to do."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from servers import Server

import jointrec as jr
from jointrec import features as f
from jointrec import later, sources
from jointrec import tasks as t
from jointrec.errors import JointRecError, SourceError
from jointrec.model import Compare
from jointrec.sources import Cell

SECRET = "s3cr3t%'\"/@"


def refused(source: str, root: Path | None = None, **cells: Cell) -> str:
    with pytest.raises(SourceError) as caught:
        sources.read(source, root=root, columns=cells or {"id": Cell.ID}, at="entity.item")
    assert caught.value.__cause__ is None  # the driver's own error may say too much
    told = str(caught.value)
    assert told.startswith("entity.item: ")
    return told


@pytest.fixture
def items(database: Server, tmp_path: Path) -> Server:
    database.run("DROP TABLE IF EXISTS items")
    database.make("items", "item_id INTEGER, price DOUBLE PRECISION", [(1, 2.5), (2, 3.5)])
    return database


def test_a_missing_table_proposes_the_nearest(items: Server, tmp_path: Path) -> None:
    told = refused(items.table("item"), tmp_path)
    assert "there is no table or view `item`. Did you mean `items`? Known: " in told
    assert "is a whole database. Name a table of it with ?table=…" in refused(items.url, tmp_path)


def test_every_missing_column_proposes_the_nearest(items: Server, tmp_path: Path) -> None:
    told = refused(items.table("items"), tmp_path, itemid=Cell.ID, prize=Cell.NUMBER)
    assert "2 problems" in told
    assert "there is no column `itemid`. Did you mean `item_id`? Known: item_id, price." in told
    assert "there is no column `prize`. Did you mean `price`?" in told


def test_a_table_without_rows_is_told(items: Server, tmp_path: Path) -> None:
    items.run("DELETE FROM items")
    assert "has columns but not one row" in refused(items.table("items"), tmp_path, item_id=Cell.ID)


def test_two_columns_of_one_name_are_refused(items: Server, tmp_path: Path) -> None:
    query = "select a.item_id, b.item_id from items a join items b on a.item_id = b.item_id"
    told = refused(f"{items.url}?query={query}", tmp_path, item_id=Cell.ID)
    assert "item_id" in told
    assert "ame" in told  # "the same name", or the server's own "Duplicate column name"


WRITES = [
    "select * from items; drop table items",
    "select 1 as id) as q; drop table items; select * from (select 2 as id",
    "with gone as (delete from items returning item_id) select item_id as id from gone",
    "select 1 as id into outfile '{written}'",
    "select 1 as id) as q into outfile '{written}' -- ",
    "table items; commit",
]


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_writes_is_refused_and_changes_nothing(
    items: Server, tmp_path: Path, query: str
) -> None:
    written = tmp_path / "written"
    tmp_path.chmod(0o777)  # the server is another user
    told = refused(f"{items.url}?query={query.format(written=written)}", tmp_path)
    assert "cannot be read as it is asked" in told or "only ever read" in told
    left = sources.read(items.table("items"), root=tmp_path, columns={}, at="x")
    assert left.table.num_rows == 2
    assert not written.exists()


def test_a_function_that_writes_is_refused_and_changes_nothing(postgresql: Server) -> None:
    postgresql.run("CREATE TABLE written (n INTEGER)")
    postgresql.run("""
        CREATE FUNCTION write_one() RETURNS INTEGER LANGUAGE sql VOLATILE AS
        'INSERT INTO written VALUES (1) RETURNING n'
    """)
    told = refused(f"{postgresql.url}?query=select write_one() as id")
    assert "is only ever read, and what was asked would write: cannot execute INSERT in a" in told
    assert "Nothing was changed. Give one statement that only reads." in told
    assert "not one row" in refused(postgresql.table("written"), n=Cell.NUMBER)
    postgresql.run("DROP TABLE written CASCADE")


def test_a_function_of_mariadb_that_writes_is_refused(mariadb: Server) -> None:
    mariadb.run("CREATE TABLE written (n INTEGER)")
    mariadb.run("""
        CREATE FUNCTION write_one() RETURNS INTEGER MODIFIES SQL DATA
        BEGIN INSERT INTO written VALUES (1); RETURN 1; END
    """)
    told = refused(f"{mariadb.url}?query=select write_one() as id")
    assert "is only ever read, and what was asked would write" in told
    assert "not one row" in refused(mariadb.table("written"), n=Cell.NUMBER)
    mariadb.run("DROP FUNCTION write_one")
    mariadb.run("DROP TABLE written")


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select getenv('HOME') as id",
    ],
)
def test_duckdb_reads_nothing_but_its_file(tmp_path: Path, query: str) -> None:
    from servers import duckdb

    told = refused(f"{duckdb(tmp_path).url}?query={query}", tmp_path)
    assert "root:" not in told
    assert "cannot be read" in told or "only ever read" in told


def test_sqlite_attaches_and_configures_nothing(tmp_path: Path) -> None:
    from servers import sqlite

    made = sqlite(tmp_path)
    made.make("items", "id INTEGER", [(1,)])
    told = refused(f"{made.url}?query=select writefile('{tmp_path}/x', 'y') as id", tmp_path)
    assert "no such function" in told
    query = "select name as id from pragma_table_info('items')"
    assert "only ever read" in refused(f"{made.url}?query={query}", tmp_path)


# --- who and where -------------------------------------------------------------------------------


def test_a_host_a_port_and_a_database_that_are_not_there(server: Server) -> None:
    kind, place = server.url.split("://")
    host = place.split("@")[1].split("/")[0]
    told = refused(f"{kind}://me@nowhere.invalid/shop?table=t")
    assert "cannot be reached" in told
    assert "Look at the host and the port in the URL, and whether the server is up." in told
    assert "cannot be reached" in refused(f"{kind}://me@127.0.0.1:1/shop?table=t")
    user = place.split("@")[0]
    told = refused(f"{kind}://{user}@{host}/no_such_shop?table=t")
    assert "is a database that is not there" in told
    assert "no_such_shop" in told


def test_a_wrong_password_names_the_variable_and_not_its_value(
    mariadb: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = mariadb.url.split("@")[1]
    user = f"r{place[-12:]}"
    mariadb.run(f"CREATE USER {user}@'%' IDENTIFIED BY 'right'")
    monkeypatch.setenv("SHOP_DB_PASSWORD", SECRET)
    told = refused(f"mysql://{user}:${{SHOP_DB_PASSWORD}}@{place}?table=items")
    assert f"refuses the user or the password: Access denied for user '{user}'" in told
    assert "Look at the user in the URL, and at the value of `SHOP_DB_PASSWORD`." in told
    assert SECRET not in told
    told = refused(f"mysql://{user}@{place}?table=items")
    assert "it names no password: write user:${SHOP_DB_PASSWORD}@host" in told
    mariadb.run(f"DROP USER {user}@'%'")


def test_a_user_that_is_not_there(postgresql: Server) -> None:
    place = postgresql.url.split("@")[1]
    told = refused(f"postgresql://nobody_here@{place}?table=items")
    assert "refuses the user or the password" in told
    assert 'role "nobody_here" does not exist' in told


def test_a_table_that_the_user_may_not_read(postgresql: Server) -> None:
    postgresql.make("hidden", "id INTEGER", [(1,)])
    place = postgresql.url.split("@")[1]
    user = f"r{place[-12:]}"
    postgresql.run(f"CREATE ROLE {user} LOGIN")
    told = refused(f"postgresql://{user}@{place}?table=hidden")
    assert "may not be read by this user: permission denied for table hidden. Grant it" in told
    postgresql.run("DROP TABLE hidden")
    postgresql.run(f"DROP ROLE {user}")


def test_files_that_are_no_databases(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("id,price\n1,2\n" * 1000)
    pytest.importorskip("duckdb")
    for kind in ("sqlite", "duckdb"):
        told = refused(f"{kind}:///shop.db?table=t", tmp_path)
        assert f"no {'SQLite' if kind == 'sqlite' else 'DuckDB'} database, whatever" in told
        told = refused(f"{kind}:///shop.bd?table=t", tmp_path)
        assert "there is no such file. Did you mean `shop.db`?" in told
        assert "is a folder" in refused(f"{kind}:///{tmp_path}?table=t", tmp_path)


def test_a_locked_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from servers import sqlite

    monkeypatch.setattr("jointrec.sources.sqlite_file.LOCK_SECONDS", 0.1)
    made = sqlite(tmp_path)
    made.make("items", "id INTEGER", [(1,)])
    writer = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert "is locked by somebody else" in refused(made.table("items"), tmp_path)
    writer.close()


def test_one_table_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id\n1\n")
    with pytest.raises(SourceError, match="is one table, not a database"):
        sources.tables("items.csv", root=tmp_path, at="init")


# --- secrets -------------------------------------------------------------------------------------


def test_a_password_is_in_nothing_that_is_kept(
    mariadb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    place = mariadb.url.split("@")[1]
    name = place.split("/")[1]
    user = f"u{name[-12:]}"
    mariadb.run(f"CREATE USER {user}@'%%' IDENTIFIED BY %s", [(SECRET,)])
    mariadb.run(f"GRANT SELECT ON {name}.* TO {user}@'%'")
    mariadb.run("DROP TABLE IF EXISTS users, visits")  # of whichever test came before
    mariadb.make("users", "user_id VARCHAR(9), age INT", [(f"u{n}", n) for n in range(20)])
    mariadb.make(
        "visits", "user_id VARCHAR(9), at DATETIME, ok INT",
        [(f"u{n % 20}", f"2024-0{1 + n % 3}-0{1 + n % 9} 10:00:00", n % 2) for n in range(120)],
    )  # fmt: skip
    monkeypatch.setenv("SHOP_DB_PASSWORD", SECRET)
    url = f"mysql://{user}:${{SHOP_DB_PASSWORD}}@{place}"
    shop = jr.Project(
        entity={"user": jr.Entity(f"{url}?table=users", "user_id", {"age": f.Number()})},
        event={"visit": jr.Event(f"{url}?table=visits", entities=("user",), time="at")},
        tasks={
            "ok": t.Binary("visit.ok"),
            "back": t.Binary(later.any("visit", of="user", within="7d", every="7d")),
        },
        split=jr.ByTime(test_from="2024-03-01", valid_days=10),
        budget=jr.Budget(epochs=1),
    )
    out = tmp_path / "run"
    model = jr.fit(shop, out=out, compare=Compare(alone=False, baselines=(), rounds=2))
    kept = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    said = "".join(capfd.readouterr()) + repr(shop) + shop.to_toml() + repr(model.declared)
    assert b"visit" in kept
    for spelled in (SECRET, "s3cr3t", json.dumps(SECRET)[1:-1]):
        assert spelled.encode() not in kept
        assert spelled not in said
    assert b"${SHOP_DB_PASSWORD}" in kept
    monkeypatch.setenv("SHOP_DB_PASSWORD", f"{SECRET}x")
    with pytest.raises(JointRecError) as caught:
        jr.load(out / "model").evaluate(tmp_path, rounds=2)
    assert "s3cr3t" not in str(caught.value)
    mariadb.run(f"DROP USER {user}@'%'")
    mariadb.run("DROP TABLE users, visits")
