"""Servers that go away, go silent, or change meanwhile: all rows of one moment, or clear words."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import servers
from proxy import Proxy
from servers import Server

from jointrec import sources
from jointrec.errors import SourceError
from jointrec.sources import Cell
from jointrec.sources.printed import columns_of_rows

NUM_ROWS = 3_000
WANTED = {"id": Cell.ID, "title": Cell.TEXT}
EXPECTED = {
    "id": [str(n) for n in range(NUM_ROWS)],
    "title": ["商" * 30 + str(n) for n in range(NUM_ROWS)],
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointrec.sources.snapshot._PAUSE", 0.01)
    monkeypatch.setattr("jointrec.sources.database._ROWS", 500)


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with a table that is several batches long."""
    with getattr(servers, request.param)() as server:
        rows = list(zip(range(NUM_ROWS), EXPECTED["title"], strict=True))
        server.make("items", "id INTEGER, title TEXT", rows)
        yield server


def port_of(shop: Server) -> int:
    return int(shop.url.rpartition(":")[2].partition("/")[0])


def through(proxy: Proxy, shop: Server, **options: object) -> str:
    url = shop.url.replace(f":{port_of(shop)}/", f":{proxy.port}/")
    told = "".join(f"{name}={value}&" for name, value in options.items())
    return f"{url}?{told}table=items"


def read(source: str) -> dict[str, list[Any]]:
    table = sources.read(source, columns=WANTED, at="entity.item").table
    columns: dict[str, list[Any]] = table.to_pydict()
    return columns


def refused(source: str) -> str:
    with pytest.raises(SourceError) as caught:
        read(source)
    assert caught.value.__cause__ is None
    gc.collect()  # whatever the driver left behind must go quietly
    return str(caught.value)


def test_undisturbed(shop: Server) -> None:
    with Proxy(port_of(shop), after=None) as proxy:
        assert read(through(proxy, shop)) == EXPECTED
        assert proxy.connections == 1


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("after", [1, 60, 20_000, 150_000])
def test_a_connection_that_always_breaks_gives_nothing_but_words(
    shop: Server, after: int, how: str
) -> None:
    with Proxy(port_of(shop), after=after, how=how) as proxy:
        told = refused(through(proxy, shop))
    if after < 100:
        assert "cannot be reached" in told
    else:
        assert "lost its connection while it was read" in told
        assert (
            "This was tried 3 times, each time from the start, and nothing of it is used." in told
        )
        assert proxy.connections == 3


@pytest.mark.parametrize("after", [20_000, 100_000, 250_000])
def test_a_connection_that_breaks_once_is_read_from_the_start(shop: Server, after: int) -> None:
    with Proxy(port_of(shop), after=after, times=1) as proxy:
        assert read(through(proxy, shop)) == EXPECTED
        assert proxy.connections == 2


@pytest.mark.parametrize("after", [10, 100_000])
def test_a_server_that_goes_silent_is_told_and_not_waited_for(
    shop: Server, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("postgresql", "mysql"):
        monkeypatch.setattr(f"jointrec.sources.{kind}.CONNECT_SECONDS", 2)
    begun = time.monotonic()
    with Proxy(port_of(shop), after=after, how="stall") as proxy:
        told = refused(through(proxy, shop, timeout=1))
        assert proxy.connections == 1
    assert time.monotonic() - begun < 60
    if after == 10:
        assert "cannot be reached" in told
    else:
        assert "said nothing for 1 seconds" in told
        assert "allow more: write timeout=seconds among the parameters of the URL" in told


@pytest.fixture
def meanwhile(
    shop: Server, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[int], None]], None]:
    """Does something each time that a batch arrived; it is told how many came before."""

    def do(work: Callable[[int], None]) -> None:
        seen = iter(range(1_000))

        def spied(*given: Any, **named: Any) -> Any:
            work(next(seen))
            return columns_of_rows(*given, **named)

        monkeypatch.setattr(f"jointrec.sources.{shop.kind}.columns_of_rows", spied)

    return do


