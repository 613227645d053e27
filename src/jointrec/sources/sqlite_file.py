"""Tables of an SQLite file, through Python's own module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError

from .address import Address
from .casting import TEXT
from .database import LOCK_SECONDS, Connection, Database
from .finding import Finding
from .places import one_file
from .printed import Field, refused
from .statement import Of, Relation, Statements
from .troubles import Trouble

_RELATIONS = """
    SELECT 'main', name, 1 FROM sqlite_schema
    WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
_READS = (21, 20, 31, 33)
"""What a statement may do, in SQLite's numbers: select, read a column, call a function, recurse."""
_ALLOWED, _DENIED = 0, 1
_CAST = "Cast it in a query, such as query=select hex(code) as code …, or leave the column out."


class SQLite(Database):
    """A table, a view or a query of an SQLite file: ``sqlite:///shop.db?table=items``.

    The file is opened read only and read in one transaction. A column of SQLite may hold values of
    any type: one of whole numbers only is read as such, one of numbers as decimal numbers, one that
    holds text as text. A column with bytes is refused: cast it in a query.
    """

    kind = "sqlite"
    package = "sqlite3"

    def connect(self, address: Address) -> Connection:
        """Opens the file, which must be there; a path that is not absolute starts at the root."""
        import sqlite3

        path = one_file(address.database, root=self.root, at=self.at)
        opened = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=LOCK_SECONDS,
            isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            return _SQLite(opened)
        except sqlite3.Error as error:
            opened.close()
            raise self._no_database(path, error) from None

    def _no_database(self, path: Path, error: Exception) -> Exception:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            return SourceError(
                f"{self.at}: `{path}` is no SQLite database, whatever its name says, or it is "
                "encrypted. Look at the file."
            )
        return error

    def trouble(self, error: BaseException, *, connecting: bool) -> Trouble | None:
        """By the name of the error."""
        import sqlite3

        if not isinstance(error, sqlite3.Error):
            return None
        name = getattr(error, "sqlite_errorname", "") or ""
        words = str(error)
        if name.startswith("SQLITE_READONLY") or "not authorized" in words or "prohibited" in words:
            return Trouble.WRITES
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Trouble.LOCKED
        return Trouble.OTHER


class _SQLite(Connection):
    def __init__(self, opened: Any) -> None:
        self.opened = opened
        opened.execute("PRAGMA query_only = ON")
        opened.execute("PRAGMA trusted_schema = OFF")
        opened.execute("BEGIN")
        opened.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # now it is a snapshot
        opened.set_authorizer(_only_reading)

    def close(self) -> None:
        """Ends the transaction and lets go of the file."""
        self.opened.close()

    def relations(self) -> list[Relation]:
        """All but SQLite's own."""
        return [Relation(*row) for row in self.opened.execute(_RELATIONS)]

    def fields(self, statements: Statements, of: Of) -> list[Field]:
        """The names alone: SQLite does not hold to the types that its tables declare."""
        described = self.opened.execute(statements.select(of, None)).description
        if isinstance(of, str):  # as a subquery, it would rename a column whose name is twice there
            described = self.opened.execute(of).description
        return [Field(column[0], TEXT, "values of any type") for column in described]

    def settled(self, statements: Statements, of: Of, fields: Sequence[Field]) -> list[Field]:
        """By all the values, which are read through once for it."""
        if not fields:
            return []
        found = self.opened.execute(statements.kinds(of, [field.name for field in fields]))
        return [
            _field(field.name, frozenset((kinds or "null").split(",")) - {"null"})
            for field, kinds in zip(fields, found.fetchone(), strict=True)
        ]

    def rows(
        self, statement: str, fields: Sequence[Field], most: int, at: str
    ) -> Iterator[tuple[pa.Table, Sequence[Finding]]]:
        """As SQLite gives them."""
        cursor = self.opened.execute(statement)
        names = [field.name for field in fields]
        while rows := cursor.fetchmany(most):
            columns = [
                _array(values, field)
                for field, values in zip(fields, zip(*rows, strict=True), strict=True)
            ]
            yield pa.table(columns, names), ()


def _only_reading(action: int, *_: Any) -> int:
    return _ALLOWED if action in _READS else _DENIED


def _field(name: str, kinds: frozenset[str]) -> Field:
    if "blob" in kinds:
        return refused(name, "bytes", _CAST, pa.large_binary())
    stored = {
        frozenset(): pa.null(),
        frozenset({"integer"}): pa.int64(),
        frozenset({"real"}): pa.float64(),
        frozenset({"integer", "real"}): pa.float64(),
    }
    return Field(name, stored.get(kinds, TEXT), " and ".join(sorted(kinds)) or "nothing")


def _array(values: Sequence[Any], field: Field) -> pa.Array:
    if field.stored == TEXT:
        return pa.array([None if v is None else str(v) for v in values], TEXT)
    try:
        return pa.array(values, field.stored)
    except (pa.ArrowException, OverflowError):
        raise SourceError(
            f"column `{field.name}` mixes decimal numbers with whole ones beyond 2⁵³, which no "
            "number holds exactly. Cast it to text in a query."
        ) from None
