"""What MySQL and MariaDB alone have: flags that are small numbers, databases beside one another."""

from __future__ import annotations

from servers import Server
from test_database_types import got, refused

from jointrec import sources
from jointrec.sources import Cell


def test_a_tinyint_of_width_1_is_a_flag_only_where_it_holds_nothing_else(mariadb: Server) -> None:
    columns = "yes TINYINT(1), none BOOLEAN, stars TINYINT(1), `u` TINYINT(1) UNSIGNED"
    source = mariadb.make("widths", columns, [(1, None, 5, 1), (0, None, -1, 0), (None,) * 4])
    assert [str(kind) for kind in sources.columns(source, at="x").values()] == [
        "bool", "bool", "int8", "uint8",
    ]  # fmt: skip
    flags = got(source, yes=Cell.FLAG, none=Cell.FLAG, stars=Cell.NUMBER, u=Cell.FLAG)
    assert flags == {
        "yes": [1.0, 0.0, None], "none": [None] * 3, "stars": [5.0, -1.0, None],
        "u": [1.0, 0.0, None],
    }  # fmt: skip
    query = source.replace(
        "table=widths", "query=select stars, yes as ok from widths where yes = 1"
    )
    assert got(query, stars=Cell.TEXT, ok=Cell.TEXT) == {"stars": ["5"], "ok": ["true"]}
    mariadb.run("DROP TABLE widths")


def test_only_the_tables_of_its_own_database_are_listed(mariadb: Server) -> None:
    name = mariadb.url.rpartition("/")[2]
    mariadb.run(f"CREATE DATABASE {name}_other")
    mariadb.run(f"CREATE TABLE {name}_other.lines AS SELECT 1 AS id")
    try:
        others = sources.tables(mariadb.url, at="init")  # of tests that ran before
        assert all("lines" not in table for table in others)
        mariadb.run("CREATE TABLE shelves AS SELECT 2 AS id")
        found = sources.tables(mariadb.url, at="init")
        assert sorted(found) == sorted([*others, mariadb.table("shelves")])
        assert got(mariadb.table(f"{name}_other.lines"), id=Cell.ID) == {"id": ["1"]}
        told = refused(mariadb.table("shelve"), id=Cell.ID)
        assert "Did you mean `shelves`? Known: " in told
        assert "lines" not in told
        told = refused(mariadb.table(f"{name}_other.line"), id=Cell.ID)
        assert f"Did you mean `{name}_other.lines`?" in told
        without = mariadb.url.removesuffix(name)
        assert f"{without}?table={name}_other.lines" in sources.tables(without, at="init")
    finally:
        mariadb.run(f"DROP DATABASE {name}_other")
        mariadb.run("DROP TABLE IF EXISTS shelves")
