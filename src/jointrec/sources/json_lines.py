"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError

from .base import Read, check_wanted
from .casting import TEXT
from .files import FileSource
from .text_file import check_start, check_text

_SAMPLE = 1_000
_PART = 65_536
_EXACT = 2**53


class JsonLines(FileSource):
    """JSON lines in UTF-8: each line is an object, its keys are columns.

    A key that a line lacks is null there. Values are text, numbers, true or false, or lists of
    them; objects inside objects are refused. Whole numbers stay exact at any length. A column of
    mixed values becomes text. A blank line is no row.
    """

    endings = (".jsonl", ".ndjson", ".json")

    def _first_columns(self, file: Path) -> dict[str, pa.DataType]:
        check_start(file, where=self.where(file))
        objects = list(islice(self._objects(file), _SAMPLE))
        names = dict.fromkeys(name for _, row in objects for name in row)
        return {name: self._column(file, name, objects).type for name in names}

    def columns(self) -> dict[str, pa.DataType]:
        """The keys of the first 1,000 lines of each file, and the types of their values."""
        found: dict[str, pa.DataType] = {}
        for file in self.files:
            for name, column_type in self._first_columns(file).items():
                found.setdefault(name, column_type)
        return found

    def table(self, wanted: Sequence[str] | None) -> Read:
        """The wanted keys of all lines of all files.

        :raises SourceError: naming the line that is broken or nested.
        """
        parts: list[dict[str, pa.Array]] = []
        seen: dict[Path, dict[str, None]] = {file: {} for file in self.files}
        for file in self.files:
            check_text(file, where=self.where(file))
            objects = self._objects(file)
            while part := list(islice(objects, _PART)):
                seen[file] |= dict.fromkeys(name for _, row in part for name in row)
                chosen = seen[file] if wanted is None else dict.fromkeys(wanted)
                parts.append({name: self._column(file, name, part) for name in chosen})
                parts[-1][""] = pa.nulls(len(part))
        if not parts:
            raise SourceError(f"{self.where(self.files[0])} has no rows. Look at what exported it.")
        where = self.where(self.files[0])
        anywhere = dict.fromkeys(name for names in seen.values() for name in names)
        names = check_wanted(wanted, anywhere, at=where)
        if problems := self.check_present(seen, names):
            raise self.disagree(problems)
        columns = [
            _joined([part.get(name, part[""]) for part in parts], name, where) for name in names
        ]
        return Read(pa.table(columns, names))

    def _objects(self, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        with file.open(encoding="utf-8-sig", newline="\n") as opened:
            for number, line in enumerate(opened, 1):
                if line.strip():
                    yield number, self._object(file, number, line)

    def _object(self, file: Path, number: int, line: str) -> dict[str, Any]:
        try:
            row = _DECODER.decode(line)
        except RecursionError:
            where = f"{self.where(file)}, line {number}"
            raise SourceError(f"{where}: is nested too deeply. {_PLAIN}") from None
        except ValueError as error:
            where = f"{self.where(file)}, line {number}"
            reason = str(error).split(":")[0].lower()
            whole = " Is it one object over many lines? Write each on a line of its own."
            raise SourceError(
                f"{where}: is not a JSON object: {reason}.{whole if number == 1 else ''}"
            ) from None
        if not isinstance(row, dict):
            where = f"{self.where(file)}, line {number}"
            what = "a list" if isinstance(row, list) else "a single value"
            raise SourceError(
                f"{where}: is {what}, not an object. Each line must be an object of its own: "
                '{"user_id": "u1", "price": 2.5}.'
            )
        return row

    def _column(
        self, file: Path, name: str, part: Sequence[tuple[int, dict[str, Any]]]
    ) -> pa.Array:
        values = [row.get(name) for _, row in part]
        kinds = set(map(type, values))
        for (number, _), value in zip(part, values, strict=True) if kinds & {dict, list} else ():
            if isinstance(value, dict) or (
                isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
            ):
                raise SourceError(
                    f"{self.where(file)}, line {number}: `{name}` is nested. {_PLAIN}"
                )
        try:
            return _array(values, kinds - {type(None)})
        except UnicodeEncodeError:
            raise SourceError(
                f"{self.where(file)}: `{name}` holds half a character (a lone surrogate), which is "
                "no text. Mend what exported it."
            ) from None
        except _Mixed:
            raise SourceError(
                f"{self.where(file)}: `{name}` holds lists in some lines and single values in "
                "others. Write lists in all of them."
            ) from None


_PLAIN = "Values are text, numbers, true or false, or lists of them: write one key for each value."


class _Mixed(Exception):
    """Lists and single values in one column."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key occurs twice")
    return row


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct)


def _array(values: list[Any], kinds: set[type]) -> pa.Array:
    """Values of JSON in the narrowest type that holds all of them exactly, else as text."""
    if list in kinds:
        if len(kinds) > 1:
            raise _Mixed
        rows = [None if v is None else [_text(item) for item in v] for v in values]
        return pa.array(rows, pa.large_list(TEXT))
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {str}:
        return pa.array(values, TEXT)
    if kinds == {int}:
        with suppress(OverflowError):
            return pa.array(values, pa.int64())
    if kinds == {float} or (
        kinds == {int, float} and all(type(v) is not int or abs(v) <= _EXACT for v in values)
    ):
        return pa.array(values, pa.float64(), from_pandas=False)
    return pa.array([_text(value) for value in values], TEXT) if kinds else pa.nulls(len(values))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _joined(parts: list[pa.Array], name: str, where: str) -> pa.ChunkedArray:
    """Parts of one column, of which each has its own type, in one that holds all exactly."""
    types = {part.type for part in parts} - {pa.null()}
    lists = {column_type for column_type in types if pa.types.is_large_list(column_type)}
    if lists and len(types) > 1:
        raise SourceError(
            f"{where}: `{name}` holds lists in some lines and single values in others. "
            "Write lists in all of them."
        )
    common = types.pop() if len(types) == 1 else TEXT if types else pa.null()
    if {*types} == {pa.int64(), pa.float64()}:
        common = pa.float64()
    try:
        return pa.chunked_array([part.cast(common) for part in parts], common)
    except pa.ArrowInvalid:  # a whole number too long for float64: keep its digits
        return pa.chunked_array([part.cast(TEXT) for part in parts], TEXT)
