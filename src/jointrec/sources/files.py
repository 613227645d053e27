"""What all kinds of file share: one path or a glob, whose files must agree."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from jointrec.durable import open_plain
from jointrec.errors import SourceError, together

from .base import Read, Source, check_wanted, kind_of
from .finding import merged
from .places import find_files
from .plain_file import unchanged


class FileSource(Source):
    """A file, or a glob of files that are read one after the other, in order of their names."""

    endings: ClassVar[tuple[str, ...]]
    """How the names of such files end."""

    @classmethod
    def reads(cls, source: object) -> bool:
        """Whether the text ends like the name of such a file."""
        return isinstance(source, str | Path) and str(source).lower().endswith(cls.endings)

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files, sorted by name."""
        return find_files(str(self.source), root=self.root, at=self.at)

    def content(self) -> str | None:
        """The hash of the bytes of all files, in order of their names."""
        total = hashlib.sha256()
        for file in self.files:
            with open_plain(file) as data:
                total.update(hashlib.file_digest(data, "sha256").digest())
        return total.hexdigest()

    def where(self, file: Path) -> str:
        """What messages call a file."""
        return f"{self.at}: `{file}`"

    def check_present(
        self, columns: Mapping[Path, Container[str]], names: Iterable[str]
    ) -> list[str]:
        """For each file that lacks one of the columns, a sentence that says so."""
        return [
            f"{self.where(file)} has no column `{name}`, which other files of the source have."
            for name in names
            for file in columns
            if name not in columns[file]
        ]

    def disagree(self, problems: Sequence[str]) -> SourceError:
        """The error that tells every way in which the files differ."""
        told = together(problems, of=f"{self.at}: `{self.source}`")
        return SourceError(f"{told} Export the files anew, all with the same columns.")


class AgreeingFiles(FileSource):
    """Files that say what columns they have before their rows are read."""

    @abstractmethod
    def file_columns(self, file: Path) -> dict[str, pa.DataType]:
        """The columns of one file, without reading the rows."""

    @abstractmethod
    def file_table(self, file: Path, wanted: Sequence[str]) -> Read:
        """The wanted columns of one file, all of which it has."""

    def columns(self) -> dict[str, pa.DataType]:
        """The columns of the first file; every other must have the same."""
        schemas = {file: self.file_columns(file) for file in self.files}
        first = schemas[self.files[0]]
        self._check_agree(schemas, list(first))
        return first

    def file_batches(self, file: Path, wanted: Sequence[str]) -> Iterator[Read]:
        """The same, part by part. Default: one part. Rows set aside are numbered in the file."""
        yield self.file_table(file, wanted)

    def table(self, wanted: Sequence[str] | None) -> Read:
        """The wanted columns of all files, one below the other.

        :raises SourceError: as :meth:`batches` does.
        """
        return whole(list(self.batches(wanted)))

    def batches(self, wanted: Sequence[str] | None) -> Iterator[Read]:
        """The wanted columns of all files, part by part, in the widest of their types.

        :raises SourceError: where a file lacks a column or stores another kind of values in it than
            the first does (widths and units may differ); where there is not one row; where a file
            changes while it is read.
        """
        with unchanged(self.files, where=self.where):
            yield from self._batches(wanted)

    def _batches(self, wanted: Sequence[str] | None) -> Iterator[Read]:
        schemas = {file: self.file_columns(file) for file in self.files}
        first = self.files[0]
        names = check_wanted(wanted, schemas[first], at=self.where(first))
        self._check_agree(schemas, names)
        empty = {
            name: joined([pa.chunked_array([], columns[name]) for columns in schemas.values()])
            for name in names
        }
        num_rows = 0
        for file in self.files:
            before = num_rows
            for read in self.file_batches(file, names):
                columns = [joined([empty[name], read.table.column(name)]) for name in names]
                part = pa.table(columns, names)
                num_rows += read.table.num_rows + read.aside.num_rows
                yield Read(part, read.findings, _counted_on(read.aside, before))
        if not num_rows:
            raise SourceError(
                f"{self.where(first)} has columns but not one row"
                f"{', nor has any other of the files' if len(self.files) > 1 else ''}. "
                "Look at what exported it."
            )

    def _check_agree(
        self, schemas: Mapping[Path, Mapping[str, pa.DataType]], names: Sequence[str]
    ) -> None:
        problems = self.check_present(schemas, names)
        first = self.files[0]
        for file, columns in schemas.items():
            for name in [name for name in names if name in columns]:
                kind, expected = kind_of(columns[name]), kind_of(schemas[first][name])
                if kind != expected and "nothing" not in (kind, expected):
                    problems.append(
                        f"{self.where(file)} stores {kind} in `{name}`, "
                        f"but `{first.name}` stores {expected}."
                    )
        if problems:
            raise self.disagree(problems)


def joined(parts: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Columns of one kind, one below the other, in the widest of their types."""
    tables = [pa.table([part], ["_"]) for part in parts]
    return pa.concat_tables(tables, promote_options="permissive").column(0)


def whole(reads: Sequence[Read]) -> Read:
    """The parts of a table, one below the other."""
    tables = [read.table for read in reads]
    table = pa.concat_tables(tables, promote_options="permissive")
    if not table.num_columns:
        table = without_columns(sum(map(len, tables)))
    return Read(
        table,
        merged([finding for read in reads for finding in read.findings]),
        pa.concat_tables([read.aside for read in reads]),
    )


def without_columns(num_rows: int) -> pa.Table:
    """A table that is nothing but so many rows."""
    return pa.table([pa.nulls(num_rows)], [""]).select([])


def _counted_on(aside: pa.Table, before: int) -> pa.Table:
    """The unreadable rows of a file, numbered over all files."""
    place = aside.column_names.index("@row")
    return aside.set_column(place, aside.field(place), pc.add(aside.column(place), before))
