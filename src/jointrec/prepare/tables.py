"""From declared sources to clean tables with codes in place of keys.

Rows in = rows used + rows quarantined, for every table. Nothing is mended in silence: whatever is
set aside, made null or merely odd is a finding with a count and examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jointrec import sources
from jointrec.errors import DataError
from jointrec.labels import Later, microseconds
from jointrec.plan import timed
from jointrec.project import Project
from jointrec.schema import Entity, Event
from jointrec.sources import Cell, Finding
from jointrec.splits import Cuts

EARLIEST, LATEST = 315_532_800_000_000, 4_102_444_800_000_000
"""1980 and 2100 in µs UTC: a time outside is a mistake of the data, not a moment."""
ABSURD = 1_000
"""A number is absurd where it is more than this many times the 99 % quantile of its column."""


@dataclass(frozen=True)
class Tables:
    """The clean tables of a project.

    :param entities: For each entity its rows; the row with code ``c`` is row ``c − 1``. The key is
        the column ``@key``.
    :param events: For each event its rows. ``@user`` holds the code of the row's user, 0 where it
        is unknown; ``@time`` the time in µs UTC.
    :param findings: What was found odd, in the order of the tables.
    :param quarantine: For each table with rows set aside, those rows, with a column ``@reason``.
    :param rows_in: For each table, how many rows were read.
    :param first: The first moment on any timeline (µs), None where nothing has a time.
    :param until: The first µs after the last moment on any timeline.
    :param cuts: Where the split cuts time.
    """

    entities: Mapping[str, pl.DataFrame]
    events: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]
    quarantine: Mapping[str, pl.DataFrame]
    rows_in: Mapping[str, int]
    first: int | None
    until: int | None
    cuts: Cuts


def load(project: Project, root: Path | None = None) -> Tables:
    """Reads and cleans every table of a project.

    :param root: The folder that relative sources are found in. Default: the current one.
    :raises SourceError: where a table cannot be read, is not the one declared, or is empty.
    :raises DataError: where nothing is left to learn from.
    """
    cleaning = _Cleaning()
    entities = {
        name: _clean_entity(name, entity, project, root, cleaning)
        for name, entity in project.entity.items()
    }
    keys = {name: frame.select("@key", "@code") for name, frame in entities.items()}
    events = {
        name: _clean_event(name, event, project, root, keys, cleaning)
        for name, event in project.event.items()
    }
    times = [frame["@time"] for name, frame in events.items() if timed(project, name)]
    known = [column for column in times if len(column)]
    first = min((int(column.min()) for column in known), default=None)  # type: ignore[arg-type]
    until = max((int(column.max()) + 1 for column in known), default=None)  # type: ignore[arg-type]
    cuts = project.split.cuts(first, until - 1) if first is not None and until else Cuts(None, None)
    for name, frame in [*entities.items(), *events.items()]:
        table = project.entity.get(name) or project.event[name]
        clean = _without_absurd(name, frame, _amounts(project, name, table), cuts, cleaning)
        (entities if name in entities else events)[name] = clean
    _check_counts(entities | events, cleaning)
    return Tables(
        {name: frame.drop("@code") for name, frame in entities.items()},
        events,
        tuple(cleaning.findings),
        cleaning.quarantine,
        cleaning.rows_in,
        first,
        until,
        cuts,
    )


def wanted_columns(project: Project, name: str) -> dict[str, Cell]:
    """The columns that a project reads of one of its tables, and how each is read."""
    table = project.entity.get(name) or project.event[name]
    columns: dict[str, Cell] = {}
    for column, feature in table.features.items():
        columns[column] = Cell[feature.cell.upper()]
    for task in project.tasks.values():
        if isinstance(task.label, str):
            if task.label.partition(".")[0] == name:
                columns[task.label.partition(".")[2]] = Cell[task.cell.upper()]
        elif task.label.verb == "sum" and task.label.event == name and task.label.column:
            columns[task.label.column] = Cell.NUMBER
    if isinstance(table, Entity):
        return columns | ({table.key: Cell.ID} if table.key else {})
    columns |= dict.fromkeys(table.where, Cell.TEXT)
    columns |= {column: Cell.ID for column in (table.key, table.list) if column}
    columns |= {key_column(project, name, entity): Cell.ID for entity in table.entities}
    return columns | ({table.time: Cell.TIME} if table.time else {})


def key_column(project: Project, event: str, entity: str) -> str:
    """The column of an event that holds the key of an entity."""
    return project.event[event].keys.get(entity) or project.entity[entity].key or ""


class _Cleaning:
    """What cleaning has found so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.quarantine: dict[str, pl.DataFrame] = {}
        self.rows_in: dict[str, int] = {}

    def find(
        self, code: str, at: str, bad: pl.Series | pl.DataFrame, action: str, text: str,
        column: str | None = None,
    ) -> None:  # fmt: skip
        """Notes a finding about rows or values, if there are any."""
        if len(bad) == 0:
            return
        series = bad if isinstance(bad, pl.Series) else bad.to_struct()
        examples = tuple(str(value) for value in series.head(3).to_list())
        self.findings.append(
            Finding(
                code=code, at=at, column=column, count=len(bad), examples=examples,
                action=action, text=text,
            )
        )  # fmt: skip

    def set_aside(self, at: str, frame: pl.DataFrame, bad: pl.Series, code: str, text: str) -> pl.DataFrame:
        """Moves the bad rows of a frame to the quarantine and gives the others."""
        rows = frame.filter(bad)
        if len(rows) == 0:
            return frame
        shown = rows.select(pl.exclude("^@.*$")) if len(rows.columns) > 1 else rows
        self.find(code, at, shown, "quarantined", text)
        aside = rows.with_columns(pl.lit(code).alias("@reason"))
        before = [self.quarantine[at]] if at in self.quarantine else []
        self.quarantine[at] = pl.concat([*before, aside], how="diagonal_relaxed")
        return frame.filter(~bad)


