"""What a hostile case is: files made by code, and the rows or the words that must come of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.sources import Cell

DAY = 86_400_000_000
NUMBERS = {"id": Cell.ID, "x": Cell.NUMBER}
TEXTS = {"id": Cell.ID, "x": Cell.TEXT}
TIMES = {"id": Cell.ID, "x": Cell.TIME}
FLAGS = {"id": Cell.ID, "x": Cell.FLAG}
VISITS = {"user": Cell.ID, "at": Cell.TIME, "paid": Cell.NUMBER}

Write = Callable[[Path], None]
Rows = Sequence[tuple[Any, ...]]
Content = str | bytes | Callable[[], str]
"""What is large is made when it is needed."""


@dataclass(frozen=True)
class Case:
    """A source that somebody might hand us, and what must become of it.

    :param name: What is odd about it.
    :param write: Makes its files in an empty folder.
    :param rows: What must be read, in order.
    :param error: Words that the refusal must hold. Either these or rows.
    :param found: The codes of the findings, in order of the alphabet.
    :param aside: How many rows fit no column.
    :param used: How many rows are left for training: those with a key of their own, unless told.
    :param unusable: Words that loading must say although every row can be read.
    :param meanwhile: What happens to the files while they are read.
    :param table: Which table of a shop it is: ``user`` or ``visit``.
    """

    name: str
    write: Write
    rows: Rows | Callable[[], Rows] | None = None
    error: str | None = None
    source: str = "t.csv"
    cells: Mapping[str, Cell] = field(default_factory=lambda: NUMBERS)
    found: tuple[str, ...] = ()
    aside: int = 0
    used: int | None = None
    unusable: str | None = None
    meanwhile: Write | None = None
    table: str = "user"
    zone: str = "UTC"

    def rows_read(self) -> Rows:
        """What must be read, in order."""
        assert self.rows is not None
        return self.rows() if callable(self.rows) else self.rows

    def rows_used(self) -> int:
        """How many rows are left for training."""
        if self.used is not None:
            return self.used
        keys = [row[0] for row in self.rows_read() if row[0] is not None]
        return len(set(keys)) if self.table == "user" else len(keys)


def text(content: Content, name: str = "t.csv", encoding: str = "utf-8") -> Write:
    """Writes one file."""

    def write(folder: Path) -> None:
        made = content() if callable(content) else content
        data = made if isinstance(made, bytes) else made.encode(encoding)
        (folder / name).write_bytes(data)

    return write


def parquet(table: pa.Table, name: str = "t.parquet", **settings: Any) -> Write:
    """Writes one Parquet file."""

    def write(folder: Path) -> None:
        pq.write_table(table, folder / name, **{"write_page_checksum": True, **settings})

    return write


def csv(name: str, content: Content, **expected: Any) -> Case:
    """A CSV file."""
    return Case(name, text(content, encoding=expected.pop("encoding", "utf-8")), **expected)


def lines(name: str, content: Content, **expected: Any) -> Case:
    """A file of JSON lines."""
    return Case(name, text(content, "t.jsonl"), source="t.jsonl", **expected)


def columns(name: str, table: Mapping[str, Any], **expected: Any) -> Case:
    """A Parquet file."""
    return Case(name, parquet(pa.table(dict(table))), source="t.parquet", **expected)


def column(kind: str, values: Sequence[str], read: Sequence[Any], **expected: Any) -> Case:
    """A CSV file of ids and one column of the values."""
    rows = "".join(f"u{n},{value}\n" for n, value in enumerate(values))
    told = [(f"u{n}", value) for n, value in enumerate(read)]
    return csv(kind, f"id,x\n{rows}", rows=told, **expected)


def micro(*when: int) -> int:
    """A moment in UTC, as µs."""
    seconds = datetime(*when[:6], tzinfo=UTC).timestamp()  # type: ignore[arg-type]
    return int(seconds) * 1_000_000


def project(case: Case, folder: Path, visits: str) -> jr.Project:
    """A shop of which one table is hostile and the other is not."""
    features, tasks = {}, {}
    kinds = {
        Cell.ID: f.Category, Cell.TEXT: f.Text, Cell.NUMBER: f.Number, Cell.TIME: f.Time,
        Cell.LIST: f.Set,
    }  # fmt: skip
    if case.table == "user":
        for column_name, cell in list(case.cells.items())[1:]:
            if cell is Cell.FLAG:
                tasks["flag"] = t.Binary(f"user.{column_name}")
            else:
                features[column_name] = kinds[cell]()
    key = next(iter(case.cells)) if case.table == "user" else "id"
    users, source = (case.source, visits) if case.table == "user" else ("users.csv", case.source)
    return jr.Project(
        entity={"user": jr.Entity(users, key=key, features=features)},
        event={"visit": jr.Event(source, ("user",), time="at", keys={"user": "user"})},
        tasks={"paid": t.Amount("visit.paid"), **tasks},
        time_zone=case.zone,
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the last bit: -0.0 is not 0."""
    if isinstance(one, float) and isinstance(other, int | float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return type(one) is type(other) and one == other
