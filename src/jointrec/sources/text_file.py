"""What all files of text share: they are UTF-8, and whoever wrote something else is told where."""

from __future__ import annotations

from pathlib import Path

from jointrec.errors import SourceError

from .plain_file import empty, reading

_BLOCK = 1 << 22
UTF8_MARK = b"\xef\xbb\xbf"
_STARTS = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "gzip-compressed",
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"\xfd7zXZ": "xz-compressed",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
}
"""What a file can be that is not UTF-8 text, by its first bytes."""


def check_start(file: Path, *, where: str) -> None:
    """Refuses an empty file, and one whose first bytes say that it is something else."""
    with reading(file, where=where) as data:
        start = data.read(16)
    if not start.removeprefix(UTF8_MARK):
        raise empty(where)
    for mark, what in _STARTS.items():
        if start.startswith(mark):
            how = (
                f"Convert it first: iconv -f {what.split()[0]} -t UTF-8."
                if what.startswith("UTF")
                else "Unpack or convert it first, or rename it after what it is."
            )
            raise SourceError(f"{where} is {what}, not UTF-8 text. {how}")
    if b"\0" in start[:4]:
        raise SourceError(
            f"{where}: holds NUL characters in its first bytes, so it is not UTF-8 text. If it is "
            "UTF-16 without a mark, convert it: iconv -f UTF-16LE -t UTF-8."
        )


def check_text(file: Path, *, where: str) -> None:
    """Refuses a file that is not UTF-8 throughout, or that holds a NUL character.

    :raises SourceError: with the line, the byte and the way to convert it.
    """
    check_start(file, where=where)
    done, line, rest = 0, 1, b""
    with reading(file, where=where) as file_data:
        while True:
            block = file_data.read(_BLOCK)
            data = rest + block
            cut = len(data) - _open_end(data) if block else len(data)
            whole, rest = data[:cut], data[cut:]
            nul = whole.find(b"\0")
            if nul >= 0:
                raise SourceError(
                    f"{where}, line {line + whole[:nul].count(10)}, byte {done + nul}: holds a NUL "
                    "character, so it is not text. Export it again."
                )
            try:
                whole.decode("utf-8")
            except UnicodeDecodeError as error:
                raise SourceError(
                    f"{where}, line {line + whole[: error.start].count(10)}, byte "
                    f"{done + error.start}: is not UTF-8 (found 0x{whole[error.start]:02x}). "
                    "Convert it from the encoding it has, such as: iconv -f WINDOWS-1252 -t UTF-8."
                ) from None
            done, line = done + cut, line + whole.count(10)
            if not block:
                return


def _open_end(data: bytes) -> int:
    """How many bytes at the end begin a character that the next block may end."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:  # the first byte of a character, which tells how long it is
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < length else 0
        if byte < 0x80:
            return 0
    return 0
