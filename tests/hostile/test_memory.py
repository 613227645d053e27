"""A bomb of full size is refused long before memory is full, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

READ = """
import json, resource, sys
from jointrec import sources
from jointrec.errors import SourceError
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    sources.read(sys.argv[1], columns={"x": sources.Cell.TEXT}, at="x")
    told = "read"
except SourceError as error:
    told = str(error)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([told, (after - before) * 1024]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("stored", [True, False])
def test_ten_gigabytes_in_a_few_kilobytes(tmp_path: Path, stored: bool) -> None:
    path = tmp_path / "t.parquet"
    words = pa.array(["y" * (1 << 20)])
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), words)
    pq.write_table(pa.table({"x": text}), path, compression="zstd", store_schema=stored)
    assert path.stat().st_size < 1 << 14
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told, grown = json.loads(ran.stdout)
    assert "a source may unpack to 1,073,741,824 at most" in told
    assert grown < 4 << 30
