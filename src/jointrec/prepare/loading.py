"""From declared sources to clean tables with codes in place of keys.

Rows in = rows used + rows set aside, for every table. Nothing is mended in silence: whatever is
set aside, made null or merely odd is a finding with a count and examples.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from jointrec import sources
from jointrec.errors import DataError, JointRecError, SourceError, nearest, together
from jointrec.plan import columns_of
from jointrec.project import Project
from jointrec.schema import Entity, Event, same_source
from jointrec.sources import Cell, Finding
from jointrec.splits import Cuts

from .cleaning import detectors
from .cleaning.apply import clean_values
from .cleaning.record import NUMBER, Record
from .cleaning.rows import clean_entity, clean_event
from .cleaning.times import put_lone_aside
from .parts import Parts
from .preparation import Preparation
from .tables import Tables
from .versions import by_version
from .workspace import OnDisk, Workspace


def load(
    project: Project,
    root: Path | None = None,
    *,
    learned: Preparation | None = None,
    folder: Path | None = None,
) -> Tables:
    """Reads and cleans every table of a project, part by part.

    Columns of millions of rows live in files that memory maps. They are unlinked at once, and stay
    mapped as long as somebody needs them.

    :param root: The folder that relative sources are found in. Default: the current one.
    :param folder: Where such files are. Default: where the system keeps what is temporary.
    :param learned: What a model learned before, whose cuts and limits then hold for these tables.
        Without it they are the tables' own.
    :raises SourceError: where tables cannot be read, are not those declared, or are empty: all
        problems at once.
    :raises DataError: where no rows are left, or time cannot be cut as declared.
    """
    with tempfile.TemporaryDirectory(prefix="jointrec-", dir=folder) as room:
        return load_into(OnDisk(Path(room)), project, root, learned)


def load_into(
    workspace: Workspace, project: Project, root: Path | None, learned: Preparation | None
) -> Tables:
    """The tables that :func:`load` reads and cleans, with long columns in a workspace."""

    def read_anew() -> tuple[dict[str, pl.DataFrame], Record]:
        record = Record(project.cleaning, _times(project), workspace)
        return _read(project, root, record), record

    frames, record = sources.in_one_snapshot(read_anew)
    rows_in = {name: len(frame) + record.aside(name) for name, frame in frames.items()}
    entities = {
        name: clean_entity(project, name, frames.pop(name), record) for name in project.entity
    }
    used = {name: len(frame) for name, frame in entities.items()}
    versions = {}
    for name in [name for name, entity in project.entity.items() if entity.time is not None]:
        entities[name], versions[name] = by_version(entities[name], project.entity[name].features)
    events = {
        name: clean_event(project, name, frames.pop(name), entities, record)
        for name in project.event
    }
    events = put_lone_aside(events, record)
    _check_counts(rows_in, used | {n: len(frame) for n, frame in events.items()}, record)
    # What is planned is no data yet.
    first, until = _span(
        {name: rows for name, rows in events.items() if project.event[name].ahead is None}
    )
    cuts = Cuts(None, None)
    if learned is not None:
        cuts = Cuts(*learned.cuts)
    elif first is not None and until is not None:
        cuts = project.split.cuts(first, until - 1, project.time_zone)
    tables = Tables(entities, events, (), {}, rows_in, first, until, cuts, versions=versions)
    limits = None if learned is None else learned.limits
    tables = clean_values(project, tables, limits, record, detectors())
    _check_counts(rows_in, used | {n: len(frame) for n, frame in tables.events.items()}, record)
    return replace(
        tables,
        entities={name: _own(frame) for name, frame in tables.entities.items()},
        events={name: _own(frame) for name, frame in tables.events.items()},
        findings=tuple(record.findings),
        quarantine=record.quarantine,
    )


def _own(frame: pl.DataFrame) -> pl.DataFrame:
    """A clean table without the numbers that its rows have in the source."""
    return frame.drop(NUMBER, strict=False)


def _times(project: Project) -> dict[str, list[str]]:
    """For each table, as the project names it, the columns that are read as times."""
    return {
        _at(project, name): [
            column for column, cell in wanted_columns(project, name).items() if cell is Cell.TIME
        ]
        for name in [*project.entity, *project.event]
    }


def wanted_columns(project: Project, table: str) -> dict[str, Cell]:
    """The columns that a project reads of one of its tables, and how each is read."""
    return {name: Cell(cell) for name, cell in columns_of(project, table).items() if cell}


def _read(project: Project, root: Path | None, record: Record) -> dict[str, pl.DataFrame]:
    """Every table of the project, each source read once, all problems told at once."""
    frames: dict[str, pl.DataFrame] = {}
    problems: list[JointRecError] = []
    for source, names in _shared(project):
        at = ", ".join(_at(project, name) for name in names)
        columns: dict[str, Cell] = {}
        for name in names:
            columns |= wanted_columns(project, name)
        try:
            found = _parts(project, source, names, root, columns, at, record)
        except sources.ConnectionLost:
            raise  # all tables are read anew, so that they are of one moment
        except JointRecError as error:
            problems.append(error)
            continue
        for name, parts in found.items():
            frames[name] = parts.table()
            if parts.num_rows == 0:
                asked = {column: columns[column] for column in _asked(project, name)}
                held = pl.DataFrame(sources.read(source, root=root, columns=asked, at=at).table)
                problems.append(DataError(_no_rows(project, name, held)))
    if problems:
        data = all(isinstance(problem, DataError) for problem in problems)
        told = together([str(problem) for problem in problems], of="The tables")
        raise DataError(told) if data else SourceError(told)
    return frames


def _parts(
    project: Project,
    source: Any,
    names: Sequence[str],
    root: Path | None,
    columns: Mapping[str, Cell],
    at: str,
    record: Record,
) -> dict[str, Parts]:
    """The tables that are made of one source, which is read once."""
    tables = {name: Parts(record.workspace) for name in names}
    findings: list[Finding] = []
    before = 0
    for read in sources.batches(source, root=root, columns=columns, at=at, zone=project.time_zone):
        findings += read.findings
        # Rows that fit no column cannot be told to be of one event or another: the first has them.
        record.keep_aside(names[0], pl.DataFrame(read.aside))
        part = _numbered(pl.DataFrame(read.table), read.aside, before)
        before += read.table.num_rows + read.aside.num_rows
        for name, table in tables.items():
            some = _where(project, name, part)
            table.add(some.select(*wanted_columns(project, name), NUMBER))
        del read, part, some  # else they would stay while the next part is read
    record.findings += sources.merged(findings)
    return tables


def _numbered(frame: pl.DataFrame, aside: pa.Table, before: int) -> pl.DataFrame:
    """Rows with the number that each has in its source, from 1, those set aside included.

    :param before: How many rows of the source came before.
    """
    if aside.num_rows == 0:
        return frame.with_row_index(NUMBER, offset=before + 1)
    lost = np.asarray(aside.column("@row")) - 1 - before
    numbers = np.delete(np.arange(len(frame) + len(lost), dtype=np.uint32), lost) + (before + 1)
    return frame.with_columns(pl.Series(NUMBER, numbers, pl.UInt32))


def _shared(project: Project) -> list[tuple[Any, list[str]]]:
    """The sources, and the tables that are made of each. Several events often share one file."""
    shared: list[tuple[Any, list[str]]] = []
    tables: dict[str, Entity | Event] = {**project.entity, **project.event}
    for name, table in tables.items():
        for source, names in shared:
            if same_source(source, table.source) and _agree(project, [*names, name]):
                names.append(name)
                break
        else:
            shared.append((table.source, [name]))
    return shared


def _agree(project: Project, names: Sequence[str]) -> bool:
    """Whether tables read each column that they share in the same way."""
    wanted = [wanted_columns(project, name) for name in names]
    last = wanted[-1]
    return all(other.get(column, cell) is cell for other in wanted for column, cell in last.items())


def _at(project: Project, name: str) -> str:
    return f"entity.{name}" if name in project.entity else f"event.{name}"


def _where(project: Project, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that are this event, where several share a table."""
    for column, values in _asked(project, name).items():
        frame = frame.filter(pl.col(column).is_in(_listed(values)))
    return frame


