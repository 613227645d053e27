"""Plain files while they are read: opened without waiting, and the same at the end as before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from jointrec.durable import open_plain
from jointrec.errors import SourceError


@contextmanager
def reading(file: Path, *, where: str) -> Iterator[BufferedReader]:
    """A file that is open for reading.

    :param where: What messages call it.
    :raises SourceError: where it is empty, no plain file (any more), or cannot be read on.
    """
    try:
        with open_plain(file) as data:
            # Some files that the system makes up have a size of 0 and never end.
            if os.fstat(data.fileno()).st_size == 0:
                raise empty(where)
            yield data
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(
            f"{where} cannot be read: {error.strerror or error}. Look at the disk and the rights."
        ) from None


@contextmanager
def unchanged(files: Sequence[Path], *, where: Callable[[Path], str]) -> Iterator[None]:
    """Refuses whatever was read meanwhile if a file grew, shrank or was replaced.

    A file is read several times, to check its text, its quotes and its rows; what one pass found
    right must be what the next one reads.

    :param where: What messages call a file.
    :raises SourceError: naming the file. It goes before whatever else is wrong, which may be so
        only because half of the file was new.
    """
    before = [_state(file) for file in files]
    try:
        yield
    except SourceError:
        _check(files, before, where)
        raise
    _check(files, before, where)


def _check(files: Sequence[Path], before: Sequence[object], where: Callable[[Path], str]) -> None:
    for file, state in zip(files, before, strict=True):
        if _state(file) != state:
            raise SourceError(
                f"{where(file)} was changed while it was read, so some rows are old and some new. "
                "Read it again when nobody writes to it; whoever writes it should write another "
                "file and rename it."
            ) from None


def empty(where: str) -> SourceError:
    """The error for a file without a byte."""
    return SourceError(f"{where} is empty: it has no bytes at all. Look at what exported it.")


def _state(file: Path) -> tuple[int, ...] | None:
    """What changes whenever the content of a file does; nothing where it is gone."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
