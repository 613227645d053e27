"""Parquet files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jointrec.errors import SourceError

from .base import Read, check_distinct
from .files import AgreeingFiles

_EXTENSION = b"ARROW:extension:name"
_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)
"""What pyarrow raises on files that are not what they say."""


class Parquet(AgreeingFiles):
    """Parquet files. Only the wanted columns are read, and the sums of their pages are checked.

    Whoever writes such files should write page sums too (``write_page_checksum=True`` in pyarrow):
    without them, Parquet notices less than half of all flipped bits.
    """

    endings = (".parquet", ".pq")

    def file_columns(self, file: Path) -> dict[str, pa.DataType]:
        """The columns of the schema in the footer."""
        with self._open(file) as opened:
            return {field.name: field.type for field in self._schema(opened, file)}

    def file_table(self, file: Path, wanted: Sequence[str]) -> Read:
        """The wanted columns, checked down to the last byte of each text."""
        with self._open(file) as opened:
            try:
                table = opened.read(columns=list(wanted)).select(list(wanted))
                table.validate(full=True)
            except _DAMAGE as error:
                raise self._damaged(file, error) from None
        return Read(table)

    def _open(self, file: Path) -> Any:
        try:
            # Before pyarrow makes types of it: a type that somebody registered can run code.
            stored = pq.read_metadata(file).metadata or {}
            if _EXTENSION in stored or _EXTENSION in _decoded(stored.get(b"ARROW:schema", b"")):
                raise SourceError(
                    f"{self.where(file)} uses Arrow extension types ({_EXTENSION.decode()}), which "
                    "are refused: reading one can run code. Write it with plain columns only."
                )
            return pq.ParquetFile(
                file, page_checksum_verification=True, arrow_extensions_enabled=False
            )
        except SourceError:
            raise
        except _DAMAGE as error:
            raise self._damaged(file, error) from None

    def _schema(self, opened: Any, file: Path) -> pa.Schema:
        try:
            schema = opened.schema_arrow
        except _DAMAGE as error:
            raise self._damaged(file, error) from None
        check_distinct(schema.names, at=self.where(file))
        return schema

    def _damaged(self, file: Path, error: BaseException) -> SourceError:
        with file.open("rb") as opened:
            start = opened.read(4)
        if not start:
            return SourceError(f"{self.where(file)} is empty: it has no bytes at all.")
        if start != b"PAR1":
            return SourceError(
                f"{self.where(file)} is not a Parquet file, whatever its name says. "
                "Rename it after what it is, or export it as Parquet."
            )
        reason = str(error).splitlines()[0].strip().rstrip(".") if str(error) else "unreadable"
        return SourceError(
            f"{self.where(file)} is a damaged or cut-off Parquet file: {reason}. "
            "Copy or export it again."
        )


def _decoded(schema: bytes) -> bytes:
    """The Arrow schema that a writer left in the file, as bytes, whatever is wrong with it."""
    try:
        return base64.b64decode(schema)
    except (binascii.Error, ValueError):
        return b""
