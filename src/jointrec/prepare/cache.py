"""What was prepared before, kept in a folder under the hash of what it was made of.

Every entry is a folder that :mod:`jointrec.durable` wrote: complete or not there, whatever crashes
and whoever else writes. An entry is read only after the sum of each of its files was verified.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from jointrec import durable
from jointrec.errors import BundleError, JointRecError

from .workspace import Workspace

GIB = 1 << 30
LIMIT = 20 * GIB
"""How many bytes a cache keeps. The newest entry is kept whatever its size."""
_UNFINISHED = ".jointrec-new-"


class Cache:
    """A folder of entries. The ones that were not used for the longest time make room.

    :param folder: Where they are; it is made if need be, readable by its owner only.
    :param limit: How many bytes are kept.
    :param say: Told what was found and what was damaged.
    """

    def __init__(
        self, folder: Path, limit: int = LIMIT, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.folder, self.limit, self.say = folder, limit, say
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise JointRecError(
                f"{folder}: no folder can be made there for what is prepared ({error.strerror}). "
                "Name another with --cache, or take --no-cache."
            ) from None

    def find(self, name: str) -> Path | None:
        """The folder of an entry, verified; None where there is none. A damaged one is removed."""
        path = self.folder / name
        durable.recover(path)
        if not (path / "manifest.json").is_file():
            return None
        try:
            durable.verify_folder(path)
            os.utime(path / "manifest.json")
        except (BundleError, OSError):
            self.say(f"{path} is damaged, so it is made anew")
            _remove(path)
            return None
        return path

    def put(self, name: str, fill: Callable[[Path], None]) -> None:
        """Writes an entry and makes room for it. A full disk is told, and is no error.

        :param fill: Is given an empty folder and puts files into it.
        """
        try:
            durable.write_folder(self.folder / name, fill)
            self._make_room(name)
        except OSError as error:
            self.say(f"{self.folder / name} cannot be written ({error.strerror}): nothing is kept")

    def _make_room(self, newest: str) -> None:
        """Removes the entries that were used longest ago, and what dead writers left."""
        for leftover in self.folder.glob(f".*{_UNFINISHED}*"):
            durable.recover(self.folder / leftover.name[1:].split(_UNFINISHED)[0])
        sizes: dict[Path, int] = {}
        used: dict[Path, float] = {}
        for manifest in self.folder.glob("*/manifest.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):  # another one removed it
                files = json.loads(manifest.read_bytes())["files"]
                sizes[manifest.parent] = sum(file["size"] for file in files)
                used[manifest.parent] = manifest.stat().st_mtime
        total = sum(sizes.values())
        for path in sorted(sizes, key=used.__getitem__):
            if total <= self.limit:
                break
            if path.name != newest:
                _remove(path)
                total -= sizes[path]


def _remove(path: Path) -> None:
    """Removes an entry, its manifest first: without one it is not there."""
    with suppress(OSError):
        (path / "manifest.json").unlink()
    shutil.rmtree(path, ignore_errors=True)


class Remembering(Workspace):
    """Arrays in memory; those that were computed before are found in a cache."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.found = 0
        """How many were found."""

    def remembered(self, name: Callable[[], str], make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array with this name, made if it is not there."""
        entry = f"counted-{name()}"
        path = self.cache.find(entry)
        if path is not None:
            with suppress(OSError, ValueError):  # removed meanwhile, by another one that made room
                array: np.ndarray = np.load(path / "numbers.npy")
                self.found += 1
                return array
        array = make()
        self.cache.put(entry, lambda folder: np.save(folder / "numbers.npy", array))
        return array