def test_a_session_that_is_ended_by_the_server_is_read_from_the_start(
    shop: Server, meanwhile: Any
) -> None:
    seen = []

    def kill(batch: int) -> None:
        seen.append(batch)
        if batch == 2 and shop.kind == "postgresql":
            shop.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'jointrec' AND datname = current_database()"
            )
        elif batch == 2:
            shop.run("""
                BEGIN NOT ATOMIC
                    DECLARE victim INT DEFAULT (SELECT max(id) FROM information_schema.processlist
                        WHERE db = database() AND id <> connection_id());
                    KILL victim;
                END
            """)

    meanwhile(kill)
    # Much is on its way already when it is ended, so there is more than that: 18 MB.
    shop.run(
        "CREATE TABLE much AS SELECT a.id, repeat('x', 3000) AS title FROM items a, items b "
        "WHERE b.id < 2"
    )
    table = sources.read(shop.table("much"), columns=WANTED, at="x").table
    assert table.num_rows == 2 * NUM_ROWS
    assert len(seen) > 12  # the first attempt was given up
    shop.run("DROP TABLE much")


def test_a_table_cannot_be_dropped_while_it_is_read(shop: Server, meanwhile: Any) -> None:
    refusals = []

    def drop(batch: int) -> None:
        if batch == 1:
            server = shop.kind == "postgresql"
            shop.run("SET lock_timeout = '100ms'" if server else "SET lock_wait_timeout = 1")
            try:
                shop.run("DROP TABLE items")
            except Exception as error:  # of either driver
                refusals.append(str(error))

    meanwhile(drop)
    assert read(shop.table("items")) == EXPECTED
    assert "lock" in refusals[0].lower()


def test_a_table_that_is_locked_is_told(shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources.postgresql._SETTINGS, "lock_timeout", "100ms")
    monkeypatch.setattr("jointrec.sources.mysql.LOCK_SECONDS", 1)
    shop.run("CREATE TABLE held (id INTEGER, title TEXT)")
    if shop.kind == "postgresql":
        shop.run("BEGIN")
        shop.run("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
    else:
        shop.run("LOCK TABLES held WRITE")
    try:
        told = refused(shop.table("held"))
    finally:
        shop.run("ROLLBACK" if shop.kind == "postgresql" else "UNLOCK TABLES")
    assert "is locked by somebody else" in told
    assert "Wait until their transaction is done, and run it again." in told
    shop.run("DROP TABLE held")


def test_the_tables_of_one_load_are_of_one_moment(shop: Server) -> None:
    shop.make("orders", "id INTEGER, title TEXT", [(1, "first")])
    shop.make("parcels", "id INTEGER, title TEXT", [(1, "first")])

    def work() -> tuple[dict[str, Any], dict[str, Any]]:
        orders = read(shop.table("orders"))
        for name in ("orders", "parcels"):
            shop.run(f"INSERT INTO {name} VALUES (2, 'second')")
        return orders, read(shop.table("parcels"))

    orders, lines = sources.in_one_snapshot(work)
    assert orders == lines == {"id": ["1"], "title": ["first"]}
    assert read(shop.table("parcels"))["id"] == ["1", "2"]
    for name in ("orders", "parcels"):
        shop.run(f"DROP TABLE {name}")


def test_one_connection_serves_a_load_and_none_is_left(shop: Server) -> None:
    with Proxy(port_of(shop), after=None) as proxy:
        source = through(proxy, shop)
        for _ in range(2):
            sources.in_one_snapshot(lambda: [read(source), sources.columns(source, at="x")])
        assert proxy.connections == 2
    if shop.kind == "postgresql":
        left = f"{shop.url}?query=select pid as id, query as title from pg_stat_activity "
        left += "where application_name = 'jointrec' and datname = current_database()"
        assert len(read(left)["id"]) == 1  # the one that looks


def test_who_stops_early_leaves_nothing_behind(shop: Server) -> None:
    with Proxy(port_of(shop), after=None) as proxy:
        opened = sources._open(through(proxy, shop), None, "x")
        first = opened.batches(["id"])
        assert next(first).table.num_rows == 500
        first.close()  # type: ignore[attr-defined]
        gc.collect()
        assert read(through(proxy, shop)) == EXPECTED


def test_two_tables_at_once_are_refused(shop: Server) -> None:
    def work() -> None:
        first = sources._open(shop.table("items"), None, "x").batches(["id"])
        next(first)
        read(f"{shop.url}?query=select id, title from items")

    with pytest.raises(SourceError, match="another table of this database is still being read"):
        sources.in_one_snapshot(work)
    gc.collect()


def test_the_server_never_gets_a_file_of_this_machine(mariadb: Server) -> None:
    from pymysql.constants import CLIENT

    opened = sources._open(mariadb.table("x"), None, "x")
    connection = opened.connect(opened.address.resolved(at="x"))
    assert connection.opened.client_flag & CLIENT.LOCAL_FILES == 0
    assert connection.opened.client_flag & CLIENT.MULTI_STATEMENTS == 0
    connection.close()
    connection.close()
