"""Parquet that the package writes: a flipped bit in a page is refused, and no type runs code."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jointrec.durable import read_parquet, write_parquet
from jointrec.errors import BundleError

FRAME = pl.DataFrame({"id": [f"u{n}" for n in range(500)], "x": [n / 7 for n in range(500)]})


def flipped(whole: bytes, bit: int) -> bytes:
    data = bytearray(whole)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def test_no_flip_in_the_data_gives_other_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(FRAME, path)
    whole, noticed = path.read_bytes(), 0
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for bit in range(32, footer * 8, 293):
        path.write_bytes(flipped(whole, bit))
        try:
            assert pl.DataFrame(read_parquet(path)).equals(FRAME)
        except (pa.ArrowException, OSError, ValueError):
            noticed += 1
    assert noticed > 50


def test_without_sums_some_would(tmp_path: Path) -> None:
    """The control: what pyarrow writes and reads unless told."""
    path = tmp_path / "t.parquet"
    pq.write_table(FRAME.to_arrow(), path)
    whole, wrong = path.read_bytes(), 0
    for bit in range(1_600, 1_600 + 293 * 60, 293):
        path.write_bytes(flipped(whole, bit))
        try:
            wrong += not pl.DataFrame(pq.ParquetFile(path).read()).equals(FRAME)
        except (pa.ArrowException, OSError, ValueError):
            continue
    assert wrong > 3


def test_types_of_others_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": pa.array(["1"], pa.json_())}), tmp_path / "t.parquet")
    with pytest.raises(BundleError, match="uses Arrow extension types, which are never written"):
        read_parquet(tmp_path / "t.parquet")
