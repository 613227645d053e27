"""Writing a file or a folder so that a crash leaves the old or the new."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jointrec.errors import BundleError

from .manifest import FORMAT, MANIFEST, measure, name_of, parse_manifest, read_manifest, walk
from .recovery import aside, locked, real, recover, sync, unfinished


def write_file(path: str | Path, data: bytes) -> None:
    """Writes a file so that whoever reads it sees all of the old or all of the new.

    :raises OSError: where the disk refuses. The old file is then still there, except where only
        the last step failed, the sync of the folder: then it is the old or the new.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder) / "note", b"kept")
    ...     (Path(folder) / "note").read_bytes()
    b'kept'
    """
    target = real(path)
    part = target.with_name(f".{target.name}.jointrec-part")
    with locked(target.parent):  # so a part that is there already is a dead writer's
        with suppress(FileNotFoundError):
            os.unlink(part)
        try:
            _write_new(part, data)
            os.replace(part, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
        sync(target.parent)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A file to be written piece by piece: where to, and in the end it is at ``path``.

    Whatever is raised inside leaves what was there before.
    """
    target = real(path)
    recover(target)
    with unfinished(target) as folder:
        part = folder / target.name
        yield part
        sync(part)
        os.replace(part, target)
        sync(target.parent)


def write_folder(path: str | Path, fill: Callable[[Path], None], *, replace: bool = True) -> str:
    """Writes a folder with a manifest so that whoever reads it sees all of the old or of the new.

    :param fill: Is given an empty folder and puts plain files into it. Whatever it raises leaves
        no trace on disk.
    :param replace: Whether a folder written by this function may be replaced. Any other folder
        that holds something is never touched, nor one in which somebody has put files of their own.
    :returns: The :func:`content_hash` of what was written.
    :raises BundleError: where something else is at ``path``, or ``fill`` leaves a link, a pipe or
        a file named ``manifest.json``.
    :raises OSError: where the disk refuses. The old folder is then still there, except where only
        the last step failed, the sync of the parent: then it is the old or the new.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     name = write_folder(Path(root) / "m", lambda new: write_file(new / "w", b"1"))
    ...     sorted(file.name for file in (Path(root) / "m").iterdir())
    ['manifest.json', 'w']
    """
    target = real(path)
    recover(target)
    _check_replaceable(target, replace=replace)
    with unfinished(target) as new:
        fill(new)
        name = _seal(new)
        with locked(target.parent):
            _check_replaceable(target, replace=replace)
            _put(new, target)
    return name


def _write_new(path: Path, data: bytes) -> None:
    """Writes and syncs a file that must not exist yet."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(folder: Path) -> str:
    """Syncs all that is in a folder and writes its manifest, last of all. Gives its name."""
    files, folders, others = walk(folder)
    for name in others:
        raise BundleError(f"{name}: is a link or no plain file, so it cannot be part of a bundle.")
    if MANIFEST in files:
        raise BundleError(f"{MANIFEST}: is written by the bundle itself. Choose another name.")
    entries = []
    for name in files:
        sync(folder / name)
        entries.append({"path": name, **measure(folder / name)})
    for name in folders:
        sync(folder / name)
    manifest = {"format": FORMAT, "files": entries}
    data = (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
    parse_manifest(data, folder)  # what cannot be read back must not be written
    _write_new(folder / MANIFEST, data)
    sync(folder)
    return name_of(data)


def _put(new: Path, target: Path) -> None:
    """Renames a sealed folder into place, setting aside what is there until it is certain."""
    old = aside(target)
    replaced = target.is_dir() and any(target.iterdir())
    if replaced:
        os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:
        if replaced:
            with suppress(OSError):  # if even this fails, `recover` does it later
                os.rename(old, target)
        raise
    sync(target.parent)
    if replaced:
        shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(target: Path, *, replace: bool) -> None:
    """Refuses to replace whatever is not entirely a folder that this module wrote."""
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise BundleError(
            f"{target}: is a file, so no folder can be put there. Choose another name."
        )
    if not any(target.iterdir()):
        return
    if not replace:
        raise BundleError(f"{target}: exists already. Choose another name, or remove it first.")
    try:
        entries = parse_manifest(read_manifest(target), target)["files"]
    except BundleError as error:
        foreign = os.listdir(target)
        if MANIFEST in foreign:
            raise BundleError(f"{error} It is not replaced: move or remove it first.") from None
    else:
        files, _, others = walk(target)
        foreign = list({*files, *others} - {entry["path"] for entry in entries} - {MANIFEST})
    if foreign:
        raise BundleError(
            f"{target}: holds `{min(foreign)}`, which no bundle wrote, so it is not replaced. "
            "Choose another name, or move what is in it."
        )
