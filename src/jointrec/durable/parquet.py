"""Parquet that is written so that a flipped bit is noticed, and read so that no code runs."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from jointrec.errors import BundleError

from .plain import open_plain

EXTENSION = b"ARROW:extension:name"
"""Where an Arrow schema names a type that is not Arrow's own. Whoever registered it runs code."""


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Writes a table as Parquet in which every page has its checksum.

    Without them a reader takes more than half of all flipped bits for data. Synced is the file only
    as part of a folder that :func:`write_folder` writes.

    :raises OSError: where the disk refuses.
    """
    pq.write_table(frame.to_arrow(), path, compression="zstd", write_page_checksum=True)


def read_parquet(path: Path) -> pa.Table:
    """Reads a table that this package wrote, page by page checked.

    :raises BundleError: where it is another kind of file, which could run code.
    """
    with open_plain(path) as file:
        _refuse_extension(path, file)
        return pq.read_table(file, page_checksum_verification=True)


def read_parquet_pieces(path: Path) -> Iterator[pa.Table]:
    """As :func:`read_parquet`, one row group after another: no more is in memory at a time.

    A file without rows gives one piece without any.

    :raises BundleError: where it is another kind of file, which could run code.
    """
    with open_plain(path) as plain:
        _refuse_extension(path, plain)
        file = pq.ParquetFile(plain, page_checksum_verification=True, pre_buffer=False)
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)
        if not file.num_row_groups:
            yield file.schema_arrow.empty_table()


def _refuse_extension(path: Path, file: BufferedReader) -> None:
    if names_extension(file):
        raise BundleError(f"{path}: uses Arrow extension types, which are never written here.")


def names_extension(file: BufferedReader) -> bool:
    """Whether an open Parquet file asks for an extension type, in plain text or in its schema.

    Arrow keeps its schema in base64. pyarrow builds its types as soon as it opens a file, even if
    only to read the metadata, so it cannot be asked.
    """
    footer = _footer(file)
    file.seek(0)
    return any(spelling in footer for spelling in (EXTENSION, *_IN_BASE64))


def _footer(file: BufferedReader) -> bytes:
    """The bytes in which the file says what it holds, or as many as there are."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - 8 - length))
    return file.read(length)


def _in_base64(text: bytes, offset: int) -> bytes:
    """What text looks like within base64, where it begins ``offset`` bytes after a multiple of 3.

    >>> _in_base64(b"text", 0), _in_base64(b"text", 1), _in_base64(b"text", 2)
    (b'dGV4d', b'RleH', b'0ZXh0')
    """
    coded = base64.b64encode(bytes(offset) + text)
    first, last = -(-offset * 8 // 6), (offset + len(text)) * 8 // 6
    return coded[first:last]


_IN_BASE64 = tuple(_in_base64(EXTENSION, offset) for offset in range(3))