def _asked(project: Project, name: str) -> Mapping[str, str | Sequence[str]]:
    """What the rows of a table must hold to be of it."""
    return {} if name in project.entity else project.event[name].where


def _listed(values: str | Sequence[str]) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


def _no_rows(project: Project, name: str, whole: pl.DataFrame) -> str:
    """That a table has no rows, and what it has instead."""
    told = [f"{_at(project, name)}.where: no row of the table is left, so nothing can be learned."]
    for column, values in _asked(project, name).items():
        known = whole[column].drop_nulls().value_counts(sort=True)[column].to_list()
        wanted = _listed(values)
        near = "".join(nearest(value, known) for value in wanted if value not in known)
        asked = " or ".join(f"`{value}`" for value in wanted)
        holds = f"{', '.join(known[:10])}{', …' if len(known) > 10 else ''}"
        told.append(f"`{column}` should be {asked}.{near} It holds: {holds}.")
    return " ".join(told)


def _span(events: Mapping[str, pl.DataFrame]) -> tuple[int | None, int | None]:
    """The first moment on any timeline, and the first µs after the last."""
    times = [frame["@time"].to_numpy() for frame in events.values() if "@time" in frame.columns]
    if not times:
        return None, None
    return min(int(time.min()) for time in times), max(int(time.max()) for time in times) + 1


def _check_counts(rows_in: Mapping[str, int], used: Mapping[str, int], record: Record) -> None:
    """Proves that no row was lost, and that rows are left.

    :param used: For each table how many rows are used.
    """
    for name, count in used.items():
        aside = record.aside(name)
        if rows_in[name] != count + aside:
            raise DataError(
                f"{name}: {rows_in[name]} rows were read, but {count} are used and {aside} "
                "set aside. Please report this: no row may be lost."
            )
        if count == 0:
            reasons = ", ".join(record.quarantine[name]["@reason"].unique().sort().to_list())
            raise DataError(
                f"{name}: all {aside} rows were set aside ({reasons}), so none are left. "
                "Look at the columns that the project names as keys and times."
            )
