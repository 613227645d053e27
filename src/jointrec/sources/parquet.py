"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jointrec.durable import EXTENSION, names_extension
from jointrec.errors import SourceError

from .base import Read, check_distinct
from .files import AgreeingFiles, whole
from .parquet_footer import check_footer
from .parquet_size import LEAST_CAP, RATIO, cap_of, declared_size, paths_of, pieces, unpacked_size
from .plain_file import reading

_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)
"""What pyarrow raises on files that are not what they say."""
_ROWS, _BYTES = 1 << 18, 1 << 27
"""A part ends at so many rows or bytes."""


class Parquet(AgreeingFiles):
    """Parquet files. Only the wanted columns are read, and the sums of their pages are checked.

    Whoever writes such files should write page sums too (``write_page_checksum=True`` in pyarrow):
    without them, Parquet notices less than half of all flipped bits.
    """

    endings = (".parquet", ".pq")

    def file_columns(self, file: Path) -> dict[str, pa.DataType]:
        """The columns of the schema in the footer."""
        with self._open(file) as (opened, _):
            return {field.name: field.type for field in self._schema(opened, file)}

    def file_table(self, file: Path, wanted: Sequence[str]) -> Read:
        """The wanted columns, checked down to the last byte of each text."""
        return whole(list(self.file_batches(file, wanted)))

    def file_batches(self, file: Path, wanted: Sequence[str]) -> Iterator[Read]:
        """The same, some 262,000 rows at a time."""
        with self._open(file) as (opened, data):
            check_footer(opened.metadata, data, paths_of(opened.metadata, wanted))
            self._check_size(file, self._unpacked + declared_size(opened.metadata, wanted))
            schema = pa.schema([opened.schema_arrow.field(name) for name in wanted])
            held: list[pa.RecordBatch] = []
            for batch in pieces(opened, data, wanted):
                self._unpacked += unpacked_size(batch)
                self._check_size(file, self._unpacked)
                held.append(batch.select(list(wanted)))
                if sum(map(len, held)) >= _ROWS or sum(b.nbytes for b in held) >= _BYTES:
                    yield _checked(held, schema)
                    held = []
            yield _checked(held, schema)

    def _batches(self, wanted: Sequence[str] | None) -> Iterator[Read]:
        self._unpacked, self._cap = 0, cap_of([file.stat().st_size for file in self.files])
        yield from super()._batches(wanted)

    def _check_size(self, file: Path, size: int) -> None:
        if size > self._cap:
            raise SourceError(
                f"{self.where(file)} unpacks to {size:,} bytes or more, but a source may unpack to "
                f"{self._cap:,} at most: {RATIO} times the size of its files, and {LEAST_CAP:,} in "
                "any case. Beyond that it is a mistake or an attack. Leave out columns that repeat "
                "long texts, or write it without compression."
            )

    @contextmanager
    def _open(self, file: Path) -> Iterator[tuple[Any, BufferedReader]]:
        """The Parquet file, and the open file that it lies in; damage is told as such."""
        with reading(file, where=self.where(file)) as data:
            try:
                # Before pyarrow makes types of it: a type that somebody registered can run code.
                if names_extension(data):
                    raise SourceError(
                        f"{self.where(file)} uses Arrow extension types ({EXTENSION.decode()}), "
                        "which are refused: reading one can run code. Write it with plain columns "
                        "only."
                    )
                data.seek(0)
                yield (
                    # Buffered before, all that was read of the file would stay in memory.
                    pq.ParquetFile(
                        data, page_checksum_verification=True, arrow_extensions_enabled=False,
                        pre_buffer=False,
                    ),
                    data,
                )  # fmt: skip
            except SourceError:
                raise
            except _DAMAGE as error:
                raise self._damaged(file, error) from None

    def _schema(self, opened: Any, file: Path) -> pa.Schema:
        schema = opened.schema_arrow
        check_distinct(schema.names, at=self.where(file))
        return schema

    def _damaged(self, file: Path, error: BaseException) -> SourceError:
        with reading(file, where=self.where(file)) as data:
            start = data.read(4)
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


def _checked(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> Read:
    """A part of a file, checked down to the last byte of each text."""
    table = pa.Table.from_batches(batches, schema)
    table.validate(full=True)
    return Read(table)
