"""Reading a folder back, with proof that it is what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jointrec.errors import BundleError, together

from .manifest import name_of, parse_manifest, problems_of, read_manifest
from .recovery import locked, real, recover, restore

T = TypeVar("T")


def verify_folder(path: str | Path) -> dict[str, Any]:
    """Proves that a folder is, byte for byte, what :func:`write_folder` wrote; gives its manifest.

    Every file is read and its SHA-256 compared. Recovers first, see :func:`recover`.

    :returns: ``{"format": 1, "files": [{"path": …, "size": …, "sha256": …}, …]}``, sorted by path.
    :raises BundleError: naming each file that is missing, changed, cut off, added, a link, or no
        plain file; or where the manifest itself is missing, malformed or of another version.
    """
    target = real(path)

    def read() -> dict[str, Any]:
        manifest = parse_manifest(read_manifest(target), target)
        problems = problems_of(target, manifest)
        if problems:
            raise BundleError(
                f"{together(problems, of=str(target))} Take it from a backup or make it anew."
            )
        return manifest

    return _undisturbed(target, read)


def content_hash(path: str | Path) -> str:
    """The name of a folder's content: the first 16 hex digits of the SHA-256 of its manifest.

    The manifest holds the sum of every file, so equal names mean equal content. It does not prove
    that the files still match the manifest: :func:`verify_folder` does.
    """
    target = real(path)
    return _undisturbed(target, lambda: name_of(read_manifest(target)))


def _undisturbed(target: Path, read: Callable[[], T]) -> T:
    """What reading gives; where that fails, what it gives while no writer can swap the folder."""
    recover(target)
    try:
        return read()
    except BundleError:
        if not target.parent.is_dir():
            raise
        with locked(target.parent):
            restore(target)
            return read()