def _read(
    name: str, at: str, project: Project, root: Path | None, cleaning: _Cleaning
) -> pl.DataFrame:
    table = project.entity.get(name) or project.event[name]
    read = sources.read(table.source, root=root, columns=wanted_columns(project, name), at=at)
    cleaning.findings += read.findings
    frame = pl.DataFrame(read.table)
    if isinstance(table, Event):
        for column, values in table.where.items():
            allowed = [values] if isinstance(values, str) else list(values)
            frame = frame.filter(pl.col(column).is_in(allowed))
    cleaning.rows_in[name] = len(frame)
    if len(frame) == 0:
        why = f" where {dict(table.where)}" if isinstance(table, Event) and table.where else ""
        raise DataError(f"{at}.source: `{table.source}` has no rows{why}. Nothing can be learned from it.")
    return frame


def _clean_entity(
    name: str, entity: Entity, project: Project, root: Path | None, cleaning: _Cleaning
) -> pl.DataFrame:
    at = f"entity.{name}"
    frame = _read(name, at, project, root, cleaning)
    if entity.key is None:
        frame = frame.with_row_index("@key").with_columns(pl.col("@key").cast(pl.String))
    else:
        frame = frame.with_columns(pl.col(entity.key).alias("@key"))
        frame = cleaning.set_aside(
            name, frame, frame["@key"].is_null(), "no_key", f"{at}: rows without a `{entity.key}`."
        )
        frame = cleaning.set_aside(
            name, frame, ~frame["@key"].is_first_distinct(), "duplicate_key",
            f"{at}: `{entity.key}` names several rows. The first of each is kept.",
        )  # fmt: skip
    return frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("@code"))


