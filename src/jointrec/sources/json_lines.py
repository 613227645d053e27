"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from jointrec.errors import SourceError

from .base import Read, check_wanted
from .casting import TEXT
from .files import FileSource
from .plain_file import reading, unchanged
from .text_file import UTF8_MARK, check_start, check_text

_SAMPLE = 1_000
_PART = 65_536
_LONGEST_LINE = 1 << 24
"""A line of more bytes than this is refused."""
_PART_BYTES = 1 << 26
"""A part ends here at the latest: as Python objects it takes many times as much."""
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
        part = next(self._parts(file, _SAMPLE), [])
        return {name: self._column(file, name, part).type for name in self._names(file, part)}

    def columns(self) -> dict[str, pa.DataType]:
        """The keys of the first 1,000 lines of each file, and the types of their values."""
        found: dict[str, pa.DataType] = {}
        for file in self.files:
            for name, column_type in self._first_columns(file).items():
                found.setdefault(name, column_type)
        return found

    def table(self, wanted: Sequence[str] | None) -> Read:
        """The wanted keys of all lines of all files.

        :raises SourceError: naming the line that is broken or nested; where a file changes while it
            is read.
        """
        with unchanged(self.files, where=self.where):
            return self._table(wanted)

    def _table(self, wanted: Sequence[str] | None) -> Read:
        parts: list[tuple[int, dict[str, pa.Array]]] = []
        seen: dict[Path, dict[str, None]] = {file: {} for file in self.files}
        for file in self.files:
            check_text(file, where=self.where(file))
            for part in self._parts(file, _PART):
                seen[file] |= self._names(file, part)
                chosen = seen[file] if wanted is None else dict.fromkeys(wanted)
                columns = {name: self._column(file, name, part) for name in chosen}
                parts.append((len(part), columns))
        if not parts:
            raise SourceError(f"{self.where(self.files[0])} has no rows. Look at what exported it.")
        where = self.where(self.files[0])
        anywhere = dict.fromkeys(name for names in seen.values() for name in names)
        names = check_wanted(wanted, anywhere, at=where)
        if not names:
            raise SourceError(
                f"{where}: not one of its objects has a key. Look at what exported it."
            )
        if problems := self.check_present(seen, names):
            raise self.disagree(problems)
        joined = [
            _joined(
                [part[name] if name in part else pa.nulls(rows) for rows, part in parts],
                name,
                where,
            )
            for name in names
        ]
        return Read(pa.table(joined, names))

    def _names(self, file: Path, part: Sequence[tuple[int, dict[str, Any]]]) -> dict[str, None]:
        """The keys of a part, in the order in which they first occur."""
        names = dict.fromkeys(name for _, row in part for name in row)
        for name in names:
            if not _is_text(name):
                raise SourceError(
                    f"{self.where(file)}: the key {name!a} holds half a character (a lone "
                    "surrogate), which is no text. Mend what exported it."
                )
        return names

    def _parts(self, file: Path, most: int) -> Iterator[list[tuple[int, dict[str, Any]]]]:
        """The objects of a file with the numbers of their lines, a bounded number at a time."""
        part: list[tuple[int, dict[str, Any]]] = []
        size = 0
        for number, line in self._lines(file):
            part.append((number, self._object(file, number, line)))
            size += len(line)
            if len(part) == most or size >= _PART_BYTES:
                yield part
                part, size = [], 0
        if part:
            yield part

    def _lines(self, file: Path) -> Iterator[tuple[int, bytes]]:
        with reading(file, where=self.where(file)) as data:
            data.seek(len(UTF8_MARK) if data.read(len(UTF8_MARK)) == UTF8_MARK else 0)
            number = 0
            while line := data.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise SourceError(
                        f"{self.where(file)}, line {number}: is longer than {_LONGEST_LINE:,} "
                        "bytes, which is the most that is read. Leave such values out of the "
                        f"export.{_ONE_OBJECT if number == 1 else ''}"
                    )
                if not line.isspace():
                    yield number, line

    def _object(self, file: Path, number: int, line: bytes) -> dict[str, Any]:
        try:
            row = _DECODER.decode(line.decode("utf-8"))
        except RecursionError:
            where = f"{self.where(file)}, line {number}"
            raise SourceError(f"{where}: is nested too deeply. {_PLAIN}") from None
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{self.where(file)}, line {number}: is not UTF-8 (found 0x"
                f"{line[error.start]:02x}). Convert it from the encoding it has, such as: "
                "iconv -f WINDOWS-1252 -t UTF-8."
            ) from None
        except ValueError as error:
            where = f"{self.where(file)}, line {number}"
            reason = str(error).split(":")[0].lower()
            raise SourceError(
                f"{where}: is not a JSON object: {reason}.{_ONE_OBJECT if number == 1 else ''}"
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


_ONE_OBJECT = " Is it one object over many lines? Write each on a line of its own."
_PLAIN = "Values are text, numbers, true or false, or lists of them: write one key for each value."


class _Mixed(Exception):
    """Lists and single values in one column."""


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


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
