"""How fast the tables of a database are read, and how much memory it takes beside the result.

The servers are those of the tests (`CONTRIBUTING.md`); one that is not there is left out, aloud.
Each table is read in a process of its own, whose peak is stated without what it needs to start.

    python benchmarks/speed/sql.py --rows 10000000 --only postgresql
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import servers
from _pytest.outcomes import Skipped

SERIES = {
    "postgresql": (
        "generate_series(1, {rows}) AS made(n)", "timestamp '2024-01-01' + n * interval '1 second'",
    ),
    "mysql": (
        "(SELECT seq AS n FROM seq_1_to_{rows}) AS made",
        "timestamp('2024-01-01') + INTERVAL n SECOND",
    ),
    "duckdb": ("range(1, {rows} + 1) AS made(n)", "timestamp '2024-01-01' + to_seconds(n)"),
    "sqlite": (
        "(WITH RECURSIVE made(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made LIMIT {rows}) "
        "SELECT n FROM made)",
        "datetime(1704067200 + n, 'unixepoch')",
    ),
}  # fmt: skip
"""For each kind, rows with a number `n`, and a time made of it."""


def fill(server: servers.Server, rows: int) -> str:
    """Makes a table of events on the server, of five columns, and gives its source string."""
    made, at = SERIES[server.kind]
    decimal = "REAL" if server.kind == "sqlite" else "DECIMAL(10, 2)"
    user = "concat('user-', n % 50000)" if server.kind != "sqlite" else "'user-' || n % 50000"
    server.run(
        f"CREATE TABLE events AS SELECT {user} AS user_id, "
        f"n % 20000 AS item_id, {at} AS at, CAST(n % 1000 / 100.0 AS {decimal}) AS price, "
        f"n % 7 AS clicks FROM {made.format(rows=rows)}"
    )
    return server.table("events")


def read(source: str, root: str) -> None:
    """Reads the table, and prints what it took. Runs in a process of its own."""
    from jointrec import sources
    from jointrec.sources import Cell

    cells = {
        "user_id": Cell.ID, "item_id": Cell.ID, "at": Cell.TIME, "price": Cell.NUMBER,
        "clicks": Cell.NUMBER,
    }  # fmt: skip
    # What importing and the first batch take is not counted.
    sources.read(source.replace("=events", "=few"), root=Path(root), columns=cells, at="few")
    before = peak()
    begun, cpu = time.perf_counter(), time.process_time()
    table = sources.read(source, root=Path(root), columns=cells, at="events").table
    told = {
        "rows": table.num_rows,
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu": round(time.process_time() - cpu, 1),
        "result_mib": round(table.nbytes / 2**20),
        "beside_it_mib": round((peak() - before - table.nbytes) / 2**20),
    }
    print(json.dumps(told))


def peak() -> int:
    """The most memory that this process held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(kind: str, rows: int) -> dict[str, float]:
    """Fills a new database, reads it in another process, and drops it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = next(_servers(kind, folder, stack))
        source = fill(server, rows)
        server.run("CREATE TABLE few AS SELECT * FROM events LIMIT 100")
        words = [sys.executable, __file__, "--source", source, "--root", str(folder)]
        ran = subprocess.run(words, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(ran.stdout)
        return found


def _servers(kind: str, folder: Path, stack: ExitStack) -> Iterator[servers.Server]:
    if kind in ("sqlite", "duckdb"):
        yield getattr(servers, kind)(folder)
    else:
        made = servers.postgresql() if kind == "postgresql" else servers.mariadb()
        yield stack.enter_context(made)


def main() -> None:
    """Prints a line for each kind of database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=list(SERIES))
    parser.add_argument("--source")
    parser.add_argument("--root")
    given = parser.parse_args()
    if given.source:
        read(given.source, given.root)
        return
    for kind in [given.only] if given.only else SERIES:
        try:
            print(f"{kind:>10}  {measured(kind, given.rows)}", flush=True)
        except Skipped as left_out:
            print(f"{kind:>10}  left out: {left_out}", flush=True)


if __name__ == "__main__":
    main()
