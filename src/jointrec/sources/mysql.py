"""Tables of MySQL and MariaDB, through PyMySQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from .address import Address
from .casting import TEXT
from .database import CONNECT_SECONDS, LOCK_SECONDS, Connection, Database
from .finding import Finding
from .printed import Field, columns_of_rows, refused
from .statement import Of, Relation, Statements
from .troubles import Trouble

_RELATIONS = """
    SELECT table_schema, table_name, table_schema = DATABASE()
    FROM information_schema.tables
    WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
    AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')
"""
_JSON_IN_MARIADB = """
    SELECT constraint_name FROM information_schema.check_constraints
    WHERE constraint_schema = %s AND table_name = %s
    AND check_clause = CONCAT('json_valid(`', constraint_name, '`)')
"""
_UNSIGNED, _ENUM, _SET = 32, 256, 2048
_BYTES = 63
"""The number of the character set of what is no text."""
_WHOLE: Mapping[int, pa.DataType] = {
    1: pa.int8(), 2: pa.int16(), 3: pa.int32(), 8: pa.int64(), 9: pa.int32(), 13: pa.int32(),
}  # fmt: skip
_NAMES: Mapping[int, str] = {
    0: "decimal", 1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 6: "null",
    7: "timestamp", 8: "bigint", 9: "mediumint", 10: "date", 11: "time", 12: "datetime",
    13: "year", 14: "date", 15: "varchar", 16: "bit", 242: "vector", 245: "json", 246: "decimal",
    247: "enum", 248: "set", 249: "text", 250: "text", 251: "text", 252: "text", 253: "varchar",
    254: "char", 255: "geometry",
}  # fmt: skip
_CAST = "Cast it in a query, such as query=select {example} …, or leave the column out."
_LOGIN, _NO_DATABASE = (1045, 1044, 1698, 2061), (1049,)
_LOST = (1053, 1927, 2006, 2013, 2055, 1412, 1213, 1317)
"""Shutdown, killed, gone, lost, changed table definition, deadlock, interrupted."""
_STATES = {
    1792: Trouble.WRITES,
    1290: Trouble.WRITES,
    1205: Trouble.LOCKED,
    1142: Trouble.FORBIDDEN,
    1143: Trouble.FORBIDDEN,
    1227: Trouble.FORBIDDEN,
}


class MySQL(Database):
    """A table, a view or a query of MySQL or MariaDB: ``mysql://user@host/shop?table=items``.

    It is read in a ``WITH CONSISTENT SNAPSHOT, READ ONLY`` transaction. Numbers, texts and times
    are exact: ``decimal`` keeps each digit, ``bigint unsigned`` its full range, ``timestamp`` is a
    moment, ``datetime`` has no zone. A zero date is null, with a finding. JSON and
    bytes are refused: cast them in a query. The server never gets a file of this machine.
    """

    kind = "mysql"
    package = "pymysql"

    def connect(self, address: Address) -> Connection:
        """Connects within 10 seconds."""
        import pymysql

        opened = pymysql.connect(
            host=address.host or "127.0.0.1", port=int(address.port or 3306),
            user=address.user, password=address.password or "",
            database=address.database or None, charset="utf8mb4", local_infile=False,
            connect_timeout=CONNECT_SECONDS, read_timeout=address.timeout,
            write_timeout=address.timeout, autocommit=False, **_tls(address),
        )  # fmt: skip
        return _MySQL(opened)

    def trouble(self, error: BaseException, *, connecting: bool) -> Trouble | None:
        """By the number of the error."""
        import pymysql

        if not isinstance(error, pymysql.Error):
            return Trouble.UNREACHABLE if connecting and isinstance(error, OSError) else None
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if number in _LOGIN:
            return Trouble.LOGIN
        if number in _NO_DATABASE:
            return Trouble.NO_DATABASE
        if connecting:
            return Trouble.UNREACHABLE
        if number == 2013 and "timed out" in str(error):
            return Trouble.SILENT
        if number in _LOST or isinstance(error, pymysql.InterfaceError):
            return Trouble.LOST
        return _STATES.get(number, Trouble.OTHER)


def _tls(address: Address) -> dict[str, Any]:
    """TLS as libpq's modes name it; without a word of it, used where the server offers it."""
    if address.sslmode == "disable":
        return {"ssl_disabled": True}
    import ssl

    if address.sslmode in ("require", "verify-ca", "verify-full"):
        context = ssl.create_default_context(cafile=address.sslrootcert)
        context.check_hostname = address.sslmode == "verify-full"
        if address.sslmode == "require":
            context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}
    return {}


