"""The one way to put a file or a folder on disk: a crash leaves the old or the new, never half.

A file is written beside its target under another name, synced, and renamed over it. A folder is
filled beside its target, every file synced, a manifest of SHA-256 sums written last, and then
renamed into place. Nothing else in this package renames or syncs.

A folder that is not empty cannot be renamed over, so replacing one takes two renames::

    1  .name.jointrec-new-…/new is filled, synced and has its manifest: it is complete
    2  name is renamed to .name.jointrec-old           from here …
    3  .name.jointrec-new-…/new is renamed to name     … to here nothing is at ``name``
    4  the parent folder is synced
    5  .name.jointrec-old is deleted

A crash between 2 and 3 leaves a complete old folder aside. :func:`recover` puts it back, and
:func:`verify_folder` calls :func:`recover` first, so whoever reads through this module sees the
old or the new at every instant. Steps 2 to 5 and recovery hold a lock on the parent folder, which
the system releases when a process dies, so a reader never undoes the work of a living writer.

What is written is readable by its owner only. Needs a POSIX system (Linux, macOS).
"""

from .parquet import (
    EXTENSION,
    names_extension,
    read_parquet,
    read_parquet_pieces,
    write_parquet,
)
from .pieces import PIECE, array_of, collected, pieces_of
from .plain import open_plain
from .reading import content_hash, verify_folder
from .recovery import recover
from .writing import new_file, write_file, write_folder

__all__ = [
    "EXTENSION",
    "PIECE",
    "array_of",
    "collected",
    "content_hash",
    "names_extension",
    "new_file",
    "open_plain",
    "pieces_of",
    "read_parquet",
    "read_parquet_pieces",
    "recover",
    "verify_folder",
    "write_file",
    "write_folder",
    "write_parquet",
]
