"""Tables of PostgreSQL, through psycopg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from .address import Address
from .casting import TEXT
from .database import CONNECT_SECONDS, LOCK_SECONDS, Connection, Database
from .finding import Finding
from .printed import Field, columns_of_rows, refused
from .statement import Of, Relation, Statements
from .troubles import Trouble

_CHUNK = 1_000
"""Rows that libpq holds at once."""
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "statement_timeout": "0",
    # Rows in one order at each reading, as far as the table itself did not change.
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
}
_RELATIONS = """
    SELECT n.nspname, c.relname, pg_table_is_visible(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
"""
_TYPES = """
    SELECT oid, format_type(oid, NULL), typtype, typcategory FROM pg_type WHERE oid = ANY(%s)
"""
_PLAIN: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "oid": pa.uint32(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}
_CAST = "Cast it in a query, such as query=select {example} …, or leave the column out."
_REFUSED: Mapping[str, tuple[str, pa.DataType]] = {
    "json": ("doc->>'field' as field", TEXT),
    "jsonb": ("doc->>'field' as field", TEXT),
    "bytea": ("encode(code, 'hex') as code", pa.large_binary()),
    "money": ("price::numeric as price", TEXT),
    "tsvector": ("title as title", TEXT),
}
_CATEGORIES: Mapping[str, tuple[str, str]] = {
    "A": ("an array", "array_to_string(tags, '|') as tags"),
    "C": ("a composite value", "(place).city as city"),
    "R": ("a range", "lower(period) as period_start"),
    "G": ("a geometric value", "place[0] as longitude"),
    "V": ("a bit string", "flags::text as flags"),
}


class PostgreSQL(Database):
    """A table, a view or a query of PostgreSQL: ``postgresql://user@host/shop?table=items``.

    It is read in one ``REPEATABLE READ, READ ONLY`` transaction. Numbers, texts and times are
    exact: ``numeric`` keeps each digit, ``char(n)`` loses the blanks that fill it up. Arrays, JSON,
    ``bytea`` and the like are refused: cast them in a query.
    """

    kind = "postgresql"
    package = "psycopg"

    def connect(self, address: Address) -> Connection:
        """Connects within 10 seconds."""
        import psycopg

        def wait(self: Any, gen: Any, *given: Any, **named: Any) -> Any:
            try:
                waiting = {"timeout": address.timeout, **named}
                return psycopg.Connection.wait(self, gen, *given, **waiting)
            except psycopg.errors._WaitTimeout:
                self.pgconn.finish()  # or psycopg would try to cancel, and wait again
                raise TimeoutError("no answer") from None

        # psycopg itself waits for ever for a server that went silent.
        impatient: Any = type("Impatient", (psycopg.Connection,), {"wait": wait})
        tls: dict[str, Any] = {"sslmode": address.sslmode, "sslrootcert": address.sslrootcert}
        opened = impatient.connect(
            host=address.host, port=address.port, user=address.user, password=address.password,
            dbname=address.database or None, connect_timeout=CONNECT_SECONDS,
            application_name="jointrec", client_encoding="utf-8", autocommit=False,
            **{name: value for name, value in tls.items() if value},
        )  # fmt: skip
        return _PostgreSQL(opened)

    def trouble(self, error: BaseException, *, connecting: bool) -> Trouble | None:
        """By the SQL state, and where there is none by whether the connection still stands."""
        import psycopg

        if isinstance(error, TimeoutError):
            return Trouble.SILENT
        if not isinstance(error, psycopg.Error):
            return None
        state, words = error.sqlstate or "", str(error)
        if connecting:
            if (
                state[:2] == "28"
                or "authentication failed" in words
                or "no password" in words
                or "role " in words
            ):
                return Trouble.LOGIN
            missing = state == "3D000" or ("database" in words and "does not exist" in words)
            return Trouble.NO_DATABASE if missing else Trouble.UNREACHABLE
        if state in _STATES:
            return _STATES[state]
        if state[:2] in ("08", "40", "57") or (not state and _is_broken(error)):
            return Trouble.LOST
        return Trouble.OTHER


_STATES = {
    "25006": Trouble.WRITES,
    "55P03": Trouble.LOCKED,
    "42501": Trouble.FORBIDDEN,
}


def _is_broken(error: Any) -> bool:
    import psycopg

    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


class _PostgreSQL(Connection):
    def __init__(self, opened: Any) -> None:
        import psycopg
        from psycopg.types.string import TextLoader

        self.opened = opened
        opened.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        opened.read_only = True
        for name, value in _SETTINGS.items():
            opened.execute("SELECT set_config(%s, %s, false)", (name, value))
        opened.commit()  # the settings stay; the snapshot begins with the next statement
        self.cursor = opened.cursor()
        self.loader = TextLoader

    def close(self) -> None:
        """Ends the transaction by ending the connection; the server undoes nothing, as it read."""
        self.opened.close()

    def relations(self) -> list[Relation]:
        """What the user's search path finds by its bare name, and the rest with its schema."""
        return [Relation(*row) for row in self.opened.execute(_RELATIONS)]

    def fields(self, statements: Statements, of: Of) -> list[Field]:
        """By the type and its modifier, as the server describes the empty result."""
        # To be prepared, a text must be one single statement.
        self.cursor.execute(statements.select(of, None), prepare=True)
        result = self.cursor.pgresult
        oids = [result.ftype(place) for place in range(result.nfields)]
        types = {row[0]: row[1:] for row in self.opened.execute(_TYPES, (list(set(oids)),))}
        return [
            _field(column.name, result.fmod(place), *types[oids[place]])
            for place, column in enumerate(self.cursor.description)
        ]

    def rows(
        self, statement: str, fields: Sequence[Field], most: int, at: str
    ) -> Iterator[tuple[pa.Table, Sequence[Finding]]]:
        """Streamed by libpq in chunks, printed, so that no digit is lost on the way."""
        cursor = self.opened.cursor()
        for oid in _every_oid(self.opened):
            cursor.adapters.register_loader(oid, self.loader)
        streamed = cursor.stream(statement, size=_CHUNK)
        while rows := list(islice(streamed, most)):
            yield columns_of_rows(rows, fields, at=at)


def _every_oid(opened: Any) -> list[int]:
    return [info.oid for info in opened.adapters.types]


def _field(name: str, modifier: int, words: str, kind: str, category: str) -> Field:
    if category in _CATEGORIES and kind != "e":
        what, example = _CATEGORIES[category]
        stored = pa.large_list(TEXT) if category == "A" else TEXT
        return refused(name, f"{what} (`{words}`)", _CAST.format(example=example), stored)
    if words in _REFUSED:
        example, stored = _REFUSED[words]
        return refused(name, f"`{words}`", _CAST.format(example=example), stored)
    if words == "numeric":
        return Field(name, _decimal(modifier), words)
    return Field(name, _PLAIN.get(words, TEXT), words, padded=words == "character")


def _decimal(modifier: int) -> pa.DataType:
    """``numeric(precision, scale)``; without them it is told as 38 digits, 9 of them behind."""
    if modifier < 4:
        return pa.decimal128(38, 9)
    precision, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF
    scale = (scale ^ 1024) - 1024  # eleven bits with a sign
    return pa.decimal128(min(max(precision, scale), 38), max(min(scale, 38), 0))
