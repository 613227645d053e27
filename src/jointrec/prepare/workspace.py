"""Where large arrays live while a shop is prepared: in memory, or in files that memory maps.

What is prepared of a large shop is larger than memory. A mapped array is read and sliced like any
other, but its pages belong to the system, which takes them back when it needs the room.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from jointrec.durable import PIECE

from .mapped import column_in_file


class Workspace:
    """Arrays in memory: nothing is moved."""

    on_disk = False
    """Whether arrays live in files, so that whoever fills them should do so piece by piece."""
    piece = sys.maxsize
    """From how many rows on the columns of a table live in files."""
    folder: Path | None = None
    """Where files are."""

    def pieces(self, rows: int) -> Iterator[slice]:
        """All rows, piece by piece where what is made of them lives on disk.

        >>> list(Workspace().pieces(5)), list(OnDisk(Path(), piece=3).pieces(5))
        ([slice(0, 5, None)], [slice(0, 3, None), slice(3, 5, None)])
        """
        yield slice(0, rows)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array to be filled."""
        return np.empty(shape, dtype=dtype)

    def keep(self, array: np.ndarray) -> np.ndarray:
        """The same values, in an array that lives here."""
        return array

    def column(self, values: pl.Series) -> pl.Series:
        """The same values, in a column that lives here."""
        return values

    def joined(self, pieces: Iterable[pl.Series], rows: int) -> pl.Series:
        """A column of so many rows, given piece by piece, that lives here in one run."""
        return pl.concat(list(pieces), rechunk=True)

    def selected(self, values: pl.Series, kept: pl.Series) -> pl.Series:
        """Some rows of a column, living here."""
        some = (values[piece].filter(kept[piece]) for piece in self.pieces(len(values)))
        return self.joined(some, int(kept.sum()))

    def filtered(self, frame: pl.DataFrame, kept: pl.Series) -> pl.DataFrame:
        """Some rows of a table, living here."""
        return pl.DataFrame([self.selected(values, kept) for values in frame])

    @contextmanager
    def scratch(self) -> Iterator[Workspace]:
        """A workspace for arrays that are needed for a while only."""
        yield self

    def remembered(self, name: Callable[[], str], make: Callable[[], np.ndarray]) -> np.ndarray:
        """An array that is the same whenever its name is: here it is made each time.

        :param name: The hash of all that it is made of.
        """
        return make()


IN_MEMORY = Workspace()


class OnDisk(Workspace):
    """Arrays as ``.npy`` files of a folder, long columns of tables as Arrow files.

    A column of fewer rows than a piece stays in memory.

    :param folder: A folder that is there.
    :param piece: How many rows are made at a time.
    """

    on_disk = True
    folder: Path

    def __init__(self, folder: Path, piece: int = PIECE) -> None:
        self.folder = folder
        self.piece = piece
        self._numbers = count()

    def pieces(self, rows: int) -> Iterator[slice]:
        """All rows, piece by piece."""
        for first in range(0, max(rows, 1), self.piece):
            yield slice(first, min(first + self.piece, rows))

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array to be filled; in memory where it has no element, for nothing can be mapped."""
        if 0 in shape:
            return np.empty(shape, dtype=dtype)
        path = self.folder / f"{next(self._numbers):05}.npy"
        # Not `np.memmap` any longer: a plain array, whose slices are plain as well.
        return np.asarray(np.lib.format.open_memmap(path, "w+", dtype=dtype, shape=shape))

    def keep(self, array: np.ndarray) -> np.ndarray:
        """The values in a file. An array that lives in one is not written again."""
        if array.size == 0 or _in_file(array):
            return array
        mapped = self.empty(array.shape, array.dtype)
        mapped[...] = array
        return mapped

    def column(self, values: pl.Series) -> pl.Series:
        """The values in a file of their own, in one run; the file goes when nobody needs them."""
        if len(values) < self.piece:
            return values
        return self.joined((values[piece] for piece in self.pieces(len(values))), len(values))

    def joined(self, pieces: Iterable[pl.Series], rows: int) -> pl.Series:
        """The pieces one below the other in a file; the file goes when nobody needs them."""
        if rows < self.piece:
            return super().joined(pieces, rows)
        return column_in_file(self.folder, pieces)

    @contextmanager
    def scratch(self) -> Iterator[Workspace]:
        """A folder beside the others, which is deleted in the end; mapped arrays stay readable."""
        folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.folder))
        try:
            yield OnDisk(folder, self.piece)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _in_file(array: np.ndarray) -> bool:
    """Whether an array is, or is part of, one that a file is mapped for."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and not isinstance(owner, np.memmap):
        owner = owner.base
    return isinstance(owner, np.memmap | mmap)
