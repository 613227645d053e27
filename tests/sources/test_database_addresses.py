"""The URL of a database: read whole, refused with what is wrong, shown without secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import jointrec as jr
from jointrec import sources
from jointrec.errors import MissingExtra, ProjectError, SourceError
from jointrec.sources.address import holds_password, parse_address
from jointrec.sources.troubles import scrubbed


def refused(url: str) -> str:
    with pytest.raises(SourceError) as caught:
        parse_address(url, at="entity.item")
    return str(caught.value)


def test_each_part_is_read() -> None:
    read = parse_address(
        "postgresql+psycopg://m%40e:${PASSWORD}@db.shop:6543/my%20shop"
        "?timeout=2.5&sslmode=verify-full&sslrootcert=/ca.pem&table=a%2Fb",
        at="x",
    )
    assert (read.kind, read.user, read.password) == ("postgresql", "m@e", "${PASSWORD}")
    assert (read.host, read.port, read.database) == ("db.shop", "6543", "my shop")
    assert (read.table, read.query, read.timeout) == ("a/b", None, 2.5)
    assert (read.sslmode, read.sslrootcert) == ("verify-full", "/ca.pem")
    assert str(read) == "postgresql://db.shop:6543/my shop?table=a/b"


@pytest.mark.parametrize(
    ("url", "database", "shown"),
    [
        ("sqlite:///shop.db?table=t", "shop.db", "sqlite:///shop.db?table=t"),
        ("duckdb:////data/shop.duckdb", "/data/shop.duckdb", "duckdb:////data/shop.duckdb"),
        ("mariadb://[::1]:3306/shop", "shop", "mysql://[::1]:3306/shop"),
        ("postgres:///shop", "shop", "postgresql:///shop"),
    ],
)
def test_files_and_hosts(url: str, database: str, shown: str) -> None:
    read = parse_address(url, at="x")
    assert read.database == database
    assert str(read) == shown


@pytest.mark.parametrize(
    ("written", "sql"),
    [
        ("select a+b & 1, '100%' from t where x = '?#@'", None),
        ("select%20a%2Bb+from%20t", "select a+b from t"),
        ("  with x as (select 1) select * from x ; ", "with x as (select 1) select * from x"),
        ("/* all */ (select 1) -- union\n union (select 2)", None),
        ("table=items&select 1", "select 1"),
    ],
)
def test_all_behind_query_is_sql(written: str, sql: str | None) -> None:
    if written.startswith("table="):
        assert "names a table and a query" in refused(f"mysql://me@h/shop?table=a&query={sql}")
        return
    assert parse_address(f"mysql://me@h/shop?query={written}", at="x").query == sql or written


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://host", "names no database. Write postgresql://user@host/shop?table=items."),
        ("sqlite:///?table=t", "names no file. Write sqlite:///shop.db?table=items."),
        ("duckdb://shop.db", "a file has no host. Write duckdb:///shop.db for a file in the root"),
        ("sqlite://host/shop.db", "a file has no host. Write sqlite:///shop.db for a file in"),
        ("mysql://h/s?tables=t", "there is no parameter `tables`. Did you mean `table`? Known: "),
        ("sqlite:///s?sslmode=x", "there is no parameter `sslmode`. Known: query, table, timeout"),
        ("mysql://h/s?table=a&table=b", "`table` is given twice"),
        ("mysql://h/s?table=", "`table` says nothing"),
        ("mysql://h/s?query= ; ", "`query` says nothing"),
        ("mysql://h/s?sslmode=requires", "there is no sslmode `requires`. Did you mean `require`?"),
        ("mysql://h/s?timeout=0", "`timeout` should be seconds above 0. Found `0`."),
        ("mysql://h/s?timeout=soon", "`timeout` should be seconds above 0. Found `soon`."),
        (
            "mysql://h/s?query=delete from t",
            "with SELECT or WITH. It starts with `DELETE`. No",
        ),
        ("mysql://h/s?query=-- x\n drop table t", "It starts with `DROP`. Nothing was run."),
        ("postgresql://host:secret/shop", "has a port that is no number."),
    ],
)
def test_what_is_wrong_is_told(url: str, told: str) -> None:
    said = refused(url)
    assert said.startswith("entity.item: `")
    assert told in said
    assert "secret" not in said


def test_several_problems_are_told_at_once() -> None:
    assert "2 problems" in refused("mysql://h/s?tables=t&timeout=x")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@host/shop?table=t",
        "postgresql://me:se/cr@et?x#@host/shop?table=t",
        "mysql+pymysql://me:${A}secret@host/shop?query=select 1",
        "mysql://me:secret@host",
    ],
)
def test_a_password_in_plain_text_is_refused_everywhere(url: str) -> None:
    assert holds_password(url)
    assert "holds a password in plain text" in refused(url)
    for declare in (
        lambda: jr.Entity(url, key="id"),
        lambda: jr.Event(url, entities=("user",)),
        lambda: jr.parse(f"[entity.item]\nsource = '''{url}'''\nkey = 'id'\n"),
    ):
        with pytest.raises(ProjectError) as caught:
            declare()
        assert "Write ${SHOP_DB_PASSWORD} in its place" in str(caught.value)
        assert "secret" not in str(caught.value).replace("SECRET", "")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:${PASSWORD}@host/shop?table=t",
        "postgresql://me@host:5432/shop?table=t",
        "postgresql://host/shop?query=select 'a:b@c'",
        "items.csv",
    ],
)
def test_a_url_without_a_password_is_none_with_one(url: str) -> None:
    assert not holds_password(url)


def test_variables_are_looked_up_only_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = parse_address("mysql://${WHO}:${PASSWORD}@${HOST}/shop?table=t", at="entity.item")
    monkeypatch.setenv("WHO", "me")
    monkeypatch.setenv("PASSWORD", "p@ss:/?#%")
    monkeypatch.setenv("PASSWORDS", "x")
    monkeypatch.delenv("HOST", raising=False)
    with pytest.raises(SourceError) as caught:
        read.resolved(at="entity.item")
    assert "needs the environment variable `HOST`, which is not set." in str(caught.value)
    assert "Set it before you start: export HOST=…" in str(caught.value)
    assert "p@ss" not in str(caught.value)
    monkeypatch.setenv("HOST", "db")
    found = read.resolved(at="x")
    assert (found.user, found.password, found.host) == ("me", "p@ss:/?#%", "db")
    assert "p@ss" not in f"{read!r} {read} {found}"
    monkeypatch.delenv("PASSWORD")
    with pytest.raises(
        SourceError, match=r"`PASSWORD`, which is not set\. Did you mean `PASSWORDS`"
    ):
        read.resolved(at="x")


def test_a_secret_is_scrubbed_in_any_spelling() -> None:
    for spelled in ("p@s's", "p%40s%27s", "p@s's"):
        assert scrubbed(f"cannot use {spelled}.\nLINE 1", "p@s's") == "cannot use ***"
    assert scrubbed("options", None) == "options"


def test_files_need_no_driver(tmp_path: Path) -> None:
    program = (
        "import sys, jointrec, jointrec.sources; "
        "print({'sqlalchemy', 'psycopg', 'pymysql', 'duckdb', 'sqlite3'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("package", "url"),
    [
        ("psycopg", "postgresql://me@127.0.0.1/shop?table=t"),
        ("pymysql", "mysql://me@127.0.0.1/shop?table=t"),
        ("duckdb", "duckdb:///shop.duckdb?table=t"),
        ("sqlalchemy", "sqlite:///shop.db?table=t"),
    ],
)
def test_a_missing_driver_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, url: str
) -> None:
    import sqlite3

    sqlite3.connect(tmp_path / "shop.db").close()
    (tmp_path / "shop.duckdb").touch()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as caught:
        sources.columns(url, root=tmp_path, at="entity.item")
    assert f"needs the package `{package}`. Install it with: pip install 'jointrec[sql]'" in str(
        caught.value
    )
    assert "entity.item" in str(caught.value)
