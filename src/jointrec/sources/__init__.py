"""Where tables come from: CSV, JSON lines, Parquet, memory. Each kind gives Arrow.

>>> import pyarrow as pa
>>> items = pa.table({"item_id": [7, 8], "price": ["2.5", "free"], "unused": [1, 2]})
>>> got = read(items, columns={"item_id": Cell.ID, "price": Cell.NUMBER}, at="entity.item")
>>> got.table.to_pydict()
{'item_id': ['7', '8'], 'price': [2.5, None]}
>>> print(got.findings[0])
entity.item.price: values that are not numbers. 1 made null, such as `free`.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isabstract
from pathlib import Path
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError

from .base import Cell, Read, Source
from .cells import cast
from .csv_file import Csv
from .files import FileSource
from .finding import Finding
from .json_lines import JsonLines
from .memory import Memory
from .parquet import Parquet
from .places import find_files, refuse_url

__all__ = [
    "Cell",
    "Csv",
    "Finding",
    "JsonLines",
    "Memory",
    "Parquet",
    "Read",
    "Source",
    "columns",
    "files",
    "read",
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

    :param source: A file, a glob of files (``impressions/*.parquet``), or a table in memory
        (``pyarrow.Table``, ``polars.DataFrame``, ``pandas.DataFrame``).
    :param root: The folder that relative paths start from. Default: the current one.
    :param columns: Which columns, and how each is read. None gives all of them as they are stored.
    :param at: Where the source is declared, for messages.
    :param zone: The time zone of times that name none.
    :returns: The table, its columns in the order asked for: ids and texts as text, numbers and
        flags as float64, times as int64 µs UTC, lists as lists of text. Null means unknown.
    :raises SourceError: where the source cannot be read, or is not the table that was declared.
    """
    opened = _open(source, root, at)
    if columns is None:
        return opened.table(None)
    # A table without columns would forget how many rows it has, so one is read all the same.
    stored = opened.table(list(columns) or list(opened.columns())[:1])
    if not columns:
        return Read(stored.table.select([]), stored.findings, stored.aside)
    table, findings = stored.table, list(stored.findings)
    for place, (name, cell) in enumerate(columns.items()):
        where = f"{at}: column `{name}` of {_called(source)}"
        values, found = cast(table.column(place), cell, where=where, at=at, column=name, zone=zone)
        table = table.set_column(place, name, values)
        findings += found
    return Read(table, tuple(findings), stored.aside)


def columns(source: Any, *, root: Path | None = None, at: str) -> dict[str, pa.DataType]:
    """The columns of a table and the types they are stored in, without reading its rows.

    In CSV all are text. In JSON lines the first 1,000 lines of each file tell.

    :raises SourceError: where the source cannot be read.
    """
    return _open(source, root, at).columns()


def files(source: str | Path, *, root: Path | None = None, at: str) -> tuple[Path, ...]:
    """The files that a path or a glob names, sorted by name.

    :raises SourceError: where there is none.
    """
    return find_files(str(source), root=root or Path(), at=at)


def _open(source: Any, root: Path | None, at: str) -> Source:
    if isinstance(source, str):
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
        f"{', '.join(endings)}, or a table in memory: pyarrow.Table, polars.DataFrame (collected) "
        "or pandas.DataFrame."
    )


def _kinds() -> list[type[Source]]:
    named = [globals()[name] for name in __all__]
    return [
        kind
        for kind in named
        if isinstance(kind, type) and issubclass(kind, Source) and not isabstract(kind)
    ]


def _called(source: Any) -> str:
    return f"`{source}`" if isinstance(source, str | Path) else "the table in memory"
