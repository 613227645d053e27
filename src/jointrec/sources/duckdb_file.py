"""Tables of a DuckDB file, through DuckDB's own package, which gives Arrow by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError

from .address import Address
from .casting import TEXT
from .database import Connection, Database
from .finding import Finding
from .places import one_file
from .printed import Field, refused
from .statement import Of, Relation, Statements
from .troubles import Trouble

_RELATIONS = """
    SELECT schema_name, table_name, schema_name = 'main' FROM duckdb_tables() WHERE NOT internal
    UNION ALL
    SELECT schema_name, view_name, schema_name = 'main' FROM duckdb_views() WHERE NOT internal
"""
_CONFIG = {
    # Nothing but the file itself is read, nothing is fetched, and no query can change that.
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
    "lock_configuration": "true",
}
_PLAIN: Mapping[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(), "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(), "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(), "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "VARCHAR": TEXT,
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"), "TIMESTAMP_S": pa.timestamp("s"),
    "TIMESTAMP_MS": pa.timestamp("ms"), "TIMESTAMP_NS": pa.timestamp("ns"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}  # fmt: skip
_CAST = "Cast it in a query, such as query=select {example} …, or leave the column out."
_REFUSED = {
    "list": ("a list", "array_to_string(tags, '|') as tags"),
    "array": ("an array", "array_to_string(tags, '|') as tags"),
    "struct": ("a struct", "place.city as city"),
    "map": ("a map", "facts['colour'] as colour"),
    "union": ("a union", "value::varchar as value"),
    "json": ("JSON", "doc->>'field' as field"),
    "blob": ("bytes", "hex(code) as code"),
    "bit": ("bits", "flags::varchar as flags"),
    "geometry": ("a geometric value", "place::varchar as place"),
    "variant": ("values of any type", "value::varchar as value"),
}


class DuckDB(Database):
    """A table, a view or a query of a DuckDB file: ``duckdb:///shop.duckdb?table=items``.

    The file is opened read only and read in one transaction; no query reads another file or the
    network. Lists, structs, maps, JSON and blobs are refused: cast them in a query.
    """

    kind = "duckdb"
    package = "duckdb"

    def connect(self, address: Address) -> Connection:
        """Opens the file, which must be there; a path that is not absolute starts at the root."""
        import duckdb

        path = one_file(address.database, root=self.root, at=self.at)
        try:
            return _DuckDB(duckdb.connect(str(path), read_only=True, config=dict(_CONFIG)))
        except duckdb.IOException as error:
            if "not a valid DuckDB" in str(error):
                raise SourceError(
                    f"{self.at}: `{path}` is no DuckDB database, whatever its name says. "
                    "Look at the file."
                ) from None
            raise

    def trouble(self, error: BaseException, *, connecting: bool) -> Trouble | None:
        """By the class of the error."""
        import duckdb

        if not isinstance(error, duckdb.Error):
            return None
        words = str(error)
        if "lock" in words and isinstance(error, duckdb.IOException):
            return Trouble.LOCKED
        if "read-only" in words or isinstance(error, duckdb.PermissionException):
            return Trouble.WRITES
        return Trouble.OTHER


class _DuckDB(Connection):
    def __init__(self, opened: Any) -> None:
        self.opened = opened
        opened.execute("BEGIN TRANSACTION READ ONLY")

    def close(self) -> None:
        """Ends the transaction and lets go of the file."""
        self.opened.close()

    def relations(self) -> list[Relation]:
        """Those of the schema `main` by their bare names."""
        return [Relation(*row) for row in self.opened.execute(_RELATIONS).fetchall()]

    def fields(self, statements: Statements, of: Of) -> list[Field]:
        """By the types that DuckDB finds for the statement, before it is run."""
        relation = self.opened.sql(statements.select(of, None))
        # As a subquery, a query would rename a column whose name is twice there.
        names = self.opened.sql(of).columns if isinstance(of, str) else relation.columns
        return [
            _field(name, str(kind), kind.id)
            for name, kind in zip(names, relation.types, strict=True)
        ]

    def rows(
        self, statement: str, fields: Sequence[Field], most: int, at: str
    ) -> Iterator[tuple[pa.Table, Sequence[Finding]]]:
        """As DuckDB streams them."""
        schema = pa.schema([(field.name, field.delivered) for field in fields])
        for batch in self.opened.sql(statement).to_arrow_reader(most):
            yield pa.table(batch.columns, [field.name for field in fields]).cast(schema), ()


def _field(name: str, words: str, kind: str) -> Field:
    if words in _PLAIN:
        return Field(name, _PLAIN[words], words)
    refusal = _REFUSED.get("json" if words == "JSON" else kind)
    if refusal is not None:
        what, example = refusal
        stored = pa.large_binary() if kind in ("blob", "bit") else TEXT
        return refused(name, f"{what} (`{words}`)", _CAST.format(example=example), stored)
    stored = TEXT
    if kind == "decimal":
        precision, _, scale = words.partition("(")[2].rstrip(")").partition(",")
        stored = pa.decimal128(int(precision), int(scale))
    elif kind in ("hugeint", "uhugeint"):
        stored = pa.decimal256(39, 0)
    return Field(name, stored, words, asked="text")
