"""What a folder holds, on record: the path, the size and the SHA-256 of each of its files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from jointrec.errors import BundleError

from .plain import open_plain

MANIFEST = "manifest.json"
FORMAT = 1
"""The version of the manifest that is written, and the only one that is read."""

MANIFEST_LIMIT = 1 << 20
"""A manifest of more bytes than this is refused unread."""


def walk(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """The plain files, the folders, and all else below a folder, as sorted relative names."""
    files, folders, others = [], [], []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                name = Path(entry.path).relative_to(folder).as_posix()
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                    waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    files.append(name)
                else:
                    others.append(name)
    return sorted(files), sorted(folders), sorted(others)


def measure(path: Path) -> dict[str, Any]:
    """The size and the SHA-256 of a plain file."""
    with open_plain(path, follow=False) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"size": file.tell(), "sha256": digest}


def name_of(manifest: bytes) -> str:
    """The name of a content: 16 hex digits."""
    return hashlib.sha256(manifest).hexdigest()[:16]


def read_manifest(folder: Path) -> bytes:
    """The bytes of a folder's manifest."""
    path = folder / MANIFEST
    try:
        with open_plain(path, follow=False) as file:
            data = file.read(MANIFEST_LIMIT + 1)
    except OSError as error:
        raise BundleError(
            f"{folder}: is not a saved model: its `{MANIFEST}` cannot be read ({error.strerror}). "
            "Name the folder itself, as it was saved."
        ) from None
    if len(data) > MANIFEST_LIMIT:
        raise BundleError(f"{path}: is larger than {MANIFEST_LIMIT:,} bytes, so it is not read.")
    return data


def parse_manifest(data: bytes, folder: Path) -> dict[str, Any]:
    """A manifest in which every field has its type and every name stays inside the folder."""
    at = f"{folder / MANIFEST}"
    try:
        manifest = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BundleError(f"{at}: is damaged: it is not JSON.") from None
    if not isinstance(manifest, dict) or manifest.keys() != {"format", "files"}:
        raise BundleError(f"{at}: is damaged: it must hold `format` and `files`, nothing else.")
    if type(manifest["format"]) is not int or manifest["format"] != FORMAT:
        raise BundleError(
            f"{at}: is of format {manifest['format']!r}; this version reads format {FORMAT}. "
            "Use the version that wrote it, or save the model anew."
        )
    files = manifest["files"]
    if not isinstance(files, list) or not all(map(_is_entry, files)):
        raise BundleError(
            f"{at}: is damaged: each file needs a relative `path`, a `size` and a `sha256`."
        )
    paths = [entry["path"] for entry in files]
    if paths != sorted(set(paths)):
        raise BundleError(f"{at}: is damaged: files are repeated or out of order.")
    return manifest


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"path", "size", "sha256"}
        and _is_plain_name(entry["path"])
        and type(entry["size"]) is int
        and entry["size"] >= 0
        and isinstance(entry["sha256"], str)
        and len(entry["sha256"]) == 64
        and set(entry["sha256"]) <= set("0123456789abcdef")
    )


def _is_plain_name(name: Any) -> bool:
    """Whether a name is a relative path that cannot leave its folder, on any system."""
    return (
        isinstance(name, str)
        and name not in ("", MANIFEST)
        and not any(ord(letter) < 32 or letter in '\\:*?"<>|' for letter in name)
        and not any(0xD800 <= ord(letter) < 0xE000 for letter in name)
        and all(part not in ("", ".", "..") for part in name.split("/"))
        and str(PurePosixPath(name)) == name
    )


def problems_of(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Every way in which a folder differs from its manifest, as sentences that name the file."""
    try:
        files, folders, others = walk(folder)
    except OSError as error:
        return [f"{folder}: cannot be read ({error.strerror})."]
    expected = {entry["path"]: entry for entry in manifest["files"]}
    needed = {str(parent) for name in expected for parent in PurePosixPath(name).parents}
    found = [f"{folder / name}: is a link or no plain file." for name in others]
    found += [
        f"{folder / name}: is not part of the bundle: somebody added it."
        for name in [*files, *folders]
        if name not in expected and name != MANIFEST and name not in needed
    ]
    for name, entry in expected.items():
        if name in others:
            continue
        try:
            actual = measure(folder / name)
        except OSError as error:
            found.append(f"{folder / name}: is missing or cannot be read ({error.strerror}).")
            continue
        if actual["size"] != entry["size"]:
            found.append(
                f"{folder / name}: has {actual['size']:,} bytes instead of {entry['size']:,}."
            )
        elif actual["sha256"] != entry["sha256"]:
            found.append(f"{folder / name}: is damaged: its SHA-256 is not the one on record.")
    return found
