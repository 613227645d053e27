"""SQL statements, composed and quoted by SQLAlchemy: no name is ever pasted into text here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jointrec.errors import missing_extra

from .printed import Field


@dataclass(frozen=True)
class Relation:
    """A table or a view.

    :param schema: The schema that it is in.
    :param bare: Whether its name alone says which is meant.
    """

    schema: str
    name: str
    bare: bool

    @property
    def full(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.name}"

    def __str__(self) -> str:
        return self.name if self.bare else self.full


Of = Relation | str
"""What is read: a table or view, or the text of a query."""


class Statements:
    """Writes the statements that read one table or query, in the words of one kind of database.

    :param kind: ``postgresql``, ``mysql``, ``sqlite`` or ``duckdb``, which quotes like
        PostgreSQL.
    :param at: Where the source is declared, for messages.
    """

    def __init__(self, kind: str, *, at: str) -> None:
        self.alchemy = check_alchemy(at=at)
        # Of each paramstyle this one leaves `%` alone, as nothing is a parameter here.
        self.dialect = _dialect(kind)(paramstyle="named")

    def select(self, of: Of, fields: Sequence[Any] | None) -> str:
        """``SELECT`` of columns; None for all of them and no row, which tells what they are.

        :param of: A table or view, or the text of a query.
        :param fields: The columns, or expressions that :meth:`kinds` makes.
        """
        sa = self.alchemy
        if isinstance(of, str):
            # A subquery can only read. SQLAlchemy takes `\\:` for a colon that binds nothing.
            source = sa.text(of.replace(":", "\\:") + "\n").columns().subquery("query")
        else:
            source = sa.table(
                sa.quoted_name(of.name, quote=True),
                schema=sa.quoted_name(of.schema, quote=True),
            )
        if fields is None:
            nothing = sa.literal_column("0") == sa.literal_column("1")
            chosen = sa.select(sa.literal_column("*")).where(nothing)
        else:
            chosen = sa.select(
                *[self._asked(field) if isinstance(field, Field) else field for field in fields]
            )
        return str(chosen.select_from(source).compile(dialect=self.dialect))

    def kinds(self, of: Of, names: Sequence[str]) -> str:
        """``SELECT`` of one row: for each column, the kinds of its values, as SQLite has them."""
        func = self.alchemy.func
        return self.select(
            of, [func.group_concat(func.typeof(self._column(name)).distinct()) for name in names]
        )

    def bounds(self, of: Of, names: Sequence[str]) -> str:
        """``SELECT`` of one row: for each column the least and the greatest of its values."""
        func, columns = self.alchemy.func, [self._column(name) for name in names]
        return self.select(
            of, [what(column) for column in columns for what in (func.min, func.max)]
        )

    def _column(self, name: str) -> Any:
        return self.alchemy.column(self.alchemy.quoted_name(name, quote=True))

    def _asked(self, field: Field) -> Any:
        sa, column = self.alchemy, self._column(field.name)
        if field.asked == "precise":
            column = column + sa.literal_column("0e0")
        elif field.asked == "text":
            column = sa.cast(column, sa.Text())
        return column.label(sa.quoted_name(field.name, quote=True))


def check_alchemy(*, at: str) -> Any:
    """SQLAlchemy; an error that says how to install it where it is not there."""
    try:
        import sqlalchemy
    except ImportError:
        raise missing_extra("sqlalchemy", "sql", needed_for=at) from None
    return sqlalchemy


def _dialect(kind: str) -> Any:
    from sqlalchemy.dialects.mysql.base import MySQLDialect
    from sqlalchemy.dialects.postgresql.base import PGDialect
    from sqlalchemy.dialects.sqlite.base import SQLiteDialect

    return {"mysql": MySQLDialect, "sqlite": SQLiteDialect}.get(kind, PGDialect)
