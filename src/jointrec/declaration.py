"""The file that declares something, as text.

Apart from what reads it, so that a wrong name is told before anything heavy is imported.
"""

from __future__ import annotations

from pathlib import Path

from .durable import open_plain
from .errors import SourceError, nearest

LONGEST_TEXT = 1 << 24
"""A file of more bytes than this is not read."""


def text_of(path: Path) -> str:
    """The text of a file that declares something.

    :raises SourceError: where there is no such file or it is not text.
    """
    try:
        with open_plain(path) as file:
            data = file.read(LONGEST_TEXT + 1)
        if len(data) > LONGEST_TEXT:
            raise SourceError(
                f"{path}: is longer than {LONGEST_TEXT:,} bytes, so it declares no project."
            )
        return data.decode("utf-8")
    except FileNotFoundError:
        near = nearest(path.name, [p.name for p in path.parent.glob("*.toml")])
        raise SourceError(
            f"{path}: there is no such file.{near} Make one with: jointrec init DIR"
        ) from None
    except SourceError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read as UTF-8 text: {error}.") from None
