"""A table while it comes in part by part: in memory, or once it is large in a file."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from .workspace import IN_MEMORY, Workspace, mapped, new_file


class Parts:
    """A table that parts are added to.

    :param workspace: Where it lives. On disk, parts are kept in memory until they make a piece.

    >>> parts = Parts()
    >>> for number in (1, 2):
    ...     parts.add(pl.DataFrame({"a": [number]}))
    >>> parts.table()["a"].to_list()
    [1, 2]
    """

    def __init__(self, workspace: Workspace = IN_MEMORY) -> None:
        self.workspace = workspace
        self.num_rows = 0
        """How many rows were added."""
        self._held: list[pl.DataFrame] = []
        self._path: Path | None = None
        self._file: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, part: pl.DataFrame) -> None:
        """Adds rows. All parts have the same columns."""
        self._held.append(part)
        self.num_rows += len(part)
        if sum(map(len, self._held)) >= self.workspace.piece:
            self._write()

    def table(self) -> pl.DataFrame:
        """All rows in the order in which they came, each column in one run. It ends the adding."""
        if self._path is None or self._file is None:
            return pl.concat(self._held, rechunk=True)
        self._write()
        self._file.close()
        whole = mapped(self._path)
        return pl.DataFrame([self.workspace.column(values) for values in whole])

    def _write(self) -> None:
        """Moves what is held to the file."""
        if self._held:
            held = pl.concat(self._held).to_arrow(compat_level=pl.CompatLevel.newest())
            if self._file is None:
                self._path = new_file(self.workspace)
                self._file = pa.ipc.new_file(str(self._path), held.schema)
            self._file.write_table(held)
            self._held = []
