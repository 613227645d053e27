"""Tables that are read part by part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jointrec import sources
from jointrec.sources import Cell


def test_batches_are_what_is_read_at_once(tmp_path: Path):
    """Files of several widths, part by part; a row set aside is numbered in all of them."""
    for number, width in enumerate((pa.int8(), pa.int64(), pa.int32())):
        table = pa.table({"id": pa.array([number, 100], width), "price": [0.5, None]})
        pq.write_table(table, tmp_path / f"{number}.parquet")
    how: Any = {"root": tmp_path, "columns": {"price": Cell.NUMBER, "id": Cell.ID}, "at": "x"}
    parts = list(sources.batches("*.parquet", **how))
    assert sum(part.table.num_rows for part in parts) == 6 and len(parts) >= 3
    together = pa.concat_tables([part.table for part in parts])
    assert together.equals(sources.read("*.parquet", **how).table)
    for number in range(2):
        (tmp_path / f"{number}.csv").write_text("id,price\n7,1\nragged\n8,x\n")
    how["columns"] = {"id": Cell.ID}
    parts = list(sources.batches("*.csv", **how))
    assert [part.aside["@row"].to_pylist() for part in parts] == [[2], [5]]
    how["columns"] = {"id": Cell.ID, "price": Cell.NUMBER}
    (part,) = sources.batches("*.csv", **how)  # all values tell how the prices are read
    assert part.table["price"].to_pylist() == [1.0, None, 1.0, None]
    assert [finding.count for finding in part.findings] == [2, 2]


def test_batches_stop_where_nobody_asks_on(tmp_path: Path):
    pq.write_table(pa.table({"id": [1]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"id": [2]}), tmp_path / "1.parquet")
    how: Any = {"root": tmp_path, "columns": {"id": Cell.ID}, "at": "x"}
    some = sources.batches("*.parquet", **how)
    assert next(some).table["id"].to_pylist() == ["1"]
    some.close()
