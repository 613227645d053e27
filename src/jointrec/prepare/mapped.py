"""Columns and tables in files that memory maps: unlinked at once, there as long as needed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from jointrec.durable import array_of, pieces_of

SHORT = 12
"""Up to so many bytes a text stands in the column itself, and not beside it."""
_VIEW = np.dtype([("length", "<u4"), ("text", "V12")])
"""A text of an Arrow column of views."""


class ColumnFile:
    """A column that is written piece by piece and read in one run, so that it is never in memory.

    That is so of numbers and of short texts. What else there is, is for a while when it is read.

    :param like: A column of the same name and type.
    :param folder: Where its files are.

    >>> column = ColumnFile(pl.Series("a", [0.0]), None)
    >>> for piece in ([1.0, None], [3.0]):
    ...     column.add(pl.Series("a", piece))
    >>> column.read().to_list()
    [1.0, None, 3.0]
    """

    def __init__(self, like: pl.Series, folder: Path | None) -> None:
        self._like, self._folder = like.clear(), folder
        self._plain = like.dtype.is_numeric() or like.dtype == pl.String
        self._rows = 0
        self._cells: Path | None = None
        self._known: Path | None = None
        self._rest: TableFile | None = None

    def add(self, piece: pl.Series) -> None:
        """Adds values."""
        cells = _cells(piece) if self._plain and self._rest is None else None
        if cells is None:
            self._rest = self._rest or TableFile(self._folder)
            self._rest.add(piece.to_frame())
            return
        self._cells = self._cells or new_file(self._folder)
        _append(self._cells, cells)
        if piece.null_count() and self._known is None:
            self._known = new_file(self._folder)
            _append(self._known, np.ones(self._rows, np.bool_))
        if self._known is not None:
            _append(self._known, piece.is_not_null().to_numpy())
        self._rows += len(piece)

    def read(self) -> pl.Series:
        """The whole column."""
        before = self._short()
        if self._rest is None:
            return before
        whole = TableFile(self._folder)
        rest = self._rest.read().to_series()
        whole.add(pl.concat([before, rest], rechunk=True).to_frame())
        return whole.read().to_series()

    def _short(self) -> pl.Series:
        """All up to the first text that is not short, without a copy."""
        if self._cells is None:
            return self._like
        text, mask = self._like.dtype == pl.String, None
        kind = _VIEW if text else self._like.to_numpy().dtype
        if self._known is not None:
            mask = pa.py_buffer(_packed(_mapped(self._known, np.dtype(np.bool_))))
        arrow = pa.string_view() if text else pa.from_numpy_dtype(kind)
        buffers = [mask, pa.py_buffer(_mapped(self._cells, kind))]
        return pl.Series(self._like.name, pa.Array.from_buffers(arrow, self._rows, buffers))


def column_in_file(folder: Path | None, pieces: Iterable[pl.Series]) -> pl.Series:
    """The pieces one below the other, as a :class:`ColumnFile` has them.

    :param pieces: At least one.
    """
    column = None
    for piece in pieces:
        column = column or ColumnFile(piece, folder)
        column.add(piece)
    assert column is not None
    return column.read()


def new_file(folder: Path | None) -> Path:
    """A file of its own."""
    number, path = tempfile.mkstemp(suffix=".arrow", dir=folder)
    os.close(number)
    return Path(path)


def _append(path: Path, values: np.ndarray) -> None:
    with path.open("ab") as file:
        values.tofile(file)


def _mapped(path: Path, kind: np.dtype) -> np.ndarray:
    """The values of a file, which is unlinked."""
    rows = path.stat().st_size // kind.itemsize
    # Not `np.memmap` any longer: a plain array, whose slices are plain as well.
    values = np.asarray(np.memmap(path, kind, "r")) if rows else np.empty(0, kind)
    path.unlink()
    return values


def _packed(known: np.ndarray) -> np.ndarray:
    """A bit for each value, as Arrow has them: a byte for eight."""
    bits = array_of(-(-len(known) // 8), np.uint8)
    for piece in pieces_of(len(bits)):
        bits[piece] = np.packbits(known[8 * piece.start : 8 * piece.stop], bitorder="little")
    return bits


def _cells(values: pl.Series) -> np.ndarray | None:
    """Values as they stand in a column; None where a text is too long to stand there."""
    if values.dtype != pl.String:
        return np.ascontiguousarray(values.fill_null(0).to_numpy())
    if (values.str.len_bytes() > SHORT).any():
        return None
    arrow = values.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    views = np.frombuffer(arrow.buffers()[1], _VIEW)[arrow.offset :][: len(arrow)]
    if not values.null_count():
        return views
    return np.where(values.is_not_null().to_numpy(), views, np.zeros(1, _VIEW))


class TableFile:
    """A table that is written part by part to an Arrow file, which goes when nobody needs it.

    :param folder: Where it is.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = new_file(folder)
        self._file: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, part: pl.DataFrame) -> None:
        """Adds rows. All parts have the same columns."""
        arrow = part.to_arrow(compat_level=pl.CompatLevel.newest())
        self._file = self._file or pa.ipc.new_file(str(self._path), arrow.schema)
        self._file.write_table(arrow)

    def read(self) -> pl.DataFrame:
        """All rows, in the runs in which they came: one run of each would be a copy of them all."""
        assert self._file is not None
        self._file.close()
        table = pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()
        self._path.unlink()
        found = pl.from_arrow(table, rechunk=False)
        assert isinstance(found, pl.DataFrame)
        return found
