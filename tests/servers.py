"""Databases of one test run: made anew on real servers, and dropped at its end."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

POSTGRES = os.environ.get("JOINTREC_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
MARIADB = os.environ.get("JOINTREC_MARIADB", "mysql://root@127.0.0.1:3306/")
REQUIRED = os.environ.get("JOINTREC_REQUIRE_DATABASES") == "1"


@dataclass(frozen=True)
class Server:
    """A database that a test may do everything with.

    :param url: Its URL, without a password.
    :param run: Runs statements, each with rows of values or none.
    """

    kind: str
    url: str
    run: Callable[..., None]

    def table(self, name: str) -> str:
        """The source string of one of its tables."""
        return f"{self.url}?table={name}"

    def make(self, name: str, columns: str, rows: Sequence[Sequence[Any]] = ()) -> str:
        """Makes a table, and gives its source string."""
        self.run(f"CREATE TABLE {name} ({columns})")
        if rows:
            mark = "%s" if self.kind in ("postgresql", "mysql") else "?"
            marks = ", ".join([mark] * len(rows[0]))
            self.run(f"INSERT INTO {name} VALUES ({marks})", rows)
        return self.table(name)


def parts(url: str) -> Mapping[str, Any]:
    """What a URL of the environment says, which may hold a password, as for a test server."""
    from sqlalchemy import make_url

    made = make_url(url)
    return {
        "host": made.host or "127.0.0.1", "port": made.port, "user": made.username,
        "password": made.password, "database": made.database,
    }  # fmt: skip


def missing(what: str, error: BaseException | str) -> None:
    """A server that is not there: a failure where it must be, else a test left out aloud."""
    told = f"no {what}: {str(error).splitlines()[0]}"
    if REQUIRED:
        pytest.fail(f"JOINTREC_REQUIRE_DATABASES=1, but {told}", pytrace=False)
    pytest.skip(f"no {what} here: CONTRIBUTING.md says how to start it")


@contextmanager
def postgresql() -> Iterator[Server]:
    """A new database on the PostgreSQL server."""
    psycopg = _driver("psycopg", "PostgreSQL")
    given = parts(POSTGRES)
    login = {"host": given["host"], "port": given["port"] or 5432, "user": given["user"]}
    name = f"jointrec_{uuid.uuid4().hex[:12]}"

    def connect(database: str) -> Any:
        return psycopg.connect(
            **login, password=given["password"], dbname=database, autocommit=True, connect_timeout=5
        )

    try:
        admin = connect(given["database"] or "postgres")
    except psycopg.OperationalError as error:
        missing("PostgreSQL", error)
    with admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    opened = connect(name)

    def run(statement: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        with opened.cursor() as cursor:
            if rows:
                cursor.executemany(statement, rows)
            else:
                cursor.execute(statement)

    yield Server("postgresql", f"postgresql://{_at(login, given)}/{name}", run)
    opened.close()
    with connect(given["database"] or "postgres") as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def mariadb() -> Iterator[Server]:
    """A new database on the MariaDB server."""
    pymysql = _driver("pymysql", "MariaDB")
    given = parts(MARIADB)
    login = {"host": given["host"], "port": given["port"] or 3306, "user": given["user"]}
    name = f"jointrec_{uuid.uuid4().hex[:12]}"
    try:
        opened = pymysql.connect(
            **login, password=given["password"] or "", autocommit=True, connect_timeout=5,
            charset="utf8mb4",
        )  # fmt: skip
    except pymysql.OperationalError as error:
        missing("MariaDB", error)

    def run(statement: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        with opened.cursor() as cursor:
            if rows:
                cursor.executemany(statement, rows)
            else:
                cursor.execute(statement)

    run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    opened.select_db(name)
    yield Server("mysql", f"mysql://{_at(login, given)}/{name}", run)
    run(f"DROP DATABASE {name}")
    opened.close()


def _at(login: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Who and where, the password by the name of a variable of the environment."""
    secret = ""
    if given["password"]:
        os.environ["JOINTREC_TEST_PASSWORD"] = given["password"]
        secret = ":${JOINTREC_TEST_PASSWORD}"
    return f"{login['user']}{secret}@{login['host']}:{login['port']}"


def sqlite(folder: Path) -> Server:
    """A new SQLite file."""
    import sqlite3

    def run(statement: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        opened = sqlite3.connect(folder / "shop.db")
        with opened:
            if rows:
                opened.executemany(statement, rows)
            else:
                opened.execute(statement)
        opened.close()

    run("PRAGMA user_version = 1")
    return Server("sqlite", "sqlite:///shop.db", run)


def duckdb(folder: Path) -> Server:
    """A new DuckDB file."""
    package = _driver("duckdb", "DuckDB")

    def run(statement: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        with package.connect(str(folder / "shop.duckdb")) as opened:
            if not rows:
                opened.execute(statement)
            into, values, marks = statement.partition(" VALUES ")
            for start in range(0, len(rows), 250):  # a row at a time takes DuckDB far longer
                some = rows[start : start + 250]
                flat = [value for row in some for value in row]
                opened.execute(into + values + ", ".join([marks] * len(some)), flat)

    run("SELECT 1")
    return Server("duckdb", "duckdb:///shop.duckdb", run)


def loader() -> ModuleType:
    """The program that loads folders into databases."""
    import importlib.util

    path = Path(__file__).resolve().parents[1] / "benchmarks" / "databases" / "load.py"
    spec = importlib.util.spec_from_file_location("load", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _driver(package: str, what: str) -> Any:
    import importlib

    try:
        importlib.import_module("sqlalchemy")
        return importlib.import_module(package)
    except ImportError as error:
        missing(f"package to read {what} with", error)
