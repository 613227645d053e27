"""A table while it comes in part by part: in memory, or once it is large in a file."""

from __future__ import annotations

import polars as pl

from .mapped import ColumnFile
from .workspace import IN_MEMORY, Workspace


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
        self._columns: list[ColumnFile] = []

    def add(self, part: pl.DataFrame) -> None:
        """Adds rows. All parts have the same columns."""
        self._held.append(part)
        self.num_rows += len(part)
        if sum(map(len, self._held)) >= self.workspace.piece:
            self._write()

    def table(self) -> pl.DataFrame:
        """All rows in the order in which they came, each column in one run. It ends the adding."""
        if not self._columns:
            return pl.concat(self._held, rechunk=True)
        self._write()
        return pl.DataFrame([column.read() for column in self._columns])

    def _write(self) -> None:
        """Moves what is held to the files of its columns."""
        if not self._held:
            return
        held = pl.concat(self._held)
        self._columns = self._columns or [ColumnFile(v, self.workspace.folder) for v in held]
        for column, values in zip(self._columns, held, strict=True):
            column.add(values)
        self._held = []
