"""What the loader of folders puts into a database is read as the files are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import servers

from jointrec import sources
from jointrec.sources import Cell

ROWS = pl.DataFrame(
    {
        "id": [2**53 + 1, -7, None],
        "the price": [0.1, None, 1e-300],
        "ok": [True, None, False],
        "note; %s": ['a "b", \\N\n', "", None],
        "at": [datetime(2024, 5, 1, 12, 30, 0, 123_456), None, datetime(1970, 1, 2)],
        "moment": pl.Series(
            [datetime(2024, 7, 1, 12, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC), None],
            dtype=pl.Datetime("ms", "UTC"),
        ).dt.convert_time_zone("Asia/Shanghai"),
        "day": [date(2024, 2, 29), None, date(1999, 12, 31)],
        "tags": [["a", "b"], None, ["c"]],
    }
)
CELLS = {
    "id": Cell.ID, "the price": Cell.NUMBER, "ok": Cell.FLAG, "note; %s": Cell.TEXT,
    "at": Cell.TIME, "moment": Cell.TIME, "day": Cell.TIME, "tags": Cell.LIST,
}  # fmt: skip
CSV = "code,n,x,at\n007,1,1.5,2024-05-01 12:30:00\n12,,2,2024-05-02 00:00:00\n"


def test_tables_are_read_as_their_files_are(server: servers.Server, tmp_path: Path):
    loader = servers.loader()
    ROWS.write_parquet(tmp_path / "all kinds.parquet")
    (tmp_path / "codes.csv").write_text(CSV)
    name = server.url.rpartition("/")[2]
    url = server.url.replace(name, f"{name}_loaded")  # the loader makes the database, too
    try:
        assert loader.load(tmp_path, url) == {"all kinds": 3, "codes": 2}
        with pytest.raises(SystemExit, match="all kinds is there already"):
            loader.load(tmp_path, url)
        loader.load(tmp_path, url, replace=True)
        here = sources.read(f"{url}?table=all kinds", columns=CELLS, at="here")
        there = sources.read("all kinds.parquet", root=tmp_path, columns=CELLS, at="here")
        assert here.table.equals(there.table)
        assert here.findings == there.findings
        kinds = sources.columns(f"{url}?table=codes", at="here")
        assert [str(kind).partition("[")[0] for kind in kinds.values()] == [
            "large_string", "int64", "double", "timestamp",
        ]  # fmt: skip
    finally:
        server.run(f"DROP DATABASE IF EXISTS {name}_loaded")
