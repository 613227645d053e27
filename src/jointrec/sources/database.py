"""What all databases share: a table or a query, read in batches from one snapshot."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import ClassVar

import pyarrow as pa

from jointrec.errors import SourceError, missing_extra, together, unknown_name

from .address import SCHEMES, Address, parse_address, scheme_of
from .base import Read, Source, check_distinct, check_wanted
from .finding import Finding, merged
from .printed import Field
from .snapshot import Opened, forget, in_one_snapshot, shared
from .statement import Of, Relation, Statements, check_alchemy
from .troubles import Trouble, told

_ROWS, _CELLS = 50_000, 500_000
"""At most so many rows, or so many cells, are on their way at once."""
CONNECT_SECONDS = 10
"""How long connecting may take."""
LOCK_SECONDS = 30
"""How long a table may be locked by somebody else."""


class Connection(Opened):
    """An open connection with a read-only transaction: all it reads is of one moment.

    :cvar busy: Whether rows are on their way; only one table can be read at a time.
    """

    busy = False

    @cached_property
    def known(self) -> dict[str, Relation]:
        """The tables and views of users by their names, sorted."""
        return {str(found): found for found in sorted(self.relations(), key=str)}

    @property
    def own(self) -> list[str]:
        """The names of those in the database that the URL names, sorted."""
        return list(self.known)

    @abstractmethod
    def relations(self) -> list[Relation]:
        """The tables and views of users."""

    @abstractmethod
    def fields(self, statements: Statements, of: Of) -> list[Field]:
        """The columns of a table or a query, without its rows."""

    def settled(self, statements: Statements, of: Of, fields: Sequence[Field]) -> list[Field]:
        """The same columns with their types, where only the rows tell them."""
        return list(fields)

    @abstractmethod
    def rows(
        self, statement: str, fields: Sequence[Field], most: int, at: str
    ) -> Iterator[tuple[pa.Table, Sequence[Finding]]]:
        """The rows of a statement, at most so many at a time."""


class Database(Source):
    """A table, a view or a query of a database.

    Only the wanted columns are selected; rows come in the order in which the server gives them.
    """

    kind: ClassVar[str]
    """What :data:`SCHEMES` calls it."""
    package: ClassVar[str]
    """The driver that must be installed."""

    @classmethod
    def reads(cls, source: object) -> bool:
        """Whether the text is the URL of such a database."""
        return isinstance(source, str) and SCHEMES.get(scheme_of(source) or "") == cls.kind

    @abstractmethod
    def connect(self, address: Address) -> Connection:
        """Opens a connection and its snapshot; errors are those of the driver."""

    @abstractmethod
    def trouble(self, error: BaseException, *, connecting: bool) -> Trouble | None:
        """What an error of the driver means; None for an error of something else."""

    @cached_property
    def address(self) -> Address:
        """What the URL says."""
        return parse_address(str(self.source), at=self.at)

    @cached_property
    def statements(self) -> Statements:
        """Writes what is asked."""
        return Statements(self.kind, at=self.at)

    @property
    def called(self) -> str:
        """The table as messages name it, without user or password."""
        return f"`{self.address}`"

    @property
    def where(self) -> str:
        """Where it is declared, and the table."""
        return f"{self.at}: {self.called}"

    def tables(self) -> list[str]:
        """The source string of each table and view of users in the database, sorted by name."""

        def listed() -> list[str]:
            with self._connection() as connection, self._told(connection):
                return connection.own

        return [self.address.of_table(name, str(self.source)) for name in in_one_snapshot(listed)]

    def columns(self) -> dict[str, pa.DataType]:
        """The columns and the types that they are stored in; exact decimals are read as text."""

        def described() -> dict[str, pa.DataType]:
            with self._connection() as connection:
                fields = self._fields(connection, self._of(connection))
                return {field.name: field.stored for field in fields}

        return in_one_snapshot(described)

    def table(self, wanted: Sequence[str] | None) -> Read:
        """The wanted columns of all rows. What cannot be read is left out where all are wanted."""

        def whole() -> Read:
            parts = list(self.batches(wanted))
            found = [finding for part in parts for finding in part.findings]
            return Read(pa.concat_tables([part.table for part in parts]), merged(found))

        return in_one_snapshot(whole)

    def batches(self, wanted: Sequence[str] | None) -> Iterator[Read]:
        """The wanted columns, batch by batch.

        :raises SourceError: where a wanted column is missing or of a type that cannot be read, the
            table is not there, or has no row; :class:`ConnectionLost` where the connection breaks.
        """
        with self._connection() as connection:
            of = self._of(connection)
            fields, findings = self._wanted(connection, of, wanted)
            statement = self.statements.select(of, fields)
            most = max(1, min(_ROWS, _CELLS // len(fields)))
            num_rows = 0
            connection.busy = True
            with self._told(connection):
                for table, found in connection.rows(statement, fields, most, self.at):
                    num_rows += table.num_rows
                    yield Read(table, (*findings, *found))
                    findings = []
            connection.busy = False
        if not num_rows:
            raise SourceError(
                f"{self.where} has columns but not one row. Look at what fills it, and at whether "
                "this user may see its rows."
            )

    def _wanted(
        self, connection: Connection, of: Of, wanted: Sequence[str] | None
    ) -> tuple[list[Field], list[Finding]]:
        fields = {field.name: field for field in self._fields(connection, of, wanted)}
        names = check_wanted(wanted, fields, at=self.where)
        chosen = [fields[name] for name in names]
        unread = [field for field in chosen if field.refused]
        if wanted is not None and unread:
            problems = [f"{self.where}: {_refusal(field)}" for field in unread]
            raise SourceError(together(problems, of=self.where))
        read = [field for field in chosen if not field.refused]
        if not read:
            raise SourceError(f"{self.where}: no column of it can be read. {_refusal(unread[0])}")
        return read, [self._left_out(field) for field in unread]

    def _left_out(self, field: Field) -> Finding:
        return Finding(
            "column_left_out", self.at, field.name, 1, (field.words,), "left out",
            f"a column of a type that cannot be read. {field.refused}",
        )  # fmt: skip

    def _fields(
        self, connection: Connection, of: Of, wanted: Sequence[str] | None = None
    ) -> list[Field]:
        """The columns; the types of those that are wanted are sure."""
        statements = self.statements
        with self._told(connection):
            fields = connection.fields(statements, of)
        check_distinct([field.name for field in fields], at=self.where)
        some = [field for field in fields if wanted is None or field.name in wanted]
        with self._told(connection):
            sure = {field.name: field for field in connection.settled(statements, of, some)}
        return [sure.get(field.name, field) for field in fields]

    def _of(self, connection: Connection) -> Of:
        query = self.address.query
        return self._relation(connection) if query is None else query

    def _relation(self, connection: Connection) -> Relation:
        with self._told(connection):
            known, own = connection.known, connection.own
        wanted = self.address.table
        for relation in known.values():
            if wanted in (str(relation), relation.full):
                return relation
        if wanted is None:
            raise SourceError(
                f"{self.where} is a whole database. Name a table of it with ?table=…, or a query "
                f"with ?query=…. Known: {', '.join(own) or 'none'}."
            )
        names = known if "." in wanted else own
        raise SourceError(unknown_name("table or view", wanted, names, at=self.where))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """The connection of this load, or one for just this; a broken one is never used again."""
        key = (*self.address.server, str(self.root))

        def open_new() -> Connection:
            check_alchemy(at=self.where)
            address = self.address.resolved(at=self.at)
            try:
                return self.connect(address)
            except Exception as error:
                raise self._error(error, address, connecting=True) from None

        connection, own = shared(key, open_new)
        if connection.busy:
            raise SourceError(
                f"{self.where}: another table of this database is still being read. Read one to "
                "its end before the next."
            )
        try:
            yield connection
        except BaseException:
            # Also where a reader stops early: rows may still be on their way.
            forget(key, connection)
            raise
        finally:
            if own:
                connection.close()

    @contextmanager
    def _told(self, connection: Connection) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            address = self.address.resolved(at=self.at)
            raise self._error(error, address, connecting=False) from None

    def _error(self, error: Exception, address: Address, *, connecting: bool) -> Exception:
        """An error in our words; one of no database stays what it is."""
        if isinstance(error, ImportError):
            return missing_extra(self.package, "sql", needed_for=self.where)
        trouble = self.trouble(error, connecting=connecting)
        if trouble is None:
            return error
        if trouble is Trouble.OTHER and self.address.query is not None:
            trouble = Trouble.QUERY
        return told(trouble, words_of(error), address, self.address, self.at)


def _refusal(field: Field) -> str:
    return f"column `{field.name}` holds {field.words}, which cannot be read. {field.refused}"


def words_of(error: BaseException) -> str:
    """What a driver says: the text of the error without its number."""
    words = [part for part in error.args if isinstance(part, str) and part.strip()]
    return words[-1] if words else type(error).__name__