class _MySQL(Connection):
    def __init__(self, opened: Any) -> None:
        self.opened = opened
        opened.decoders = {}  # values stay as they are printed
        with opened.cursor() as cursor:
            cursor.execute("SET SESSION time_zone = '+00:00'")
            cursor.execute("SET SESSION lock_wait_timeout = %s", (LOCK_SECONDS,))
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def close(self) -> None:
        """Ends the transaction by ending the connection, also where rows are on their way."""
        if self.opened.open:
            self.opened.close()

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.opened.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    @property
    def own(self) -> list[str]:
        """Those with a bare name, as a user of one database may see the tables of others."""
        if self.opened.db is None:
            return list(self.known)
        return [name for name, relation in self.known.items() if relation.bare]

    def relations(self) -> list[Relation]:
        """Those of the URL's database by their bare names, of others with theirs."""
        found = self._all(_RELATIONS)
        return [Relation(schema, name, bare == "1") for schema, name, bare in found]

    def fields(self, statements: Statements, of: Of) -> list[Field]:
        """By the type and its flags, as the server describes the empty result."""
        if isinstance(of, str):
            # A query must be whole by itself, or it could end the subquery that only reads.
            self._all("SET @jointrec = %s", (of,))
            self._all("PREPARE jointrec FROM @jointrec")
            self._all("DEALLOCATE PREPARE jointrec")
        with self.opened.cursor() as cursor:
            cursor.execute(statements.select(of, None))
            described = list(cursor._result.fields)  # the flags are nowhere else
        json: set[str] = set()
        if isinstance(of, Relation) and "MariaDB" in self.opened.get_server_info():
            json = {row[0] for row in self._all(_JSON_IN_MARIADB, (of.schema, of.name))}
        return [_field(found, json) for found in described]

    def settled(self, statements: Statements, of: Of, fields: Sequence[Field]) -> list[Field]:
        """``BOOLEAN`` is ``TINYINT(1)``, which may hold more: it is one where it does not."""
        flags = [field.name for field in fields if pa.types.is_boolean(field.stored)]
        if not flags:
            return list(fields)
        (found,) = self._all(statements.bounds(of, flags))
        bounds = zip(flags, found[::2], found[1::2], strict=True)
        other = {name for name, *ends in bounds if not {*ends} <= {"0", "1", None}}
        return [
            Field(field.name, pa.int8(), "tinyint") if field.name in other else field
            for field in fields
        ]

    def rows(
        self, statement: str, fields: Sequence[Field], most: int, at: str
    ) -> Iterator[tuple[pa.Table, Sequence[Finding]]]:
        """Taken from the wire as they come, printed, so that no digit is lost on the way."""
        import pymysql.cursors

        cursor = self.opened.cursor(pymysql.cursors.SSCursor)
        try:
            cursor.execute(statement)
            while rows := cursor.fetchmany(most):
                yield columns_of_rows(rows, fields, at=at)
        finally:
            _let_go(cursor)


def _let_go(cursor: Any) -> None:
    """Lets PyMySQL forget a result, which it would read to its end before it is deleted."""
    result, cursor.connection = cursor._result, None
    if result is not None:
        result.unbuffered_active, result.connection = False, None


def _field(found: Any, json: set[str]) -> Field:
    name, code, flags = found.name, found.type_code, found.flags
    words = _NAMES.get(code, f"type {code}")
    if name in json or code == 245:
        return refused(name, "JSON", _CAST.format(example="json_value(doc, '$.field')"), TEXT)
    if code == 1 and found.length == 1 and not flags & _UNSIGNED:
        return Field(name, pa.bool_(), "boolean")
    if code in _WHOLE:
        whole = _WHOLE[code]
        if flags & _UNSIGNED:
            return Field(name, _unsigned(whole), f"{words} unsigned")
        return Field(name, whole, words)
    if code in (0, 246):
        precision = max(1, min(found.length - (found.scale > 0) - (not flags & _UNSIGNED), 38))
        return Field(name, pa.decimal128(precision, min(found.scale, 38)), words)
    if code == 4:
        return Field(name, pa.float32(), words, asked="precise")
    stored = {5: pa.float64(), 6: pa.null(), 7: pa.timestamp("us", "UTC"), 12: pa.timestamp("us")}
    if code in stored:
        return Field(name, stored[code], words)
    if code in (10, 14):
        return Field(name, pa.date32(), words)
    if code == 11 or flags & (_ENUM | _SET):
        return Field(name, TEXT, words)
    if code == 16:
        return refused(name, "`bit`", _CAST.format(example="flags+0 as flags"), pa.large_binary())
    if code in (242, 255) or found.charsetnr == _BYTES:
        example = "hex(code) as code"
        return refused(name, "bytes", _CAST.format(example=example), pa.large_binary())
    return Field(name, TEXT, words, padded=code == 254)


def _unsigned(whole: pa.DataType) -> pa.DataType:
    return {8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32()}.get(whole.bit_width, pa.uint64())
