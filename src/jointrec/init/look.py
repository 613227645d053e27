"""Looks at tables: what each column holds, and which name the same thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from jointrec.errors import JointRecError, SourceError, together
from jointrec.labels import DAY
from jointrec.sources import (
    Cell,
    Csv,
    files,
    head,
    in_one_snapshot,
    is_database,
    read,
    tables,
)

from .columns import Column, column_of, vague, written
from .names import singular

ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
MOST_ROWS = 300_000
"""How many rows of a table are looked at. Whether a key is unique, and when the first and the last
row were, is asked of all of them."""
TWICE = 0.05
"""Where a larger share of the rows equals an earlier one, it is no mistake."""


@dataclass(frozen=True)
class Seen:
    """A table of a folder or a database.

    :param source: What names it in the project.
    :param name: The name without its ending, in the singular.
    :param sample: The rows that were looked at, as they are stored.
    :param spans: Between which moments (µs UTC) each column of times lies; the columns of which
        that can be told.
    :param unread: The columns that cannot be looked at: they hold records or bytes.
    """

    source: str
    name: str
    rows: int
    columns: tuple[Column, ...]
    sample: pl.DataFrame
    spans: Mapping[str, tuple[int, int]]
    unread: tuple[str, ...] = ()

    def days(self, column: str | None) -> float:
        """How many days lie between the first and the last value of a column of times."""
        first, last = self.spans.get(column or "", (0, 0))
        return (last - first) / DAY

    @property
    def called(self) -> str:
        """What people call it: its file, or its table where it is one of a database."""
        return _table_of(self.source) if is_database(self.source) else self.source

    def column(self, name: str) -> Column:
        """A column by its name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def clocks(self) -> list[str]:
        """The columns of times that do not say their zone."""
        times = [self.sample[column.name] for column in self.columns if column.kind == "time"]
        return [values.name for values in times if vague(values)]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]


def look(place: Path | str) -> tuple[list[Seen], list[str]]:
    """Every table of a folder or a database, and a sentence about each that is left out.

    Files of one kind in a folder below are one table. Of a database, tables without rows and those
    that cannot be read are left out; in a folder such a table is an error.

    :param place: The folder, or the URL of the database.
    :raises SourceError: where there is no such place, or no table in it that can be read.
    """
    if is_database(place):
        return look_at_database(str(place))
    return look_at_folder(Path(place)), []


def look_at_database(url: str) -> tuple[list[Seen], list[str]]:
    """Every table and view of a database, all read in one snapshot."""
    return in_one_snapshot(lambda: _of_database(url))


def _of_database(url: str) -> tuple[list[Seen], list[str]]:
    seen, left = [], []
    for source in tables(url, at="init"):
        try:
            name = singular(_table_of(source).rpartition(".")[2])
            seen.append(_look_at_stored(source, name))
        except JointRecError as error:
            left.append(f"{_table_of(source)}: {str(error).splitlines()[0]}")
    if not seen:
        told = together(left, of="init") if left else "init: the database holds no tables."
        raise SourceError(told)
    return seen, left


def _look_at_stored(source: str, name: str, root: Path | None = None) -> Seen:
    """A table as training will read it: slow where a file is large, but then it is read at all."""
    sample = pl.DataFrame(head(source, MOST_ROWS, root=root, at=source if root else "init").table)
    unread = _unreadable(sample.schema)
    sample = sample.drop(unread)
    all_here = len(sample) < MOST_ROWS

    def whole_of(columns: Sequence[Column]) -> pl.DataFrame:
        if all_here and not any(written(sample[column.name]) for column in columns):
            return _asked_of_all(sample.lazy(), columns).collect()
        return _read_and_asked(source, root, columns)

    return replace(_seen(source, name, sample, whole_of), unread=tuple(unread))


def _table_of(source: str) -> str:
    """The table that the URL of a source names."""
    return unquote(source.rpartition("table=")[2])


def _read_and_asked(source: str, root: Path | None, columns: Sequence[Column]) -> pl.DataFrame:
    """What must be known of all rows, of columns read as what they are."""
    cells = {c.name: Cell.TIME if c.kind == "time" else Cell.ID for c in columns}
    rows = read(source, root=root, columns=cells, at="init").table
    return _asked_of_all(pl.DataFrame(rows).lazy(), columns).collect()


