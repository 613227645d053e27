"""The URL of a database: what it names, what it may say, and how it is shown without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

from jointrec.errors import SourceError, nearest, together, unknown_name

SCHEMES: Mapping[str, str] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
}
"""What a database may be called in a URL, and which kind of source reads it."""
IN_FILES = ("sqlite", "duckdb")
SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_TIMEOUT = 300.0
"""Seconds that a server may be silent while a query runs: sorting a large table takes a while."""
_SHOWN = 80


@dataclass(frozen=True)
class Address:
    """A database, and the table or the query that is read of it.

    Everything is as it was declared: ``${NAME}`` stands until :meth:`resolved` looks it up, so a
    password is in no object that is kept, saved or shown.

    :param kind: ``postgresql``, ``mysql``, ``sqlite`` or ``duckdb``.
    :param database: The name of the database, or the path of its file.
    :param table, query: What is read. At most one is there; none is the database itself.
    :param timeout: For how many seconds the server may be silent.
    :param sslmode, sslrootcert: How TLS is used, as in libpq. Default: what the driver does.
    """

    kind: str
    user: str | None
    password: str | None
    host: str | None
    port: str | None
    database: str
    table: str | None = None
    query: str | None = None
    timeout: float = _TIMEOUT
    sslmode: str | None = None
    sslrootcert: str | None = None

    @property
    def server(self) -> tuple[object, ...]:
        """What two addresses share that are read through one connection."""
        return (
            self.kind, self.user, self.password, self.host, self.port, self.database,
            self.timeout, self.sslmode, self.sslrootcert,
        )  # fmt: skip

    def __str__(self) -> str:
        """The address without user, password and options, a long query cut short."""
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host or ""
        text = f"{self.kind}://{host}{f':{self.port}' if self.port else ''}/{self.database}"
        if self.table is not None:
            return f"{text}?table={self.table}"
        if self.query is not None:
            words = " ".join(self.query.split())
            return f"{text}?query={words[:_SHOWN]}{'…' if len(words) > _SHOWN else ''}"
        return text

    def of_table(self, table: str, text: str) -> str:
        """The source string of a table of the database that ``text`` names."""
        bare, _, options = text.partition("?")
        joined = f"{options}&table=" if options else "table="
        return f"{bare}?{joined}{quote(table, safe='. ')}"

    def resolved(self, *, at: str) -> Address:
        """The same with the values of the environment in place of each ``${NAME}``.

        :raises SourceError: naming every variable that is not set. No value is ever shown.
        """
        values = {
            name: getattr(self, name) for name in ("user", "password", "host", "port", "database")
        }
        missing = [
            name for value in values.values() for name in variables(value) if name not in os.environ
        ]
        if missing:
            raise SourceError(together([_unset(name, self, at) for name in missing], of=at))
        found = {
            name: value and _VARIABLE.sub(lambda match: os.environ[match[1]], value)
            for name, value in values.items()
        }
        return Address(
            self.kind, found["user"], found["password"], found["host"], found["port"],
            str(found["database"]), self.table, self.query, self.timeout, self.sslmode,
            self.sslrootcert,
        )  # fmt: skip


def variables(text: str | None) -> list[str]:
    """The names of the environment's variables that a part of a URL stands for."""
    return list(dict.fromkeys(_VARIABLE.findall(text or "")))


def _unset(name: str, address: Address, at: str) -> str:
    near = nearest(name, [known for known in os.environ if known != name])
    return (
        f"{at}: `{address}` needs the environment variable `{name}`, which is not set.{near} "
        f"Set it before you start: export {name}=…"
    )


def scheme_of(text: str) -> str | None:
    """What stands before ``://``, in small letters and without a driver; None where nothing does.

    >>> scheme_of("mysql+pymysql://host/shop"), scheme_of("items.csv")
    ('mysql', None)
    """
    match = _SCHEME.match(text)
    return match[1].lower().partition("+")[0] if match else None


