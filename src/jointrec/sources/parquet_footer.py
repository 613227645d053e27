"""Damage in what the footer of a Parquet file says of its columns, found before it is asked about.

``metadata.row_group(…).column(…)`` of pyarrow ends the process where it meets such damage: its C++
throws, and nothing there catches it. Reading the column raises the same error in order, so each
column is asked for from a file that gives none of its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import SEEK_END, BufferedReader, RawIOBase
from typing import Any

import pyarrow.parquet as pq


class _Asked(Exception):
    """Bytes were asked for, so the footer was read without complaint."""


class _Sealed(RawIOBase):
    """Stands where a file does, of the same size, and gives nothing of it."""

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        raise _Asked


def check_footer(metadata: Any, data: BufferedReader, paths: Sequence[str]) -> None:
    """Looks at what the footer says of some columns, in each row group.

    :param data: The open file.
    :raises OSError: of pyarrow, or another of its errors, where the footer is damaged.
    """
    sealed = pq.ParquetFile(
        _Sealed(data.seek(0, SEEK_END)), metadata=metadata, arrow_extensions_enabled=False
    )
    for group in range(metadata.num_row_groups):
        for path in paths:
            try:
                next(sealed.iter_batches(batch_size=1, row_groups=[group], columns=[path]), None)
            except _Asked:
                continue
