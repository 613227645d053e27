"""What a table in memory holds, as a hash."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def add_table(total: Any, table: pa.Table) -> None:
    """Adds a table to a sum of `hashlib`: its columns, their types, and all values in order."""
    sink = pa.PythonFile(_Sink(total), "w")
    with sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())


class _Sink:
    """A file that only sums what is written into it."""

    closed = False

    def __init__(self, total: Any) -> None:
        self._total, self._at = total, 0

    def write(self, data: Any) -> int:
        """Sums some bytes."""
        view = memoryview(data)
        self._total.update(view)
        self._at += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """How many bytes there have been."""
        return self._at

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""
