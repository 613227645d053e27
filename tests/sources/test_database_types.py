"""Each type of each database is read exactly, or refused with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from servers import Server

from jointrec import sources
from jointrec.errors import SourceError
from jointrec.sources import Cell

MICRO = 1_714_566_600_250_000
"""2024-05-01 12:30:00.25 UTC."""


def got(source: str, root: Path | None = None, **cells: Cell) -> dict[str, list[Any]]:
    read = sources.read(source, root=root, columns=cells, at="event.view")
    assert read.findings == ()
    columns: dict[str, list[Any]] = read.table.to_pydict()
    return columns


def found(source: str, root: Path | None = None, **cells: Cell) -> tuple[dict[str, Any], list[Any]]:
    read = sources.read(source, root=root, columns=cells, at="event.view")
    return read.table.to_pydict(), [(f.code, f.column, f.count, f.examples) for f in read.findings]


def refused(source: str, root: Path | None = None, **cells: Cell) -> str:
    with pytest.raises(SourceError) as caught:
        sources.read(source, root=root, columns=cells, at="event.view")
    return str(caught.value)


# --- what all of them share ----------------------------------------------------------------------


def test_texts_numbers_times_and_nulls(database: Server, tmp_path: Path) -> None:
    text = "TEXT" if database.kind == "sqlite" else "VARCHAR(60)"
    precise = "TIMESTAMP(6) NULL" if database.kind == "mysql" else "TIMESTAMP"
    source = database.make(
        "plain", f"id {text}, name {text}, price DOUBLE PRECISION, seen {precise}, stock INTEGER",
        [
            ("007", "Zoë 27\" 商品 🛒 50% a:b", 0.1, "2024-05-01 12:30:00.25", 3),
            ("7", "two\nlines, \\N and \\", -1e-300, None, -1),
            ("12345678901234567890", "", None, "1969-12-31 23:59:59.999999", None),
        ] if database.kind != "mysql" else [
            ("007", "Zoë 27\" 商品 🛒 50% a:b", 0.1, "2024-05-01 12:30:00.25", 3),
            ("7", "two\nlines, \\N and \\", -1e-300, None, -1),
            ("12345678901234567890", "", None, "1970-01-01 00:00:01.999999", None),
        ],
    )  # fmt: skip
    last = 1_999_999 if database.kind == "mysql" else -1
    assert got(
        source, tmp_path, id=Cell.ID, name=Cell.TEXT, price=Cell.NUMBER, seen=Cell.TIME,
        stock=Cell.NUMBER,
    ) == {
        "id": ["007", "7", "12345678901234567890"],
        "name": ["Zoë 27\" 商品 🛒 50% a:b", "two\nlines, \\N and \\", None],
        "price": [0.1, -1e-300, None],
        "seen": [MICRO, None, last],
        "stock": [3.0, -1.0, None],
    }  # fmt: skip
    database.run("DROP TABLE plain")


def test_exact_decimals_keep_each_digit(database: Server, tmp_path: Path) -> None:
    """As an id a decimal is its text, as a number the nearest double. SQLite has none: text."""
    kind = "TEXT" if database.kind == "sqlite" else "DECIMAL({})"
    code, whole, long = (kind.format(size) for size in ("10, 2", "38, 0", "20, 10"))
    source = database.make(
        "exact", f"code {code}, id {whole}, n {long}",
        [("1.10", "12345678901234567890123456789012345678", "0.1"), ("7.00", "7", "-3.3"),
         (None, None, None)],
    )  # fmt: skip
    assert got(source, tmp_path, code=Cell.ID, id=Cell.ID, n=Cell.NUMBER) == {
        "code": ["1.10", "7.00", None],
        "id": ["12345678901234567890123456789012345678", "7", None],
        "n": [0.1, -3.3, None],
    }
    if database.kind != "sqlite":
        kinds = sources.columns(source, root=tmp_path, at="x")
        assert kinds["code"] == pa.decimal128(10, 2)
        assert kinds["id"] == pa.decimal128(38, 0)
    database.run("DROP TABLE exact")


def test_flags(database: Server, tmp_path: Path) -> None:
    source = database.make("flags", "id INTEGER, ok BOOLEAN", [(1, True), (2, False), (3, None)])
    assert got(source, tmp_path, ok=Cell.FLAG, id=Cell.ID) == {
        "ok": [1.0, 0.0, None], "id": ["1", "2", "3"],
    }  # fmt: skip
    words = ["1", "0", None] if database.kind == "sqlite" else ["true", "false", None]
    assert got(source, tmp_path, ok=Cell.TEXT) == {"ok": words}
    database.run("DROP TABLE flags")


def test_names_are_quoted(database: Server, tmp_path: Path) -> None:
    """Words of SQL, blanks, quotes, percent signs and colons are letters like others."""
    q = "`" if database.kind == "mysql" else '"'
    names = ["select", "a b", "it's", "50%", "x:y", "naïve"]
    columns = ", ".join(f"{q}{name}{q} INTEGER" for name in names)
    database.run(f"CREATE TABLE {q}order by{q} ({columns})")
    database.run(f"INSERT INTO {q}order by{q} VALUES (1, 2, 3, 4, 5, 6)")
    want = dict.fromkeys(reversed(names), Cell.NUMBER)
    assert got(database.table("order by"), tmp_path, **want) == {
        name: [6.0 - place] for place, name in enumerate(reversed(names))
    }
    assert database.table("order by") in sources.tables(database.url, root=tmp_path, at="x")
    database.run(f"DROP TABLE {q}order by{q}")


def test_only_the_wanted_columns_are_selected(postgresql: Server) -> None:
    """A view that divides by zero in one column can be read for the other."""
    postgresql.make("nums", "id INTEGER", [(1,)])
    postgresql.run("CREATE VIEW half AS SELECT id, 1 / (id - 1) AS broken FROM nums")
    assert got(postgresql.table("half"), id=Cell.ID) == {"id": ["1"]}
    assert "division by zero" in refused(postgresql.table("half"), broken=Cell.NUMBER)
    postgresql.run("DROP TABLE nums CASCADE")


def test_a_view_and_a_query_are_tables_too(database: Server, tmp_path: Path) -> None:
    database.make("sold", "item INTEGER, n INTEGER", [(1, 2), (2, 0), (3, 5)])
    database.run("CREATE VIEW good AS SELECT item FROM sold WHERE n > 0")
    assert got(database.table("good"), tmp_path, item=Cell.ID) == {"item": ["1", "3"]}
    for query in (
        "select item, n*2 as twice from sold where n >= 2 order by item -- 100% of it",
        "with big as (select * from sold where n >= 2) select item, n*2 as twice from big ; ",
        "select%20item,%20n*2+as+twice%20from+sold+where+n%3E%3D2+order+by+item",
    ):
        read = got(f"{database.url}?query={query}", tmp_path, twice=Cell.NUMBER, item=Cell.ID)
        assert read == {"twice": [4.0, 10.0], "item": ["1", "3"]}
    plus = got(f"{database.url}?query=select item+1 as next from sold", tmp_path, next=Cell.ID)
    assert sorted(plus["next"]) == ["2", "3", "4"]
    database.run("DROP VIEW good")
    database.run("DROP TABLE sold")


def test_columns_are_told_and_all_can_be_read(database: Server, tmp_path: Path) -> None:
    source = database.make("few", "id INTEGER, ratio DOUBLE PRECISION", [(1, 0.5), (2, 1.5)])
    assert list(sources.columns(source, root=tmp_path, at="x")) == ["id", "ratio"]
    read = sources.read(source, root=tmp_path, at="x")
    assert read.table.to_pydict() == {"id": [1, 2], "ratio": [0.5, 1.5]}
    read = sources.read(source, root=tmp_path, columns={}, at="x")
    assert (read.table.num_columns, read.table.num_rows) == (0, 2)
    database.run("DROP TABLE few")


def test_batches_together_are_the_table(
    database: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jointrec.sources.database._ROWS", 7)
    rows = [(n, f"t{n}", None if n % 3 else "2024-05-01 12:30:00") for n in range(50)]
    source = database.make("parts", "id INTEGER, t VARCHAR(9), seen TIMESTAMP NULL", rows)
    read = got(source, tmp_path, id=Cell.ID, t=Cell.TEXT, seen=Cell.TIME)
    order = sorted(range(50), key=lambda place: int(read["id"][place]))
    assert [read["t"][place] for place in order] == [f"t{n}" for n in range(50)]
    assert sum(time is not None for time in read["seen"]) == 17
    database.run("DROP TABLE parts")


# --- PostgreSQL ----------------------------------------------------------------------------------


def test_types_of_postgresql(postgresql: Server) -> None:
    postgresql.run("CREATE TYPE colour AS ENUM ('red', 'blue')")
    postgresql.run("CREATE DOMAIN sku AS varchar(10)")
    postgresql.run("""
        CREATE TABLE kinds AS SELECT 'red'::colour AS colour, 'ab '::char(5) AS padded,
        ' ab '::varchar AS blanks, 'x1'::sku AS sku, '2024-05-01'::date AS day,
        '2024-05-01 14:30:00.25+02'::timestamptz AS zoned, 'infinity'::timestamp AS never,
        9223372036854775807 AS big, 1::smallint AS small, 0.1::real AS short,
        'NaN'::float8 AS nan, 1.10 AS free, 'NaN'::numeric AS no_number,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS uuid, true AS yes
    """)
    table, odd = found(
        postgresql.table("kinds"), colour=Cell.TEXT, padded=Cell.ID, blanks=Cell.TEXT, sku=Cell.ID,
        day=Cell.TIME, zoned=Cell.TIME, never=Cell.TIME, big=Cell.ID, small=Cell.NUMBER,
        short=Cell.NUMBER, nan=Cell.NUMBER, free=Cell.ID, uuid=Cell.ID, yes=Cell.TEXT,
    )  # fmt: skip
    assert {name: values[0] for name, values in table.items()} == {
        "colour": "red", "padded": "ab", "blanks": " ab ", "sku": "x1",
        "day": 1_714_521_600_000_000, "zoned": MICRO, "never": None, "big": "9223372036854775807",
        "small": 1.0, "short": pa.scalar(0.1, pa.float32()).as_py(), "nan": None, "free": "1.10",
        "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "yes": "true",
    }  # fmt: skip
    assert sorted(odd) == [
        ("not_finite", "nan", 1, ("nan",)),
        ("time_too_far", "never", 1, ("infinity",)),
    ]
    postgresql.run("DROP TABLE kinds")


@pytest.mark.parametrize(
    ("value", "words", "way_out"),
    [
        ("ARRAY['a', 'b']", "an array (`text[]`)", "array_to_string(tags, '|')"),
        ("'{}'::json", "`json`", "doc->>'field'"),
        ("'{}'::jsonb", "`jsonb`", "doc->>'field'"),
        ("'\\x00'::bytea", "`bytea`", "encode(code, 'hex')"),
        ("'1.5'::money", "`money`", "price::numeric"),
        ("int4range(1, 2)", "a range (`int4range`)", "lower(period)"),
        ("point(1, 2)", "a geometric value (`point`)", "place[0]"),
        ("B'101'", "a bit string (`bit`)", "flags::text"),
    ],
)
def test_what_postgresql_alone_can_hold_is_refused(
    postgresql: Server, value: str, words: str, way_out: str
) -> None:
    source = f"{postgresql.url}?query=select 1 as id, {value} as odd"
    assert got(source, id=Cell.ID) == {"id": ["1"]}
    told = refused(source, odd=Cell.TEXT)
    assert f"column `odd` holds {words}, which cannot be read. Cast it in a query" in told
    assert way_out in told
    read = sources.read(source, at="x")
    assert read.table.to_pydict() == {"id": [1]}
    assert [(f.code, f.column) for f in read.findings] == [("column_left_out", "odd")]


def test_schemas_of_postgresql(postgresql: Server) -> None:
    postgresql.run("CREATE SCHEMA sales")
    postgresql.run("CREATE TABLE sales.lines AS SELECT 1 AS id")
    postgresql.run("CREATE TABLE shelves AS SELECT 2 AS id")
    assert got(postgresql.table("sales.lines"), id=Cell.ID) == {"id": ["1"]}
    assert got(postgresql.table("public.shelves"), id=Cell.ID) == {"id": ["2"]}
    listed = sources.tables(postgresql.url, at="init")
    assert {postgresql.table("shelves"), postgresql.table("sales.lines")} <= set(listed)
    assert not any("pg_" in source or "information_schema" in source for source in listed)
    told = refused(postgresql.table("lines"), id=Cell.ID)
    assert "there is no table or view `lines`. Did you mean `sales.lines`?" in told
    postgresql.run("DROP SCHEMA sales CASCADE")
    postgresql.run("DROP TABLE shelves")


# --- MariaDB -------------------------------------------------------------------------------------


def test_types_of_mariadb(mariadb: Server) -> None:
    mariadb.run("""
        CREATE TABLE kinds (colour ENUM('red', 'blue'), tags SET('a', 'b'), padded CHAR(5),
        small TINYINT, big BIGINT UNSIGNED, short FLOAT, day DATE, at DATETIME(6), year YEAR,
        latin VARCHAR(9) CHARACTER SET latin1)
    """)
    mariadb.run("SET time_zone = '+05:00'")
    mariadb.run("""
        INSERT INTO kinds VALUES ('red', 'a,b', 'ab', 2, 18446744073709551615, 16777217.0,
        '2024-05-01', '2024-05-01 12:30:00.25', 2024, 'Zoë')
    """)
    mariadb.run("SET time_zone = DEFAULT")
    table = got(
        mariadb.table("kinds"), colour=Cell.TEXT, tags=Cell.TEXT, padded=Cell.ID, small=Cell.NUMBER,
        big=Cell.ID, short=Cell.NUMBER, day=Cell.TIME, at=Cell.TIME, year=Cell.NUMBER,
        latin=Cell.TEXT,
    )  # fmt: skip
    assert {name: values[0] for name, values in table.items()} == {
        "colour": "red", "tags": "a,b", "padded": "ab", "small": 2.0, "big": "18446744073709551615",
        "short": 16777216.0, "day": 1_714_521_600_000_000, "at": MICRO, "year": 2024.0,
        "latin": "Zoë",
    }  # fmt: skip
    assert "should hold yes or no" in refused(mariadb.table("kinds"), small=Cell.FLAG)
    mariadb.run("DROP TABLE kinds")


def test_timestamps_of_mariadb_are_utc_whatever_the_server_says(mariadb: Server) -> None:
    mariadb.run("SET time_zone = '+05:00'")
    mariadb.run("CREATE TABLE zoned (at TIMESTAMP(6) NULL)")
    mariadb.run("INSERT INTO zoned VALUES ('2024-05-01 17:30:00.25')")
    mariadb.run("SET time_zone = DEFAULT")
    assert got(mariadb.table("zoned"), at=Cell.TIME) == {"at": [MICRO]}
    mariadb.run("DROP TABLE zoned")


def test_zero_dates_are_null_and_told(mariadb: Server) -> None:
    mariadb.run("SET sql_mode = ''")
    mariadb.run("CREATE TABLE zeros (at DATETIME, day DATE)")
    mariadb.run("INSERT INTO zeros VALUES ('0000-00-00', '0000-00-00'), ('2024-00-10', NULL)")
    mariadb.run("INSERT INTO zeros VALUES ('2024-05-01 12:30:00', '2024-05-01')")
    mariadb.run("SET sql_mode = DEFAULT")
    table, odd = found(mariadb.table("zeros"), at=Cell.TIME, day=Cell.TIME)
    assert table == {
        "at": [None, None, 1_714_566_600_000_000], "day": [None, None, 1_714_521_600_000_000],
    }  # fmt: skip
    assert odd == [
        ("zero_date", "at", 2, ("0000-00-00 00:00:00", "2024-00-10 00:00:00")),
        ("zero_date", "day", 1, ("0000-00-00",)),
    ]
    mariadb.run("DROP TABLE zeros")


def test_what_mariadb_alone_can_hold_is_refused(mariadb: Server) -> None:
    mariadb.run("CREATE TABLE odd (id INT, doc JSON, code VARBINARY(9), place POINT, bits BIT(3))")
    mariadb.run("INSERT INTO odd VALUES (1, '{\"a\": 1}', 'x', POINT(1, 2), b'101')")
    source = mariadb.table("odd")
    assert "column `doc` holds JSON, which cannot be read. Cast" in refused(source, doc=Cell.TEXT)
    told = refused(source, code=Cell.TEXT, place=Cell.TEXT, bits=Cell.NUMBER)
    assert "column `code` holds bytes" in told
    assert "column `place` holds bytes" in told
    assert "column `bits` holds `bit`, which cannot be read. Cast it in a query, such as" in told
    query = "select json_value(doc, '$.a') as a, hex(code) as code, bits+0 as bits from odd"
    assert got(f"{mariadb.url}?query={query}", a=Cell.NUMBER, code=Cell.ID, bits=Cell.NUMBER) == {
        "a": [1.0], "code": ["78"], "bits": [5.0],
    }  # fmt: skip
    mariadb.run("DROP TABLE odd")


# --- SQLite and DuckDB ---------------------------------------------------------------------------


def test_values_of_sqlite_are_what_they_are_not_what_was_declared(tmp_path: Path) -> None:
    from servers import sqlite

    made = sqlite(tmp_path)
    source = made.make(
        "loose", "whole TEXT_ID, mixed INTEGER, number NUMERIC, none TEXT, raw BLOB, day DATETIME",
        [(1, 7, 1, None, b"x", "2024-05-01"), (2**63 - 1, "007", 2.5, None, None, "2024-05-02")],
    )  # fmt: skip
    assert got(
        source, tmp_path, whole=Cell.ID, mixed=Cell.ID, number=Cell.NUMBER, none=Cell.TEXT,
        day=Cell.TIME,
    ) == {
        "whole": ["1", "9223372036854775807"], "mixed": ["7", "7"], "number": [1.0, 2.5],
        "none": [None, None], "day": [1_714_521_600_000_000, 1_714_608_000_000_000],
    }  # fmt: skip
    assert "column `raw` holds bytes, which cannot be read" in refused(
        source, tmp_path, raw=Cell.TEXT
    )
    made.run("INSERT INTO loose VALUES (?, ?, ?, ?, ?, ?)", [(0, 0, 2**60 + 1, None, None, None)])
    told = refused(source, tmp_path, number=Cell.NUMBER)
    assert "column `number` mixes decimal numbers with whole ones beyond 2⁵³" in told


def test_types_of_duckdb(tmp_path: Path) -> None:
    from servers import duckdb

    made = duckdb(tmp_path)
    made.run("""
        CREATE TABLE kinds AS SELECT 18446744073709551615::UBIGINT AS big, 1.10::DECIMAL(5,2) AS d,
        170141183460469231731687303715884105727::HUGEINT AS huge, 'red'::ENUM('red') AS colour,
        TIMESTAMPTZ '2024-05-01 14:30:00.25+02' AS zoned, DATE '2024-05-01' AS day,
        'infinity'::TIMESTAMP AS never, 0.1::FLOAT AS short,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID AS uuid, [1] AS list, {'a': 1} AS struct,
        '{}'::JSON AS doc, 'x'::BLOB AS raw
    """)
    table, odd = found(
        made.table("kinds"), tmp_path, big=Cell.ID, d=Cell.ID, huge=Cell.ID, colour=Cell.TEXT,
        zoned=Cell.TIME, day=Cell.TIME, never=Cell.TIME, short=Cell.NUMBER, uuid=Cell.ID,
    )  # fmt: skip
    assert {name: values[0] for name, values in table.items()} == {
        "big": "18446744073709551615", "d": "1.10", "colour": "red", "zoned": MICRO,
        "huge": "170141183460469231731687303715884105727", "day": 1_714_521_600_000_000,
        "never": None, "short": pa.scalar(0.1, pa.float32()).as_py(),
        "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    }  # fmt: skip
    assert [code for code, *_ in odd] == ["time_too_far"]
    told = refused(
        made.table("kinds"), tmp_path, list=Cell.LIST, struct=Cell.TEXT, doc=Cell.TEXT,
        raw=Cell.TEXT,
    )  # fmt: skip
    for words in ("a list (`INTEGER[]`)", "a struct (`STRUCT(", "JSON (`JSON`)", "bytes (`BLOB`)"):
        assert f"holds {words}" in told