def _clean_event(
    name: str, event: Event, project: Project, root: Path | None,
    keys: Mapping[str, pl.DataFrame], cleaning: _Cleaning,
) -> pl.DataFrame:  # fmt: skip
    at = f"event.{name}"
    frame = _read(name, at, project, root, cleaning)
    columns = {entity: key_column(project, name, entity) for entity in event.entities}
    nobody = frame.select(pl.all_horizontal(pl.col(*columns.values()).is_null())).to_series()
    frame = cleaning.set_aside(name, frame, nobody, "no_key", f"{at}: rows that name no entity.")
    if event.key is not None:
        frame = cleaning.set_aside(
            name, frame, frame[event.key].is_not_null() & ~frame[event.key].is_first_distinct(),
            "duplicate_key", f"{at}: `{event.key}` names several rows. The first of each is kept.",
        )  # fmt: skip
    if event.time is not None:
        frame = frame.with_columns(pl.col(event.time).cast(pl.Int64).alias("@time"))
        frame = cleaning.set_aside(
            name, frame, frame["@time"].is_null(), "no_time", f"{at}: rows without a `{event.time}`."
        )
        strange = ~frame["@time"].is_between(EARLIEST, LATEST)
        frame = cleaning.set_aside(
            name, frame, strange, "strange_time", f"{at}: `{event.time}` before 1980 or after 2100."
        )
    for entity, column in columns.items():
        codes = keys[entity].rename({"@code": f"@{entity}"})
        frame = frame.join(
            codes, left_on=column, right_on="@key", how="left", maintain_order="left"
        ).with_columns(pl.col(f"@{entity}").fill_null(0))
        lost = frame.filter(pl.col(f"@{entity}") == 0)[column]
        cleaning.find(
            "orphan", name, lost.drop_nulls(), "kept",
            f"{at}: rows whose `{column}` is not a key of `{entity}`. They count as an unknown one.",
            column,
        )  # fmt: skip
        cleaning.find(
            "missing_key", name, lost.filter(lost.is_null()), "kept",
            f"{at}: rows without a `{column}`. They count as an unknown {entity}.", column,
        )  # fmt: skip
    if event.time is not None:
        read = frame.select(pl.exclude("^@.*$"))
        repeated = read.select(pl.struct(pl.all()).is_first_distinct().not_()).to_series()
        cleaning.find(
            "repeated_row", name, read.filter(repeated), "kept",
            f"{at}: rows equal to an earlier one in every column that is read.",
        )  # fmt: skip
    return frame


def _amounts(project: Project, name: str, table: Entity | Event) -> list[str]:
    """The columns of a table that hold numbers of any size."""
    return [c for c, cell in wanted_columns(project, name).items() if cell is Cell.NUMBER]


def _without_absurd(
    name: str, frame: pl.DataFrame, columns: list[str], cuts: Cuts, cleaning: _Cleaning
) -> pl.DataFrame:
    """Makes null what no shop can mean: a quantity of two thousand million.

    The limit is learned from rows before the validation cut, so no later row moves it.
    """
    seen = frame
    if "@time" in frame.columns and cuts.valid is not None:
        seen = frame.filter(pl.col("@time") < cuts.valid)
    for column in columns:
        usual = seen[column].abs().quantile(0.99, "lower")
        if usual is None or usual == 0:
            continue
        absurd = (frame[column].abs() > ABSURD * usual).fill_null(False)
        cleaning.find(
            "absurd_number", name, frame[column].filter(absurd), "made null",
            f"`{name}.{column}`: more than {ABSURD:,} times the 99 % quantile ({usual:g}).", column,
        )  # fmt: skip
        values = pl.when(absurd).then(None).otherwise(pl.col(column)).alias(column)
        frame = frame.with_columns(values)
    return frame


def _check_counts(frames: Mapping[str, pl.DataFrame], cleaning: _Cleaning) -> None:
    for name, frame in frames.items():
        aside = len(cleaning.quarantine[name]) if name in cleaning.quarantine else 0
        if cleaning.rows_in[name] != len(frame) + aside:
            raise DataError(
                f"{name}: {cleaning.rows_in[name]} rows were read, but {len(frame)} are used and "
                f"{aside} set aside. Please report this: no row may be lost."
            )


def longest_window(project: Project) -> int:
    """The longest time (µs) that any label of the project looks forward."""
    lengths = [
        microseconds(task.label.within)
        for task in project.tasks.values()
        if isinstance(task.label, Later) and task.label.within
    ]
    return max(lengths, default=0)
