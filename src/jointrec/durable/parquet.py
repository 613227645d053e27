"""Writing a table so that whoever reads it notices a flipped bit."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Writes a table as Parquet in which every page has its checksum.

    Without them a reader takes more than half of all flipped bits for data. Synced is the file only
    as part of a folder that :func:`write_folder` writes.

    :raises OSError: where the disk refuses.
    """
    pq.write_table(frame.to_arrow(), path, compression="zstd", write_page_checksum=True)