def look_at_folder(folder: Path) -> list[Seen]:
    """Every table of a folder."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such folder. Name one that holds your tables.")
    sources = [path.name for path in sorted(folder.iterdir()) if path.suffix in ENDINGS]
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        endings = {path.suffix for path in below.iterdir() if path.suffix in ENDINGS}
        sources += [f"{below.name}/*{ending}" for ending in sorted(endings)]
    if not sources:
        raise SourceError(
            f"{folder}: holds no tables. JointRec reads {', '.join(ENDINGS)}, and databases by "
            "their URL: jointrec init postgresql://user@host/shop."
        )
    seen, problems = [], []
    for source in sources:
        try:
            seen.append(_look_at_file(folder, source))
        except (OSError, JointRecError) as error:
            told = str(error).splitlines()[0].removeprefix(f"{source}: ")
            problems.append(f"{source}: cannot be read: {told}")
    if problems:
        raise SourceError(together(problems, of=str(folder)))
    return [table for table in seen if table.rows]


def _look_at_file(folder: Path, source: str) -> Seen:
    files(source, root=folder, at=source)  # a pipe would be waited for
    stem = Path(source).parent.name if "*" in source else Path(source).stem
    try:
        return _scanned(folder, source, singular(stem))
    except (pl.exceptions.PolarsError, ValueError):  # ours reads it, or tells what is wrong
        return _look_at_stored(source, singular(stem), folder)


def _scanned(folder: Path, source: str, name: str) -> Seen:
    """A file of which no more is in memory than is looked at."""
    lazy = _lazy(folder, source)
    unread = _unreadable(lazy.collect_schema())
    sample = lazy.drop(unread).head(MOST_ROWS).collect()

    def whole_of(columns: Sequence[Column]) -> pl.DataFrame:
        if any(written(sample[column.name]) for column in columns):
            return _read_and_asked(source, folder, columns)
        return _asked_of_all(lazy, columns).collect()

    return replace(_seen(source, name, sample, whole_of), unread=tuple(unread))


def _lazy(folder: Path, source: str) -> pl.LazyFrame:
    path = folder / source
    if source.endswith(".parquet"):
        return pl.scan_parquet(path)
    if not source.endswith((".csv", ".tsv")):
        return pl.scan_ndjson(path)
    opened = Csv(source, folder, source)
    names, delimiter = opened.header(opened.files[0])
    lazy = pl.scan_csv(path, infer_schema=False, separator=delimiter)
    # Their names as ours: trimmed, and what has none is not read.
    named = zip(names, lazy.collect_schema().names(), strict=True)
    return lazy.select(pl.col(stored).alias(name) for name, stored in named if name)


def _unreadable(schema: pl.Schema) -> list[str]:
    """The columns that cannot be looked at: records, bytes, such as pictures, and lists of them."""
    return [name for name, kind in schema.items() if _innermost(kind) in (pl.Struct, pl.Binary)]


def _innermost(kind: pl.DataType) -> type[pl.DataType]:
    """The type of what lies in the lists of a column, or of its values."""
    while isinstance(kind, pl.List | pl.Array):
        kind = kind.inner  # type: ignore[assignment]
    return kind.base_type()


def _seen(
    source: str,
    name: str,
    sample: pl.DataFrame,
    whole_of: Callable[[Sequence[Column]], pl.DataFrame],
) -> Seen:
    """A table, from a sample of its rows and what :func:`_asked_of_all` says of the others.

    :param whole_of: Answers for the columns that may be keys and those of times.
    :raises SourceError: where there is no column.
    """
    sample = _finite(sample)
    different = _different(sample)
    columns = [column_of(values, different) for values in sample]
    if not columns:
        raise SourceError(
            f"{source}: all columns hold records or bytes, or have no name. Write each value into "
            "a column of its own."
        )
    asked = [column for column in columns if column.unique or column.kind == "time"]
    whole = whole_of(asked)
    rows = int(whole["@rows"][0])
    once = different if rows == len(sample) else rows
    columns = [
        replace(column, unique=column.unique and int(whole[f"@distinct {column.name}"][0]) == once)
        for column in columns
    ]
    spans = {
        column.name: span
        for column in columns
        if column.kind == "time"
        and (span := _span(whole[f"@first {column.name}"], whole[f"@last {column.name}"]))
    }
    return Seen(source, name, rows, tuple(columns), sample, spans)


def _finite(sample: pl.DataFrame) -> pl.DataFrame:
    """The rows with nan and ±inf missing, as training reads them."""
    numbers = [name for name, kind in sample.schema.items() if kind.is_float()]
    return sample.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in numbers
    )


def _different(sample: pl.DataFrame) -> int:
    """How many rows there are but for a few that equal an earlier one, as exports have some."""
    different = sample.unique().height if sample.width else 0
    return different if different >= (1 - TWICE) * len(sample) else len(sample)


def _asked_of_all(rows: pl.LazyFrame, columns: Sequence[Column]) -> pl.LazyFrame:
    """How many rows there are; of what may be keys how many differ; of times the first and last."""
    keys = [column.name for column in columns if column.unique]
    times = [column.name for column in columns if column.kind == "time"]
    return rows.select(
        pl.len().alias("@rows"),
        *[pl.col(name).n_unique().alias(f"@distinct {name}") for name in keys],
        *[pl.col(name).min().alias(f"@first {name}") for name in times],
        *[pl.col(name).max().alias(f"@last {name}") for name in times],
    )


def _span(first: pl.Series, last: pl.Series) -> tuple[int, int] | None:
    """Two times in µs UTC, whatever they are stored as; None where there is none."""
    both = pl.concat([first, last])
    if both.dtype == pl.String:
        numbers = both.cast(pl.Float64, strict=False)
        iso = both.str.to_datetime(strict=False, time_zone="UTC")
        both = iso if numbers.null_count() else numbers
    if both.dtype.is_temporal():
        micro = both.cast(pl.Datetime("us")).cast(pl.Int64)
    else:
        numbers = both.cast(pl.Float64)
        unit = next((u for u in (1, 10**3, 10**6, 10**9) if (numbers[1] or 0) < 4.2e9 * u), 1)
        micro = numbers / unit * 1e6
    low, high = micro.to_list()
    return None if low is None or high is None else (int(low), int(high))


def overlap(few: pl.Series, many: pl.Series) -> float:
    """The share of distinct values of one column that another one holds."""
    distinct = few.cast(pl.String).unique().drop_nulls()
    if len(distinct) == 0:
        return 0.0
    return float(distinct.is_in(many.cast(pl.String).unique().implode()).sum()) / len(distinct)


def quoted(names: Sequence[str]) -> str:
    """Names as a sentence lists them."""
    return ", ".join(f"`{name}`" for name in names)
