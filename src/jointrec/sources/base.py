"""What a source is, and how the cells of a column may be read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError, together, unknown_name

from .finding import Finding


class Cell(Enum):
    """How the values of a column are read. The declaration says so; it is never inferred."""

    ID = "id"
    """Text, trimmed and in Unicode form NFC: ``007`` is not ``7``, a 20-digit id stays exact."""
    TEXT = "text"
    """Text as it stands."""
    NUMBER = "number"
    """A finite float64."""
    TIME = "time"
    """int64, µs since 1970 in UTC."""
    FLAG = "flag"
    """Yes or no, as float64 1 or 0."""
    LIST = "list"
    """Any number of texts, trimmed and in form NFC, none of them empty."""


ASIDE = pa.schema(
    {"@file": pa.string(), "@row": pa.int64(), "@text": pa.large_string(), "@reason": pa.string()}
)
"""What is kept of a row that could not be put into columns. The first row after the header is
row 1, and the rows of several files are counted on."""


@dataclass(frozen=True)
class Read:
    """A table that was read, and what was found odd while reading.

    :param table: The columns that were asked for, in that order, rows in the order of the source.
    :param findings: What was set aside or made null.
    :param aside: The rows that could not be put into columns: where each stands, its text and why.
        Rows in = rows of ``table`` + rows of ``aside``.
    """

    table: pa.Table
    findings: tuple[Finding, ...] = ()
    aside: pa.Table = field(default_factory=ASIDE.empty_table)


class Source(ABC):
    """A place that a table comes from.

    To add a kind: one file, and its name in ``jointrec.sources.__all__``.

    :param source: What the project names: a path, a glob, or a table in memory.
    :param root: The folder that relative paths start from.
    :param at: Where the source is declared, for messages.
    """

    def __init__(self, source: Any, root: Path, at: str) -> None:
        self.source, self.root, self.at = source, root, at

    @classmethod
    @abstractmethod
    def reads(cls, source: object) -> bool:
        """Whether this kind reads such a source, judged without looking at any file."""

    @abstractmethod
    def columns(self) -> dict[str, pa.DataType]:
        """The columns and the types that they are stored in, without reading the rows."""

    @abstractmethod
    def table(self, wanted: Sequence[str] | None) -> Read:
        """The wanted columns as they are stored; None for all. No other column is read.

        :raises SourceError: naming every wanted column that is missing.
        """

    def batches(self, wanted: Sequence[str] | None) -> Iterator[Read]:
        """The same, part by part, each of the same columns and types. Default: one part.

        A kind that can hold fewer rows at once than all of them says how here.
        """
        yield self.table(wanted)

    @property
    def called(self) -> str:
        """What messages call it. Never a password."""
        return f"`{self.source}`" if isinstance(self.source, str | Path) else "the table in memory"

    def content(self) -> str | None:
        """A hash of all that is stored, without reading the rows; None where only they can tell.

        Equal hashes mean equal tables.
        """
        return None


def check_wanted(wanted: Sequence[str] | None, columns: Iterable[str], *, at: str) -> list[str]:
    """The names of the columns to read; an error that names every one that is not there.

    >>> check_wanted(["b"], ["a", "b"], at="entity.user: `users.csv`")
    ['b']
    """
    columns = list(columns)
    if wanted is None:
        return columns
    missing = [name for name in dict.fromkeys(wanted) if name not in columns]
    if missing:
        problems = [unknown_name("column", name, columns, at=at) for name in missing]
        raise SourceError(together(problems, of=at))
    return list(dict.fromkeys(wanted))


def check_distinct(names: Sequence[str], *, at: str) -> None:
    """Refuses a table in which one name stands for two columns."""
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise SourceError(
            f"{at}: several columns have the same name: {', '.join(f'`{n}`' for n in twice)}. "
            "Nobody can tell which is meant: give each a name of its own."
        )


def kind_of(column_type: pa.DataType) -> str:
    """What kind of values a stored type holds, in words. Widths and units make no difference.

    >>> kind_of(pa.int8()) == kind_of(pa.int64())
    True
    >>> kind_of(pa.float64())
    'decimal numbers'
    """
    types = pa.types
    if types.is_dictionary(column_type):
        return kind_of(column_type.value_type)
    for kind, tests in KINDS.items():
        if any(test(column_type) for test in tests):
            return kind
    return str(column_type)


KINDS: Mapping[str, Sequence[Any]] = {
    "nothing": [pa.types.is_null],
    "text": [pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view],
    "whole numbers": [pa.types.is_integer],
    "decimal numbers": [pa.types.is_floating],
    "yes or no": [pa.types.is_boolean],
    "lists": [pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list],
    "exact decimals": [pa.types.is_decimal],
    "dates": [pa.types.is_date],
    "bytes": [
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
    ],
    "times with a zone": [lambda t: pa.types.is_timestamp(t) and t.tz is not None],
    "times without a zone": [lambda t: pa.types.is_timestamp(t)],
}