def parse_address(text: str, *, at: str) -> Address:
    """Reads the URL of a database.

    ``postgresql://user:${SHOP_DB_PASSWORD}@host:5432/shop?table=items``, ``?query=select …``,
    ``mysql://…``, ``sqlite:///shop.db?table=items``, ``duckdb:////data/shop.duckdb?table=items``.
    ``query=`` comes last: all that follows is SQL, as it stands if it holds a blank, else
    percent-decoded.

    :raises SourceError: for whatever is wrong with it, all at once; never with the URL itself, as
        it may hold a password.

    >>> print(parse_address("postgresql://me:${SECRET}@db.shop/main?table=sales.items", at="x"))
    postgresql://db.shop/main?table=sales.items
    """
    scheme = scheme_of(text)
    kind = SCHEMES[str(scheme)]
    where = f"{at}: `{scheme}://…`"
    if holds_password(text):
        raise SourceError(plain_password(str(scheme), at=at))
    rest = text.partition("://")[2]
    head, _, options = rest.partition("?")
    authority, slash, database = head.partition("/")
    problems: list[str] = []
    if (not slash and kind not in IN_FILES) or (kind in IN_FILES and not authority + database):
        named = "shop.db" if kind in IN_FILES else "user@host/shop"
        extra = "/" if kind in IN_FILES else ""
        problems.append(
            f"{where} names no {'file' if kind in IN_FILES else 'database'}. "
            f"Write {scheme}://{extra}{named}?table=items."
        )
    login, _, place = authority.rpartition("@")
    user, _, password = login.partition(":")
    host, colon, port = _split_port(place)
    if colon and not re.fullmatch(r"\d{1,5}|\$\{[^{}]*\}", port):
        problems.append(
            f"{where} has a port that is no number. Where a password holds `/`, `?`, `#` or `@`, "
            "write it as ${NAME} and set the variable."
        )
    if kind in IN_FILES and authority:
        problems.append(
            f"{where}: a file has no host. Write {scheme}:///shop.db for a file in the root "
            f"folder, {scheme}:////data/shop.db for a path from the top."
        )
    chosen = _options(options, kind, where, problems)
    if problems:
        raise SourceError(together(problems, of=at))
    return Address(
        kind, unquote(user) or None, unquote(password) or None, host or None, port or None,
        unquote(database), chosen.get("table"), chosen.get("query"),
        float(chosen.get("timeout", _TIMEOUT)), chosen.get("sslmode"), chosen.get("sslrootcert"),
    )  # fmt: skip


def plain_password(scheme: str, *, at: str) -> str:
    """The sentence for a URL that holds a password, which would be saved wherever the URL is."""
    return (
        f"{at}: `{scheme}://…` holds a password in plain text, and a declaration is saved with the "
        "model. Write ${SHOP_DB_PASSWORD} in its place and set that environment variable."
    )


def holds_password(text: str) -> bool:
    """Whether a source is a URL with a password in plain text.

    >>> holds_password("mysql://me:secret@host/shop"), holds_password("mysql://me:${S}@host/shop")
    (True, False)
    """
    if scheme_of(text) is None:
        return False
    # Up to the last @, as a password with / or ? in it would end the authority early. What follows
    # `table=` or `query=` may hold an @ of its own.
    login = re.split(r"[?&](?:table|query)=", text.partition("://")[2])[0].rpartition("@")[0]
    password = login.partition(":")[2]
    return bool(password) and not _only_variables(password)


def _only_variables(text: str) -> bool:
    return not _VARIABLE.sub("", text)


def _split_port(place: str) -> tuple[str, str, str]:
    """A host and its port; ``[::1]:5432`` is an IPv6 address with one."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host, rest[:1], rest[1:]
    return place.partition(":")


def _options(text: str, kind: str, where: str, problems: list[str]) -> dict[str, str]:
    allowed = ["table", "query", "timeout"]
    allowed += [] if kind in IN_FILES else ["sslmode", "sslrootcert"]
    before, starts, query = ("&" + text).partition("&query=")
    chosen: dict[str, str] = {}
    for pair in before.removeprefix("&").split("&") if before != "&" and before else []:
        name, _, value = pair.partition("=")
        if name not in allowed:
            problems.append(unknown_name("parameter", name, allowed, at=where))
        elif name in chosen:
            problems.append(f"{where}: `{name}` is given twice. Give it once.")
        elif not value:
            problems.append(f"{where}: `{name}` says nothing. Write {name}=… or leave it out.")
        else:
            chosen[name] = unquote(value)
    if starts:
        chosen["query"] = query if re.search(r"\s", query) else unquote_plus(query)
        problems += _query_problems(chosen, where)
    if "table" in chosen and starts:
        problems.append(f"{where} names a table and a query. Give one of them.")
    if chosen.get("sslmode", "prefer") not in SSL_MODES:
        problems.append(unknown_name("sslmode", chosen["sslmode"], SSL_MODES, at=where))
    seconds = chosen.get("timeout", "1")
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) or float(seconds) <= 0:
        problems.append(f"{where}: `timeout` should be seconds above 0. Found `{seconds}`.")
    return chosen


_READS = ("select", "with", "values", "table", "from", "(")


def _query_problems(chosen: dict[str, str], where: str) -> list[str]:
    """Whether a query reads, as far as its first word tells; the server knows the rest."""
    query = chosen["query"].strip().rstrip(";").strip()
    chosen["query"] = query
    if not query or "\0" in query:
        return [f"{where}: `query` says nothing. Write query=select …, as the last parameter."]
    bare = re.sub(r"^(\s*(--[^\n]*(\n|$)|/\*.*?\*/))*\s*", "", query, flags=re.DOTALL)
    first = re.match(r"\(|\w*", bare)
    word = first[0] if first else ""
    if word.lower() in _READS:
        return []
    return [
        f"{where}: `query` should be one statement that reads, starting with SELECT or WITH. "
        f"It starts with `{(word or bare[:10]).upper()}`. Nothing was run."
    ]
