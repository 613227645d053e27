"""A damaged footer of a Parquet file is refused in words."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jointrec import sources
from jointrec.errors import SourceError


@pytest.mark.parametrize("byte", [0, 9])
def test_no_damage_of_the_footer_ends_the_process(tmp_path: Path, byte: int) -> None:
    """Asked about a column of such a file, pyarrow itself does."""
    table = pa.table({"id": ["a", "b"], "x": [[1.5], [2.5, 3.5]]})
    pq.write_table(table, path := tmp_path / "t.parquet", store_schema=False)
    whole = path.read_bytes()
    refusals = 0
    for at in range(len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), len(whole) - 8):
        path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        try:
            assert sources.read(path, at="x").table.num_rows <= 2
        except SourceError:
            refusals += 1
    assert refusals > 100
