"""What a person asks, as rows: by keys, by a table of rows, or about everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from warnings import warn

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec import sources
from jointrec.errors import DataError, DataWarning, nearest, unknown_name
from jointrec.plan import Grain
from jointrec.prepare import Reader
from jointrec.sources import Cell

from .asking import Key, Known, PlainKey, Questions, ask, plain_key, read_values
from .moments import Moment, moment_of

AS_MEANT = ("null_mark", "null_word", "id_respelled")
"""Findings about cells that are read as whoever wrote them meant."""


def by_keys(
    reader: Reader,
    grain: Grain,
    keys: Mapping[str, Key | Sequence[Key] | Known],
    at: Moment | None,
    context: Mapping[str, Any],
) -> Questions:
    """One row for each key; a single key holds for all rows. Without any key: everybody.

    :param context: For features of the event one value, or one for each row.
    :raises DataError: for an entity that the grain does not lead to, or lists of unequal length.
    """
    for entity in keys:
        if entity not in grain.entities:
            raise DataError(unknown_name("entity", entity, grain.entities, at=grain.name))
    asked = keys or _everybody(reader, grain)
    given = {name: _listed(name, key) for name, key in asked.items()}
    lists = {name: each for name, each in given.items() if isinstance(each, list | Known)}
    count = max((len(each) for each in lists.values()), default=1)
    for entity, each in lists.items():
        if len(each) != count:
            raise DataError(
                f"{entity}: {len(each)} keys were given, and {count} of another entity. "
                "Give one key, which holds for all, or as many as the others."
            )
    frame = _context(reader, grain, context, count)
    return ask(reader, grain, given, _times(reader, grain, count, at), frame)


def by_table(reader: Reader, grain: Grain, rows: Any, at: Moment | None) -> Questions:
    """One row for each row of a file or a table.

    A column for each entity, called as in the event, as the entity's key or as the entity; any
    features of the event; and the time of the event, or ``moment``, if rows have their own.

    A :class:`.DataWarning` tells of cells that could not be read, which are unknown, and of a
    column that is called nearly like a feature that is not there.

    :raises SourceError: where the table cannot be read.
    :raises DataError: where the column of an entity is missing; where a row fits no column, or has
        no time that can be read.
    """
    named, cells, time = _columns(reader, grain, rows, at)
    read = sources.read(rows, columns=cells, at="rows", zone=reader.project.time_zone)
    return _of_rows(reader, grain, read, named, time, at)


def by_table_in_parts(
    reader: Reader, grain: Grain, rows: Any, at: Moment | None
) -> Iterator[Questions]:
    """As :func:`by_table`, part by part: memory need not hold more than one."""
    named, cells, time = _columns(reader, grain, rows, at)
    for read in sources.batches(rows, columns=cells, at="rows", zone=reader.project.time_zone):
        yield _of_rows(reader, grain, read, named, time, at)


def _columns(
    reader: Reader, grain: Grain, rows: Any, at: Moment | None
) -> tuple[dict[str, str], dict[str, Cell], str | None]:
    """The column of each entity, how each column is read, and the one that says when, if any."""
    project = reader.project
    event = project.event[grain.table] if grain.asking == "row" else None
    found = sources.columns(rows, at="rows")
    cells: dict[str, Cell] = {}
    named: dict[str, str] = {}
    for entity in grain.entities:
        own = event.keys.get(entity) if event else None
        options = [name for name in (own, project.entity[entity].key, entity) if name]
        named[entity] = _one_of(options, found, entity)
        cells[named[entity]] = Cell.ID
    time = (event.time if event else "moment") if _has_moments(reader, grain) else None
    features = {name: f for name, f in event.features.items() if name in found} if event else {}
    cells |= {name: Cell(feature.cell) for name, feature in features.items()}
    missing = set(event.features) - set(features) if event else set()
    for column in found:
        meant = "" if column in cells or column == time else nearest(column, missing)
        if meant:
            warn(DataWarning(f"rows: `{column}` is not read.{meant}"), stacklevel=2)
    if time is None or at is not None or time not in found:
        return named, cells, None
    return named, cells | {time: Cell.TIME}, time


def _one_of(options: Sequence[str], found: Collection[str], entity: str) -> str:
    """The first of the names that the column of an entity may have which the table has."""
    for name in options:
        if name in found:
            return name
    names = " or ".join(f"`{name}`" for name in dict.fromkeys(options))
    at = f"rows: the keys of `{entity}` may stand in {names}"
    raise DataError(unknown_name("column", entity, found, at=at))


def _of_rows(
    reader: Reader,
    grain: Grain,
    read: sources.Read,
    named: Mapping[str, str],
    time: str | None,
    at: Moment | None,
) -> Questions:
    for finding in read.findings:
        if finding.action == "set aside":
            raise DataError(f"{finding} Each row is to be answered: mend these, or take them out.")
        if time is not None and finding.column == time and finding.action == "made null":
            raise DataError(f"{finding} A row without a moment cannot be asked.")
        if finding.code not in AS_MEANT:
            warn(DataWarning(str(finding)), stacklevel=2)
    frame = pl.DataFrame(read.table)
    keys = {entity: frame[name].fill_null("") for entity, name in named.items()}
    times = _times(reader, grain, len(frame), at)
    if times is not None and time is not None:
        times = frame[time].fill_null(pl.Series(times)).to_numpy()
    return ask(reader, grain, keys, times, frame)


def _listed(entity: str, key: Key | Sequence[Key] | Known) -> PlainKey | list[PlainKey] | Known:
    """Several keys as a list; a single one, and rows of a table, as they are."""
    if isinstance(key, Known):
        return key
    if isinstance(key, str | Mapping) or not isinstance(key, Sequence | pl.Series | np.ndarray):
        return plain_key(entity, key)
    return [plain_key(entity, one) for one in key]


def _everybody(reader: Reader, grain: Grain) -> dict[str, Known]:
    if len(grain.entities) != 1:
        raise DataError(
            f"{grain.name}: rows of several entities ({', '.join(grain.entities)}) cannot all "
            "be listed. Give keys, or a table of rows."
        )
    return {grain.entities[0]: everything(reader, grain.entities[0])}


def everything(reader: Reader, entity: str) -> Known:
    """Every row of the table of an entity, in its order."""
    names = reader.tables.entities[entity]["@key"]
    return Known(np.arange(1, len(names) + 1), names)


def _has_moments(reader: Reader, grain: Grain) -> bool:
    event = reader.project.event.get(grain.table)
    return grain.asking != "once" and (event is None or event.time is not None)


def _times(
    reader: Reader, grain: Grain, count: int, at: Moment | None
) -> Int64[np.ndarray, "rows"] | None:
    """The same moment for all rows: the one asked for, or just after the data end."""
    if not _has_moments(reader, grain):
        return None
    moment = (reader.tables.until or 0) if at is None else moment_of(at, reader.project.time_zone)
    return np.full(count, moment, dtype=np.int64)


def _context(reader: Reader, grain: Grain, given: Mapping[str, Any], count: int) -> pl.DataFrame:
    """One row of context for each row asked; what is not given is unknown."""
    features = reader.project.event[grain.table].features if grain.asking == "row" else {}
    each: dict[str, list[Any]] = {}
    for name, value in given.items():
        if name not in features:
            raise DataError(unknown_name("feature", name, features, at=f"context of {grain.name}"))
        one = isinstance(value, str) or not isinstance(value, Sequence | pl.Series | np.ndarray)
        each[name] = [value] if one or features[name].cell == "list" else list(value)
        if len(each[name]) != count and not one:
            raise DataError(
                f"context of {grain.name}: `{name}` has {len(each[name])} values for {count} rows. "
                "Give one, which holds for all, or one for each row."
            )
    told = {name: values for name, values in each.items() if len(values) == count}
    for_all = {name: values for name, values in each.items() if name not in told}
    zone, at = reader.project.time_zone, f"context of {grain.name}"
    known = {name: feature for name, feature in features.items() if name in for_all}
    rest = {name: feature for name, feature in features.items() if name not in for_all}
    frame = read_values(told, rest, count, zone, at=at)
    if not for_all:
        return frame
    once = read_values(for_all, known, 1, zone, at=at).drop("@row")
    return frame.hstack(once[np.zeros(count, dtype=np.int64)])
