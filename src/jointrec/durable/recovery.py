"""What a crash leaves beside a folder, who is still alive, and how order is made again."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


def real(path: str | Path) -> Path:
    """The path with every link on the way followed, so that a name beside it is beside it."""
    return Path(os.path.realpath(path))


def recover(path: str | Path) -> None:
    """Finishes or undoes what a crash interrupted, and clears away what it left behind.

    After it, ``path`` is the last complete folder, or absent if there never was one. It does
    nothing where nothing was interrupted, and may be called at any time, by any process.

    :raises OSError: where an old folder must be put back and the disk refuses.
    """
    target = real(path)
    if not _leftovers(target):
        return
    with locked(target.parent):
        restore(target)


def restore(target: Path) -> None:
    """Recovers a folder whose parent the caller has locked."""
    old = aside(target)
    if os.path.lexists(old) and not os.path.lexists(target):
        os.rename(old, target)
        sync(target.parent)
    for leftover in _leftovers(target):
        if leftover == old or not _is_alive(leftover):
            # A reader without the right to delete can still read what is in place.
            shutil.rmtree(leftover, ignore_errors=True)


def aside(target: Path) -> Path:
    """Where the old folder waits while the new one is put in its place."""
    return target.with_name(f".{target.name}.jointrec-old")


def _new_prefix(target: Path) -> str:
    return f".{target.name}.jointrec-new-"


def _leftovers(target: Path) -> list[Path]:
    """What a crash may have left beside a folder: one set aside, and unfinished new ones."""
    try:
        names = os.listdir(target.parent)
    except OSError:
        return []
    prefix, old = _new_prefix(target), aside(target).name
    return [target.parent / n for n in sorted(names) if n == old or n.startswith(prefix)]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder. The system releases it when the process dies."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """An empty folder to fill, inside one beside the target that is gone afterwards.

    The outer one is locked as long as its writer lives: so nobody takes it for a dead one's. The
    inner one is not, so whoever fills it may lock it.
    """
    outer = target.with_name(f"{_new_prefix(target)}{secrets.token_hex(8)}")
    with ExitStack() as life:
        with locked(target.parent):  # between making and locking, nobody may come upon it
            os.mkdir(outer, 0o700)
            life.callback(shutil.rmtree, outer, ignore_errors=True)
            life.enter_context(locked(outer))
        os.mkdir(outer / "new", 0o700)
        yield outer / "new"


def _is_alive(outer: Path) -> bool:
    """Whether a living process still holds an unfinished folder."""
    try:
        handle = os.open(outer, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def sync(path: Path) -> None:
    """Makes sure that a file, or the list of names in a folder, is on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
