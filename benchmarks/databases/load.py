"""Loads a folder of tables into a database of PostgreSQL, MySQL or MariaDB, to read them there.

Each Parquet or CSV file becomes a table of its name, each column of the type that holds its values
exactly. A database that is not there is made; a table that is there is left alone, unless told.

    python benchmarks/databases/load.py data/merch postgresql://postgres@127.0.0.1:5432/merch
    python benchmarks/databases/load.py data/merch mysql://root@127.0.0.1:3306/merch --replace

Needs ``pip install 'jointrec[sql]'``. The URL is one that ``jointrec init`` takes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from polars import selectors as cs
from sqlalchemy.dialects import mysql

from jointrec.sources.address import Address, parse_address

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
ISO = "%Y-%m-%d %H:%M:%S%.f"
BATCH = 20_000
"""How many rows are on their way at once."""
TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
CLOCK = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
MOMENT = sa.DateTime(timezone=True).with_variant(mysql.TIMESTAMP(fsp=6), "mysql")


def load(folder: Path, url: str, *, replace: bool = False) -> dict[str, int]:
    """Loads every table of a folder, and gives the number of rows of each.

    :param url: The database, such as ``mysql://root@127.0.0.1:3306/shop``; ``${NAME}`` in it is a
        variable of the environment.
    :param replace: Whether a table that is there already is dropped first.
    :raises SystemExit: where a table is there already and is not to be replaced.
    """
    address = parse_address(url, at="load").resolved(at="load")
    make_database(address)
    loaded = {}
    with server(address, address.database) as engine, engine.begin() as connection:
        for path in sorted(p for p in folder.iterdir() if p.suffix in (".parquet", ".csv")):
            rows = read(path)
            table = sa.Table(path.stem, sa.MetaData(), *map(column_of, rows))
            make_table(connection, table, replace)
            fill = copy if address.kind == "postgresql" else insert
            fill(connection, table, rows)
            loaded[table.name] = len(rows)
    return loaded


def make_table(connection: sa.Connection, table: sa.Table, replace: bool) -> None:
    """Makes a table; one of its name is dropped first, or left alone, aloud."""
    if sa.inspect(connection).has_table(table.name):
        if not replace:
            raise SystemExit(f"{table.name} is there already. Use --replace to drop it.")
        table.drop(connection)
    table.create(connection)


def make_database(address: Address) -> None:
    """Makes the database where it is not there."""
    postgres = address.kind == "postgresql"
    form = "ENCODING 'UTF8' TEMPLATE template0" if postgres else "CHARACTER SET utf8mb4"
    with server(address, "postgres" if postgres else None) as engine:
        name = engine.dialect.identifier_preparer.quote_identifier(address.database)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if address.database not in known_databases(connection, postgres):
                connection.exec_driver_sql(f"CREATE DATABASE {name} {form}")


def known_databases(connection: sa.Connection, postgres: bool) -> list[str]:
    """The databases of a server."""
    asked = "SELECT datname FROM pg_database" if postgres else "SHOW DATABASES"
    return list(connection.exec_driver_sql(asked).scalars())


@contextmanager
def server(address: Address, database: str | None) -> Iterator[sa.Engine]:
    """What connects to a database of the server, or to none of them; let go in the end."""
    port = None if address.port is None else int(address.port)
    login = (address.user, address.password, address.host, port)
    engine = sa.create_engine(sa.URL.create(DRIVERS[address.kind], *login, database))
    try:
        yield engine
    finally:
        engine.dispose()


def read(path: Path) -> pl.DataFrame:
    """A file as a table; lists become text with ``|`` between their parts."""
    rows = pl.read_parquet(path) if path.suffix == ".parquet" else typed(path)
    return rows.with_columns(
        cs.by_dtype(pl.List(pl.String)).list.join("|"), cs.float().cast(pl.Float64)
    ).with_columns(
        cs.datetime(time_zone=None).dt.cast_time_unit("us"),
        cs.datetime(time_zone="*").dt.cast_time_unit("us").dt.convert_time_zone("UTC"),
    )


def typed(path: Path) -> pl.DataFrame:
    """A CSV file, each column of numbers or times only if all of it is: ``007`` stays text."""
    text = pl.read_csv(path, infer_schema=False)
    return text.with_columns([_typed(column) for column in text])


def _typed(text: pl.Series) -> pl.Series:
    if text.str.contains(r"^0\d|^\+|^\s|\s$").any() or not len(text.drop_nulls()):
        return text
    read = text.to_frame("text").select(
        pl.col("text").cast(pl.Int64, strict=False).alias("whole"),
        pl.col("text").cast(pl.Float64, strict=False).alias("number"),
        pl.col("text").str.to_datetime(ISO, strict=False, time_unit="us").alias("time"),
    )
    fits = [found for found in read if found.null_count() == text.null_count()]
    return fits[0].alias(text.name) if fits else text


def column_of(values: pl.Series) -> sa.Column[Any]:
    """A column of the type that holds these values exactly."""
    kind = values.dtype
    if isinstance(kind, pl.Datetime):
        stored: Any = CLOCK if kind.time_zone is None else MOMENT
    elif kind == pl.Boolean:
        stored = sa.Boolean()
    elif kind.is_integer():
        stored = sa.BigInteger()
    elif kind.is_float():
        stored = sa.Double()
    elif kind == pl.Date:
        stored = sa.Date()
    elif kind == pl.String:
        stored = TEXT
    else:
        raise SystemExit(f"Column {values.name} holds {kind}, which no table can hold here.")
    return sa.Column(sa.sql.quoted_name(values.name, quote=True), stored)


def copy(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """Rows into PostgreSQL, by its ``COPY``."""
    from psycopg import sql

    names = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    with connection.connection.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows.iter_rows(buffer_size=BATCH):
            stream.write_row(row)


def insert(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """Rows into MySQL or MariaDB, many to a statement; moments are told as UTC shows them."""
    connection.exec_driver_sql("SET time_zone = '+00:00'")
    statement = str(sa.insert(table).compile(dialect=mysql.dialect(paramstyle="format")))
    with connection.connection.cursor() as cursor:
        for some in rows.iter_slices(BATCH):
            cursor.executemany(statement, some.rows())


def main() -> None:
    """Loads a folder, and says what went where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--replace", action="store_true", help="drop tables that are there")
    given = parser.parse_args()
    begun = time.perf_counter()
    for name, num_rows in load(given.folder, given.url, replace=given.replace).items():
        print(f"{name:>20}  {num_rows:>10,} rows")
    print(f"Loaded in {time.perf_counter() - begun:.0f} s. Next: jointrec init {given.url}")


if __name__ == "__main__":
    main()
