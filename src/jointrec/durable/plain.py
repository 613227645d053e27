"""Opening a file that must be a plain one: never a pipe that waits, never a device without end."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_plain(path: Path, *, follow: bool = True) -> BufferedReader:
    """Opens a plain file for reading. It never waits for a writer.

    What was a plain file when its name was looked up may be a pipe by now, so the open file itself
    is asked.

    :param follow: Whether a link to a plain file will do.
    :raises OSError: where it cannot be opened or is no plain file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    handle = os.open(path, flags)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return open(handle, "rb")
