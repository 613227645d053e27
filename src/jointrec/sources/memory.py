"""Tables that are in memory already: Arrow, polars, pandas."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from jointrec.errors import SourceError

from .base import Read, Source, check_distinct, check_wanted
from .summing import add_table


class Memory(Source):
    """A table in memory: ``pyarrow.Table``, ``polars.DataFrame`` or ``pandas.DataFrame``.

    The index of a pandas table is not a column. Its ``nan`` is null, as pandas means it.
    """

    @classmethod
    def reads(cls, source: object) -> bool:
        """Whether this is a table of one of the three."""
        return isinstance(source, pa.Table | pl.DataFrame) or _is_pandas(source)

    def columns(self) -> dict[str, pa.DataType]:
        """The columns and the types that Arrow has for them."""
        return {field.name: field.type for field in self._arrow(self._names()).schema}

    def table(self, wanted: Sequence[str] | None) -> Read:
        """The wanted columns. Those of Arrow and most of polars are not copied."""
        names = check_wanted(wanted, self._names(), at=self._where)
        return Read(self._arrow(names))

    def content(self) -> str | None:
        """The hash of all columns."""
        total = hashlib.sha256()
        add_table(total, self._arrow(self._names()))
        return total.hexdigest()

    @property
    def _where(self) -> str:
        return f"{self.at}: the table in memory"

    def _names(self) -> list[str]:
        names = list(self.source.column_names if self._is_arrow else self.source.columns)
        for name in names:
            if not isinstance(name, str):
                raise SourceError(
                    f"{self._where} has a column named {name!r}, which is not text. "
                    "Rename it: the names of columns are text."
                )
        check_distinct(names, at=self._where)
        return names

    @property
    def _is_arrow(self) -> bool:
        return isinstance(self.source, pa.Table)

    def _arrow(self, names: list[str]) -> pa.Table:
        if self._is_arrow:
            return self.source.select(names)
        try:
            if isinstance(self.source, pl.DataFrame):
                return self.source.select(names).to_arrow()
            return pa.Table.from_pandas(self.source[names], preserve_index=False)
        except (pa.ArrowException, pl.exceptions.PolarsError, OverflowError, UnicodeError) as error:
            reason = str(error.args[0] if error.args else error)
            raise SourceError(
                f"{self._where} has a column of values that do not go together: {reason}. "
                "Give each column one type, such as with `.astype(str)`."
            ) from None


def _is_pandas(source: Any) -> bool:
    """Told by name, so that pandas need not be installed, nor imported to say no."""
    kind = type(source)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"
