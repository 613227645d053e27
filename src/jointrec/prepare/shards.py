"""Arrays and tables as Parquet: columns with names of their own, in files of two million rows.

Any program that reads Parquet reads them. Every page has a checksum, which is verified when it is
read. The same arrays always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from jointrec.durable import read_parquet_pieces
from jointrec.features import Bags

from .parts import Parts
from .workspace import IN_MEMORY, Workspace

SHARD = 2_097_152
"""How many rows a file holds at most."""
ROW_GROUP = 262_144
"""How many rows are written, and may be read, at a time."""

Values = np.ndarray | Bags


@dataclass(frozen=True)
class Field:
    """An array and the columns that it is written as.

    :param values: One number a row, several, or any number of them.
    :param columns: One name for each column of the array; one for all of a row that is a list.
    """

    values: Values
    columns: tuple[str, ...]


Group = Mapping[str, Field]
"""Arrays with as many rows as each other, by name."""


def write_group(folder: Path, name: str, group: Group) -> dict[str, Any]:
    """Writes arrays side by side, and gives what :func:`read_group` must know. It is JSON.

    :param name: A folder below ``folder``, which is made.
    """
    rows = {_rows(field.values) for field in group.values()}
    assert len(rows) == 1, "arrays of one group have as many rows as each other"
    num_rows = rows.pop()
    columns = [column for field in group.values() for column in field.columns]
    assert len(set(columns)) == len(columns), "columns of one group have names of their own"
    files = 0
    if columns:
        (folder / name).mkdir(parents=True)
        for first in range(0, num_rows, SHARD):
            last = min(first + SHARD, num_rows)
            tables = (
                pa.table(
                    [array for field in group.values() for array in _arrow(field, piece)], columns
                )
                for piece in _row_groups(first, last)
            )
            _write(tables, folder / name / f"{files:05}.parquet")
            files += 1
    return {
        "folder": name,
        "rows": num_rows,
        "files": files,
        "arrays": {array: _described(field) for array, field in group.items()},
    }


def read_group(folder: Path, about: Mapping[str, Any], workspace: Workspace) -> dict[str, Values]:
    """The arrays of a group, as :func:`write_group` described them.

    :param workspace: Where they live.
    """
    rows = about["rows"]
    found: dict[str, np.ndarray] = {}
    bags: dict[str, list[pa.LargeListArray]] = {}
    for name, array in about["arrays"].items():
        if array["lists"]:
            bags[name] = []
        else:
            shape = (rows, len(array["columns"])) if array["wide"] else (rows,)
            found[name] = workspace.empty(shape, np.dtype(array["type"]))
    first = 0
    for table in _tables(folder, about):
        piece = slice(first, first + len(table))
        for name, array in about["arrays"].items():
            columns = [table.column(column) for column in array["columns"]]
            if array["lists"]:
                bags[name].append(columns[0].combine_chunks().cast(pa.large_list(pa.int64())))
            elif array["wide"]:
                for place, column in enumerate(columns):
                    found[name][piece, place] = column.to_numpy()
            else:
                found[name][piece] = columns[0].to_numpy()
        first = piece.stop
    return {**found, **{name: _bags(lists, workspace) for name, lists in bags.items()}}


def write_frame(folder: Path, name: str, frame: pl.DataFrame) -> dict[str, Any]:
    """Writes a table, and gives what :func:`read_frame` must know."""
    (folder / name).mkdir(parents=True)
    files = max(-(-len(frame) // SHARD), 1)
    for number in range(files):
        first, last = number * SHARD, min((number + 1) * SHARD, len(frame))
        tables = (frame[piece].to_arrow() for piece in _row_groups(first, last))
        _write(tables, folder / name / f"{number:05}.parquet")
    return {"folder": name, "rows": len(frame), "files": files}


def read_frame(
    folder: Path, about: Mapping[str, Any], workspace: Workspace = IN_MEMORY
) -> pl.DataFrame:
    """A table, as :func:`write_frame` described it.

    :param workspace: Where long columns live.
    """
    parts = Parts(workspace)
    for table in _tables(folder, about):
        parts.add(pl.DataFrame(table))
    return parts.table()


def _file(folder: Path, about: Mapping[str, Any], number: int) -> Path:
    """A file of a group. Whoever made the folder by hand cannot lead out of it."""
    name = PurePosixPath(about["folder"])
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{name} is not in the folder")
    return folder / name / f"{number:05}.parquet"


def _tables(folder: Path, about: Mapping[str, Any]) -> Iterator[pa.Table]:
    """All rows of a group or of a table, a row group at a time, page by page checked."""
    for number in range(about["files"]):
        yield from read_parquet_pieces(_file(folder, about, number))


def _row_groups(first: int, last: int) -> Iterator[slice]:
    """The rows of a file, as many as are written at a time; once no rows where it has none."""
    for start in range(first, max(last, first + 1), ROW_GROUP):
        yield slice(start, min(start + ROW_GROUP, last))


def _write(tables: Iterator[pa.Table], path: Path) -> None:
    """Writes a file, each table as a row group."""
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="zstd", write_page_checksum=True) as file:
        for table in chain([first], tables):
            file.write_table(table, row_group_size=ROW_GROUP)


def _rows(values: Values) -> int:
    return len(values.offsets) - 1 if isinstance(values, Bags) else len(values)


def _described(field: Field) -> dict[str, Any]:
    values = field.values
    lists = isinstance(values, Bags)
    kind = values.values.dtype if isinstance(values, Bags) else values.dtype
    wide = not isinstance(values, Bags) and values.ndim == 2
    return {"columns": list(field.columns), "type": kind.name, "wide": wide, "lists": lists}


def _arrow(field: Field, piece: slice) -> list[pa.Array]:
    values = field.values
    if isinstance(values, Bags):
        offsets = values.offsets[piece.start : piece.stop + 1]
        inside = values.values[offsets[0] : offsets[-1]]
        return [pa.LargeListArray.from_arrays(pa.array(offsets - offsets[0]), pa.array(inside))]
    if values.ndim == 1:
        return [pa.array(values[piece])]
    rows = np.ascontiguousarray(values[piece].T)
    return [pa.array(column) for column in rows]


def _bags(lists: Sequence[pa.LargeListArray], workspace: Workspace) -> Bags:
    """The lists of all files as one array and its offsets."""
    lengths = [np.diff(part.offsets.to_numpy()) for part in lists]
    offsets = np.concatenate([np.zeros(1, np.int64), *lengths]).cumsum()
    values = [np.zeros(0, np.int64), *(part.flatten().to_numpy() for part in lists)]
    return Bags(workspace.keep(np.concatenate(values)), workspace.keep(offsets))
