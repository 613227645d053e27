"""Where tables come from: files, databases, memory. Each kind gives Arrow.

>>> import pyarrow as pa
>>> items = pa.table({"item_id": [7, 8], "price": ["2.5", "free"], "unused": [1, 2]})
>>> got = read(items, columns={"item_id": Cell.ID, "price": Cell.NUMBER}, at="entity.item")
>>> got.table.to_pydict()
{'item_id': ['7', '8'], 'price': [2.5, None]}
>>> print(got.findings[0])
entity.item.price: values that are not numbers. 1 made null, such as `free`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import isabstract
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError

from .address import SCHEMES, holds_password, plain_password, scheme_of
from .base import Cell, Read, Source
from .cells import by_the_whole, cast
from .csv_file import Csv
from .database import Database
from .dates import in_iso
from .duckdb_file import DuckDB
from .files import FileSource, whole, without_columns
from .finding import Finding, merged
from .json_lines import JsonLines
from .memory import Memory
from .mysql import MySQL
from .parquet import Parquet
from .places import find_files, refuse_url
from .postgresql import PostgreSQL
from .snapshot import ConnectionLost, in_one_snapshot
from .sqlite_file import SQLite

__all__ = [
    "Cell",
    "ConnectionLost",
    "Csv",
    "DuckDB",
    "Finding",
    "JsonLines",
    "Memory",
    "MySQL",
    "Parquet",
    "PostgreSQL",
    "Read",
    "SQLite",
    "Source",
    "batches",
    "columns",
    "content",
    "files",
    "head",
    "holds_password",
    "in_iso",
    "in_one_snapshot",
    "is_database",
    "merged",
    "plain_password",
    "read",
    "tables",
]


def read(
    source: Any,
    *,
    root: Path | None = None,
    columns: Mapping[str, Cell] | None = None,
    at: str,
    zone: str = "UTC",
) -> Read:
    """Reads the wanted columns of a table, each as the kind of cell that it was declared to be.

    :param source: A file, a glob of files (``impressions/*.parquet``), a table of a database
        (``postgresql://user@host/shop?table=items``), or a table in memory (``pyarrow.Table``,
        ``polars.DataFrame``, ``pandas.DataFrame``).
    :param root: The folder that relative paths start from. Default: the current one.
    :param columns: Which columns, and how each is read. None gives all of them as they are stored.
    :param at: Where the source is declared, for messages.
    :param zone: The time zone of times that name none.
    :returns: The table, its columns in the order asked for: ids and texts as text, numbers and
        flags as float64, times as int64 µs UTC, lists as lists of text. Null means unknown.
    :raises SourceError: where the source cannot be read, or is not the table that was declared.
    """
    if columns is None:
        return _open(source, root, at).table(None)
    return in_one_snapshot(
        lambda: whole(list(batches(source, root=root, columns=columns, at=at, zone=zone)))
    )


def batches(
    source: Any,
    *,
    root: Path | None = None,
    columns: Mapping[str, Cell],
    at: str,
    zone: str = "UTC",
) -> Iterator[Read]:
    """Reads what :func:`read` does, part by part: memory need not hold more than one.

    Parquet, CSV (by file) and databases come in parts; of other sources there is one. There is also
    but one where only all values of a column together tell how each is read: numbers, times or
    flags that are stored as text, and times that are stored as numbers.

    What was set aside of a part has its number in the whole source. Inside
    :func:`in_one_snapshot` all parts, and those of other tables, are of one moment.

    :raises SourceError: as :func:`read` does, but maybe only after some parts.

    >>> import pyarrow as pa
    >>> some = pa.table({"item_id": [7, 8]})
    >>> [part.table.num_rows for part in batches(some, columns={"item_id": Cell.ID}, at="item")]
    [2]
    """
    opened = _open(source, root, at)
    # A table without columns would forget how many rows it has, so one is read all the same.
    stored = opened.batches(list(columns) or list(opened.columns())[:1])
    first = next(stored, None)
    if first is None:
        return
    parts: Iterator[Read] = chain([first], stored)
    if any(by_the_whole(first.table[name], cell) for name, cell in columns.items()):
        parts = iter([whole(list(parts))])
    for part in parts:
        yield _cast(part, opened, columns, at, zone)


def columns(source: Any, *, root: Path | None = None, at: str) -> dict[str, pa.DataType]:
    """The columns of a table and the types they are stored in, without reading its rows.

    In CSV all are text. In JSON lines the first 1,000 lines of each file tell.

    :raises SourceError: where the source cannot be read.
    """
    return _open(source, root, at).columns()


def content(source: Any, *, root: Path | None = None, at: str) -> str | None:
    """A hash of all that a source stores, without reading its rows; None where only they tell.

    :raises SourceError: where there is no such source.
    """
    return _open(source, root, at).content()


def head(source: Any, rows: int, *, root: Path | None = None, at: str) -> Read:
    """The first rows of a table as they are stored, without reading on where that can be.

    :raises SourceError: where the source cannot be read.
    """
    opened = _open(source, root, at)

    def some() -> Read:
        parts: list[pa.Table] = []
        findings: list[Finding] = []
        left = rows
        for read in opened.batches(None):
            parts.append(read.table.slice(0, left))
            findings += read.findings
            left -= len(parts[-1])
            if left <= 0:
                break
        return Read(pa.concat_tables(parts), merged(findings))

    return in_one_snapshot(some)


def files(source: str | Path, *, root: Path | None = None, at: str) -> tuple[Path, ...]:
    """The files that a path or a glob names, sorted by name.

    :raises SourceError: where there is none.
    """
    return find_files(str(source), root=root or Path(), at=at)


def tables(place: str, *, root: Path | None = None, at: str) -> list[str]:
    """The source string of each table and view of a database, sorted by name.

    :param place: The URL of the database, without ``table=`` and ``query=``.
    :param root: The folder that the relative path of a database file starts from.
    :param at: Where the database is named, for messages.
    :raises SourceError: where it is no database, or cannot be read.
    """
    opened = _open(place, root, at)
    if not isinstance(opened, Database):
        raise SourceError(f"{at}: {opened.called} is one table, not a database.")
    return opened.tables()


def is_database(source: object) -> bool:
    """Whether a source is the URL of a database, judged by its scheme.

    >>> is_database("postgresql://me@host/shop?table=items"), is_database("items.csv")
    (True, False)
    """
    return isinstance(source, str) and scheme_of(source) in SCHEMES


def _cast(part: Read, opened: Source, columns: Mapping[str, Cell], at: str, zone: str) -> Read:
    """Every column of a part as its cell."""
    if not columns:
        return Read(without_columns(part.table.num_rows), part.findings, part.aside)
    findings = list(part.findings)
    found: dict[str, pa.ChunkedArray] = {}
    for name, cell in columns.items():
        where = f"{opened.at}: column `{name}` of {opened.called}"
        found[name], odd = cast(part.table[name], cell, where=where, at=at, column=name, zone=zone)
        findings += odd
    return Read(pa.table(found), tuple(findings), part.aside)


def _open(source: Any, root: Path | None, at: str) -> Source:
    if isinstance(source, str) and not is_database(source):
        refuse_url(source, at=at)
    for kind in _kinds():
        if kind.reads(source):
            return kind(source, root or Path(), at)
    if isinstance(source, str | Path):
        # A name that no kind reads may be a folder, or nothing at all: then say that.
        find_files(str(source), root=root or Path(), at=at)
    endings = [end for kind in _kinds() if issubclass(kind, FileSource) for end in kind.endings]
    what = f"`{source}`" if isinstance(source, str | Path) else f"`{type(source).__name__}`"
    raise SourceError(
        f"{at}: {what} cannot be read. A source is a file or a glob whose name ends in "
        f"{', '.join(endings)}; a table of a database, such as postgresql://user@host/shop?table="
        "items; or a table in memory: pyarrow.Table, polars.DataFrame (collected) or "
        "pandas.DataFrame."
    )


def _kinds() -> list[type[Source]]:
    named = [globals()[name] for name in __all__]
    return [
        kind
        for kind in named
        if isinstance(kind, type) and issubclass(kind, Source) and not isabstract(kind)
    ]
