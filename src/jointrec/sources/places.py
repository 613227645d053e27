"""From the text of a source to the plain files that it names."""

from __future__ import annotations

import glob
import os
import re
import stat
from pathlib import Path

from jointrec.errors import SourceError, nearest

from .address import SCHEMES, scheme_of

_WILD = re.compile(r"[*?\[]")


def refuse_url(text: str, *, at: str) -> None:
    """Refuses what is no file. Never repeats a URL in full: it may hold a password."""
    scheme = scheme_of(text)
    if scheme is None:
        return
    if scheme in SCHEMES:
        raise SourceError(f"{at}: `{scheme}://…` is a database, and a file is needed here.")
    databases = ", ".join(f"{name}://" for name in SCHEMES)
    raise SourceError(
        f"{at}: `{scheme}://…` is a URL, and nothing is fetched from a network. Download the file "
        f"and name its path.{nearest(scheme, SCHEMES)} Databases are read: {databases}."
    )


def one_file(text: str, *, root: Path, at: str) -> Path:
    """The one plain file that a path names; see :func:`find_files`."""
    found = find_files(text, root=root, at=at)
    if len(found) > 1:
        raise SourceError(f"{at}: `{text}` names {len(found)} files. Name one.")
    return found[0]


def find_files(text: str, *, root: Path, at: str) -> tuple[Path, ...]:
    """The plain files that a path or a glob names, sorted by name.

    A name that exists as it stands is that file, even if it holds ``*``, ``?`` or ``[``. ``**``
    stands for any folders. Hidden files are only found where the pattern itself starts with a dot.

    :raises SourceError: where there is none, or one of them is a folder, a pipe, a socket, a
        device, a link that leads nowhere, or may not be read. Nothing is opened to find out, so a
        pipe without a writer does not hang.
    """
    refuse_url(text, at=at)
    if not text or "\0" in text:
        raise SourceError(f"{at}: the name of a file is empty or holds a NUL character.")
    path = root / text
    if _WILD.search(text) and not os.path.lexists(path):
        pattern = glob.escape(str(root)) if not os.path.isabs(text) else ""
        names = glob.glob(os.path.join(pattern, text), recursive=True)
        if not names:
            raise SourceError(
                f"{at}: no file matches `{text}` in `{root}`. "
                "Look at the folder and the ending; relative names start from the root folder."
            )
        found = tuple(Path(name) for name in sorted(names))
    else:
        found = (path,)
    for file in found:
        _check_plain(file, at=at)
    return found


def _check_plain(path: Path, *, at: str) -> None:
    where = f"{at}: `{path}`"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceError(_missing(path, where)) from None
    except OSError as error:
        raise SourceError(f"{where} cannot be reached: {error.strerror}.") from None
    if stat.S_ISDIR(mode):
        endings = sorted({p.suffix for p in path.iterdir() if p.suffix})
        example = Path(path.name) / f"*{endings[0] if endings else '.parquet'}"
        raise SourceError(f"{where} is a folder. Name the files in it, such as `{example}`.")
    if not stat.S_ISREG(mode):
        raise SourceError(
            f"{where} is a pipe, a socket or a device, which can be read only once or never ends. "
            "Write it to a plain file first."
        )
    if not os.access(path, os.R_OK):
        raise SourceError(
            f"{where} may not be read by this user. Give it the right to, or copy it."
        )


def _missing(path: Path, where: str) -> str:
    if path.is_symlink():
        return f"{where} is a link to `{os.readlink(path)}`, where there is no file. Mend the link."
    if not path.parent.is_dir():
        return f"{where}: there is no folder `{path.parent}`. Relative names start from the root."
    near = nearest(path.name, [p.name for p in path.parent.iterdir()])
    return f"{where}: there is no such file.{near} Relative names start from the root folder."
