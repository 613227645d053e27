"""Gets a shop ready to be trained on: prepared now, or found where it was prepared before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jointrec.errors import BundleError
from jointrec.plan import Plan
from jointrec.project import Project

from .cache import Cache, Remembering
from .contents import hash_prepared, hash_read, of_sources, of_tables
from .handover import Ready, read_prepared, read_tables, write_prepared, write_tables
from .hashing import Hash, package
from .loading import load
from .prepare import prepare
from .tables import Tables
from .workspace import IN_MEMORY, OnDisk, Workspace

LARGE = 2_500_000
"""From so many rows of events on, what is prepared lives on disk."""


def obtain(
    project: Project, plan: Plan, root: Path | None = None, *, cache: Cache | None = None
) -> Ready:
    """A shop, ready to be trained on.

    :param root: The folder that relative sources are found in.
    :param cache: Where what was prepared before is looked for and what is prepared now is kept.
    :raises JointRecError: for whatever is wrong with the data, all at once.
    """
    if cache is None:
        return prepared_now(project, plan, load(project, root))
    content = of_sources(project, root)
    tables = _tables(project, root, cache, content)
    made_of = of_tables(tables) if content is None else content
    entry = "prepared-" + Hash().say([package(), made_of, hash_prepared(project)]).name()
    path = cache.find(entry)
    if path is not None:
        with suppress(OSError, BundleError):  # removed meanwhile, by another one that made room
            with room_for(tables, cache.folder) as workspace:
                ready = read_prepared(path, project, plan, tables, workspace)
            cache.say(f"prepared before: found in {cache.folder}")
            return ready
    ready = prepared_now(project, plan, tables, cache)
    if _still(project, root, content):
        cache.put(
            entry,
            lambda folder: write_prepared(folder, ready.reader, ready.prepared, ready.findings),
        )
    return ready


def prepared_now(project: Project, plan: Plan, tables: Tables, cache: Cache | None = None) -> Ready:
    """A shop, prepared from its clean tables.

    :param cache: Where numbers that were counted before are looked for.
    """
    remembering = None if cache is None else Remembering(cache)
    with room_for(tables, None if cache is None else cache.folder, remembering) as workspace:
        reader, prepared, findings = prepare(project, plan, tables, workspace)
    if cache is not None and remembering is not None and remembering.found:
        cache.say(f"counted before: {remembering.found} parts found in {cache.folder}")
    return Ready(tables, reader, prepared, findings)


@contextmanager
def room_for(
    tables: Tables, folder: Path | None, small: Workspace | None = None
) -> Iterator[Workspace]:
    """Where the arrays of a shop live: in memory, or of a large one in files.

    The files are unlinked in the end and stay mapped as long as an array needs them, so nothing is
    left on disk when the process ends.

    :param folder: Where the files are. Default: where the system keeps what is temporary.
    :param small: What a small shop gets. Default: plain memory.
    """
    if sum(len(frame) for frame in tables.events.values()) < LARGE:
        yield small or IN_MEMORY
        return
    with tempfile.TemporaryDirectory(prefix="jointrec-", dir=folder) as room:
        yield OnDisk(Path(room))


def _tables(project: Project, root: Path | None, cache: Cache, content: str | None) -> Tables:
    """The clean tables, from the cache where their content can be told without reading them."""
    if content is None:
        return load(project, root, folder=cache.folder)
    entry = "tables-" + Hash().say([package(), content, hash_read(project)]).name()
    path = cache.find(entry)
    if path is not None:
        with suppress(OSError, BundleError):
            return read_tables(path, cache.folder)
    tables = load(project, root, folder=cache.folder)
    if _still(project, root, content):
        cache.put(entry, lambda folder: write_tables(folder, tables))
    return tables


def _still(project: Project, root: Path | None, content: str | None) -> bool:
    """Whether the sources still hold what they held: else what was read has another name."""
    return content is None or of_sources(project, root) == content
