"""CSV files: every cell is text, nothing is inferred."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from jointrec.errors import SourceError

from .base import ASIDE, Read, check_distinct
from .casting import TEXT
from .files import AgreeingFiles
from .finding import Finding
from .plain_file import reading
from .text_file import UTF8_MARK, check_start, check_text

DELIMITERS = ",;\t|"
_HEADER_LIMIT = 1 << 20
_LONGEST_ROW = 1 << 24
"""A row of more bytes than this is refused."""
_SCAN = 1 << 24


class Csv(AgreeingFiles):
    """CSV files in UTF-8, with a header line.

    - The delimiter is the one of comma, semicolon, tab and bar that splits the header into most
      names; where two do so equally, the file is refused.
    - Cells may be quoted with ``"``, doubled inside; a quoted cell may hold line ends.
    - An empty cell is null, quoted or not. A blank line is no row.
    - The names of columns are trimmed. A column without a name is not read.
    - A row with too many or too few cells is set aside, and counted.
    """

    endings = (".csv", ".tsv")

    def file_columns(self, file: Path) -> dict[str, pa.DataType]:
        """The names in the header; all are text."""
        names, _, _ = self._header(file)
        return {name: TEXT for name in names if name}

    def file_table(self, file: Path, wanted: Sequence[str]) -> Read:
        """The wanted columns, as text."""
        where = self.where(file)
        check_text(file, where=where)
        names, delimiter, is_all = self._header(file)
        if is_all:  # pyarrow takes a header without a line end for half a row
            return Read(pa.table([pa.array([], TEXT)] * len(wanted), list(wanted)))
        check_quotes(file, delimiter, where=where)
        # Columns are read by position, so that no name, however odd, is mistaken for another.
        numbers = {name: number for number, name in enumerate(names)}
        places = [str(numbers[name]) for name in wanted]
        ragged: list[Any] = []

        def set_aside(row: Any) -> str:
            ragged.append(row)
            return "skip"

        try:
            with reading(file, where=where) as data:
                table = pacsv.read_csv(
                    data,
                    read_options=pacsv.ReadOptions(
                        column_names=[str(place) for place in range(len(names))],
                        skip_rows_after_names=1,
                        block_size=_LONGEST_ROW,
                        use_threads=False,  # only so are the numbers of rows known
                    ),
                    parse_options=pacsv.ParseOptions(
                        delimiter=delimiter,
                        newlines_in_values=True,
                        invalid_row_handler=set_aside,
                    ),
                    convert_options=pacsv.ConvertOptions(
                        include_columns=places,
                        column_types={str(place): TEXT for place in range(len(names))},
                        null_values=[""],
                        strings_can_be_null=True,
                        quoted_strings_can_be_null=True,
                    ),
                )
        except pa.ArrowException as error:
            if "straddl" in str(error):
                raise SourceError(_too_long(where)) from None
            raise SourceError(
                f"{where} cannot be read as CSV: {str(error).splitlines()[0]}. Export it again."
            ) from None
        if ragged and not table.num_rows:
            raise SourceError(
                f"{where}: not one row has as many cells as the header ({len(names)}); row "
                f"{ragged[0].number} has {ragged[0].actual_columns}. Look at the delimiter."
            )
        longest = [pc.max(pc.binary_length(column)).as_py() or 0 for column in table.columns]
        if max(longest, default=0) > _LONGEST_ROW:  # pyarrow takes a little more here and there
            raise SourceError(_too_long(where))
        chosen = table.select(places).rename_columns(list(wanted))
        return Read(chosen, self._findings(file, ragged), _aside(file, ragged))

    def header(self, file: Path) -> tuple[list[str], str]:
        """The names of the columns of one file, trimmed, and the delimiter between them."""
        names, delimiter, _ = self._header(file)
        return names, delimiter

    def _findings(self, file: Path, ragged: Sequence[Any]) -> tuple[Finding, ...]:
        if not ragged:
            return ()
        examples = tuple(f"{file.name}, row {row.number}: {row.text[:80]}" for row in ragged[:3])
        return (
            Finding(
                "ragged_row", self.at, None, len(ragged), examples, "set aside",
                "rows with more or fewer cells than the header (which is row 1).",
            ),
        )  # fmt: skip

    def _header(self, file: Path) -> tuple[list[str], str, bool]:
        """The names of the columns, the delimiter, and whether there is nothing else."""
        where = self.where(file)
        check_start(file, where=where)
        with reading(file, where=where) as data:
            head = data.read(_HEADER_LIMIT).removeprefix(UTF8_MARK)
        line = _first_line(head, where)
        split = {delimiter: _cells(line, delimiter, where) for delimiter in DELIMITERS}
        most = max(map(len, split.values()))
        best = [delimiter for delimiter, cells in split.items() if len(cells) == most]
        if most > 1 and len(best) > 1:
            raise SourceError(
                f"{where}: {' and '.join(map(repr, best))} split the header into equally many "
                "names. Write the file with commas."
            )
        names = [name.strip() for name in split[best[0]]]
        check_distinct([name for name in names if name], at=where)
        return names, best[0], not head[len(line.encode()) :].strip()


def _aside(file: Path, ragged: Sequence[Any]) -> pa.Table:
    """The rows that do not fit the header, with the place and the text of each."""
    return pa.table(
        {
            "@file": [file.name] * len(ragged),
            "@row": [row.number - 1 for row in ragged],
            "@text": [row.text for row in ragged],
            "@reason": ["ragged_row"] * len(ragged),
        },
        ASIDE,
    )


def _first_line(head: bytes, where: str) -> str:
    """The first line, line ends in quotes included."""
    end = len(head)
    for at in (head.find(b"\n"), head.find(b"\r")):
        end = min(end, at) if at >= 0 else end
    if head[:end].count(b'"') % 2:
        raise SourceError(
            f"{where}: a name in the header is quoted over two lines. Mend the header."
        )
    if len(head) == _HEADER_LIMIT == end:
        raise SourceError(f"{where}: the header is longer than {_HEADER_LIMIT:,} bytes.")
    try:
        line = head[:end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{where}, line 1, byte {error.start}: is not UTF-8. Convert it from the encoding it "
            "has, such as: iconv -f WINDOWS-1252 -t UTF-8."
        ) from None
    if "\0" in line:
        raise SourceError(f"{where}, line 1: holds a NUL character, so it is not text.")
    if not line.strip():
        raise SourceError(
            f"{where}: the first line is blank. It must hold the names of the columns."
        )
    return line


def _cells(line: str, delimiter: str, where: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter))
    except csv.Error as error:
        raise SourceError(f"{where}: the header cannot be read: {error}.") from None


def check_quotes(file: Path, delimiter: str, *, where: str) -> None:
    """Refuses a quote that is never closed, which would swallow the rows after it.

    In a well-formed file every odd quote opens a cell and every even one closes it, so each stands
    beside a delimiter, a line end or another quote. Only where that is not so, is the file read
    cell by cell, as a quote within an unquoted cell (``27" screen``) is just a letter.
    """
    if _quotes_are_plain(file, delimiter, where):
        return
    with reading(file, where=where) as data, _long_cells():
        text = io.TextIOWrapper(data, encoding="utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = 1
        try:
            for _ in reader:
                line = reader.line_num + 1
        except csv.Error as error:
            if "limit" in str(error):
                raise SourceError(_too_long(f"{where}, line {line}")) from None
            raise SourceError(
                f'{where}, line {line}: the quotes (") of this row are wrong: {error}. '
                "Close the quote, or double each one inside a quoted cell."
            ) from None


@contextmanager
def _long_cells() -> Iterator[None]:
    """Lets the csv module take cells as long as a row may be; its own limit is 128 KiB."""
    before = csv.field_size_limit(_LONGEST_ROW)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _too_long(where: str) -> str:
    return (
        f"{where}: a row is longer than {_LONGEST_ROW:,} bytes, which is the most that is read. "
        "Leave such cells out of the export, or look for a quote that is never closed."
    )


def _quotes_are_plain(file: Path, delimiter: str, where: str) -> bool:
    neighbours = np.frombuffer(f'{delimiter}\r\n"'.encode(), np.uint8)
    before, open_before = b"\n", False
    with reading(file, where=where) as data:
        if data.read(len(UTF8_MARK)) != UTF8_MARK:
            data.seek(0)
        block = data.read(_SCAN)
        while block:
            following = data.read(_SCAN)
            padded = np.frombuffer(before + block + (following[:1] or b"\n"), np.uint8)
            quotes = np.flatnonzero(padded[1:-1] == ord('"'))
            opens = (np.arange(len(quotes)) % 2 == 0) ^ open_before
            beside = np.where(opens, padded[quotes], padded[quotes + 2])
            if not np.isin(beside, neighbours).all():
                return False
            open_before ^= len(quotes) % 2 == 1
            before, block = block[-1:], following
    return not open_before
