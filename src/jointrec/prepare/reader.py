"""Reads rows: what is known of each entity at each moment. The same code offline and online."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64

from jointrec.clocks import shown_at
from jointrec.features import Bags, Dated, Feature, Ids, Numbers
from jointrec.features.base import CellName
from jointrec.labels import DAY
from jointrec.plan import Grain, Plan, timed
from jointrec.project import Project

from .cleaning.rows import LATEST
from .counters import Counters
from .history import PastOf
from .labels import Rows
from .preparation import Preparation, Scale
from .prepared import Asked, Fields, Moments, Things
from .tables import Tables
from .versions import Versions
from .workspace import IN_MEMORY, Workspace

CLOCK = ("hour sin", "hour cos", "weekday sin", "weekday cos")
"""The names of the numbers of :func:`clock`."""


@dataclass(frozen=True)
class Raw:
    """The rows of a grain before their numbers are standardised."""

    grain: Grain
    rows: Rows
    at: Mapping[str, Int64[np.ndarray, "rows"]]
    moments: Mapping[str, Moments]
    pairs: Mapping[tuple[str, str], Float32[np.ndarray, "rows _"]]


@dataclass(frozen=True)
class Reader:
    """All that is needed to read a row: the tables, indexed by time.

    :param things: For each entity, all its rows, encoded.
    :param pasts: For each entity with a history, its events.
    """

    project: Project
    plan: Plan
    tables: Tables
    preparation: Preparation
    things: Mapping[str, Things]
    counters: Counters
    pasts: Mapping[str, PastOf]

    def read(self, grain: Grain, rows: Rows, context: pl.DataFrame) -> Asked:
        """Rows of a grain, ready for the network, without labels.

        :param context: One row for each row asked, with the columns of the event that are declared
            as features; columns that are missing are read as unknown.
        """
        return self.scaled(raw_rows(self, grain, rows), context)

    def scaled(self, raw: Raw, context: pl.DataFrame, workspace: Workspace = IN_MEMORY) -> Asked:
        """Standardises raw rows and encodes their context."""
        grain, rows, scales = raw.grain, raw.rows, self.preparation.scales
        moments = dict(raw.moments)
        if rows.times is not None:
            for entity, moment in moments.items():
                numbers = _standardised(scales[entity], moment.numbers, workspace)
                moments[entity] = replace(moment, numbers=numbers)
        return Asked(
            grain=grain,
            at=raw.at,
            moments=moments,
            times=rows.times,
            context=_context(self, grain, context, rows, workspace),
            clock=_clock(rows, self.project.time_zone, workspace),
            pairs={
                pair: _standardised(scales[group_name(pair)], numbers, workspace)
                for pair, numbers in raw.pairs.items()
            },
            labels={},
            parts={},
            clusters=rows.codes[grain.entities[0]],
            source=rows.source,
        )


def group_name(entities: tuple[str, ...]) -> str:
    """What a group of numbers is called: ``user`` for one entity, ``user × item`` for two."""
    return " × ".join(entities)


def _standardised(
    scale: Scale, numbers: Float32[np.ndarray, "rows k"], workspace: Workspace
) -> Float32[np.ndarray, "rows k"]:
    """Numbers in units of their deviation, in the place of the raw ones where they live on disk."""
    if not workspace.on_disk:
        return scale.apply(numbers)
    for piece in workspace.pieces(len(numbers)):
        numbers[piece] = scale.apply(numbers[piece])
    return numbers


def _context(
    reader: Reader, grain: Grain, context: pl.DataFrame, rows: Rows, workspace: Workspace
) -> Fields:
    """What the events of some rows say at the moment itself."""
    if not workspace.on_disk:
        return encode_context(reader.project, reader.preparation, grain, context, rows)
    parts = [
        encode_context(reader.project, reader.preparation, grain, context[piece], rows.some(piece))
        for piece in workspace.pieces(len(rows.source))
    ]
    return joined_fields(parts, workspace)


def _clock(rows: Rows, zone: str, workspace: Workspace) -> Float32[np.ndarray, "rows _"]:
    """The clock of some rows in a time zone; no columns where they have no moments."""
    if rows.times is None:
        return np.zeros((len(rows.source), 0), np.float32)
    told = workspace.empty((len(rows.source), len(CLOCK)), np.float32)
    for piece in workspace.pieces(len(told)):
        told[piece] = clock(shown_at(rows.times[piece], zone))
    return told


def raw_rows(reader: Reader, grain: Grain, rows: Rows, workspace: Workspace = IN_MEMORY) -> Raw:
    """Finds the distinct moments of each entity and counts what happened before each.

    :param workspace: Where what is found lives.
    """
    at: dict[str, Int64[np.ndarray, "rows"]] = {}
    moments: dict[str, Moments] = {}
    for entity in grain.sees:
        codes, times, where = _distinct(rows.codes[entity], rows.times)
        at[entity] = workspace.keep(where)
        codes = workspace.keep(codes)
        times = None if times is None else workspace.keep(times)
        del where
        moments[entity] = _moments(reader, entity, codes, times, workspace)
    pairs = {}
    if rows.times is not None:
        for first, second in grain.pairs:
            pairs[first, second] = reader.counters.of_pair(
                (first, second),
                _in_tables(reader, first, rows.codes[first]),
                _in_tables(reader, second, rows.codes[second]),
                rows.times,
                workspace,
            )
    return Raw(grain, rows, at, moments, pairs)


def _distinct(
    codes: Int64[np.ndarray, "rows"], times: Int64[np.ndarray, "rows"] | None
) -> tuple[
    Int64[np.ndarray, "moments"], Int64[np.ndarray, "moments"] | None, Int64[np.ndarray, "rows"]
]:
    """The distinct codes-at-a-time, and for each row which it is."""
    if times is None:
        distinct, at = np.unique(codes, return_inverse=True)
        return distinct, None, at
    order = np.lexsort((times, codes))
    codes, times = codes[order], times[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
    codes, times = codes[new], times[new]
    at = np.empty(len(order), dtype=np.int64)
    at[order] = np.cumsum(new) - 1
    return codes, times, at


def _moments(
    reader: Reader,
    entity: str,
    codes: Int64[np.ndarray, "moments"],
    times: Int64[np.ndarray, "moments"] | None,
    workspace: Workspace,
) -> Moments:
    nothing = np.zeros(len(codes), dtype=np.int64)
    things = reader.things[entity]
    if times is None:
        rows = things.at(codes, np.full(len(codes), _undated(reader)))
        return Moments(rows, None, np.zeros((len(codes), 0), np.float32), nothing, nothing)
    seen = _in_tables(reader, entity, codes)
    states, features = reader.preparation.features, reader.project.entity[entity].features
    aged = sum(features[name].num_numbers(states[f"{entity}.{name}"]) for name in things.dated)
    numbers = reader.counters.of(entity, seen, times, workspace, spare=aged)
    rows = codes if things.versions is None else workspace.empty(codes.shape, np.int64)
    start = stop = nothing
    if entity in reader.pasts:
        start, stop = (workspace.empty(codes.shape, np.int64) for _ in range(2))
    for piece in workspace.pieces(len(codes)):
        if things.versions is not None:
            rows[piece] = things.at(codes[piece], times[piece])
        some = rows[piece], times[piece]
        ages = ages_of(reader.project, reader.preparation, entity, things, *some)
        if aged:
            numbers[piece, -aged:] = np.concatenate(ages, axis=1)
        if entity in reader.pasts:
            start[piece], stop[piece] = reader.pasts[entity].before(
                seen[piece], times[piece], reader.project.history.last
            )
    return Moments(rows, times, numbers, start, stop)


def _undated(reader: Reader) -> int:
    """As of when versions are read by rows without a moment: what training may know."""
    cut = reader.preparation.cuts[0]
    return LATEST if cut is None else cut


def _in_tables(
    reader: Reader, entity: str, codes: Int64[np.ndarray, "rows"]
) -> Int64[np.ndarray, "rows"]:
    """The codes, with 0 for things that are in no table and so have no past."""
    if int(codes.max(initial=0)) <= len(reader.tables.entities[entity]):
        return codes
    return np.where(codes <= len(reader.tables.entities[entity]), codes, 0)


def ages_of(
    project: Project,
    preparation: Preparation,
    entity: str,
    things: Things,
    rows: Int64[np.ndarray, "moments"],
    times: Int64[np.ndarray, "moments"],
) -> list[Float32[np.ndarray, "moments _"]]:
    """What depends on the moment among the features of an entity: ages."""
    return [
        project.entity[entity].features[column].at(
            since[rows], times, preparation.features[f"{entity}.{column}"]
        )
        for column, since in things.dated.items()
    ]  # fmt: skip


def clock(times: Int64[np.ndarray, "rows"]) -> Float32[np.ndarray, "rows 4"]:
    """Hour of the day and day of the week as points on two circles.

    :param times: What the clocks show, as :func:`jointrec.clocks.shown_at` gives it.

    >>> clock(np.array([0])).round(2)  # midnight of a Thursday
    array([[ 0.  ,  1.  ,  0.43, -0.9 ]], dtype=float32)
    """
    hour = (times % DAY) * (2 * np.pi / DAY)
    weekday = ((times // DAY + 3) % 7) * (2 * np.pi / 7)
    columns = (np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday))
    return np.stack(columns, axis=1).astype(np.float32)


def encode_things(
    project: Project, preparation: Preparation, tables: Tables, entity: str
) -> Things:
    """Every row of an entity, encoded; row 0 is the unknown one, in which everything is missing."""
    frame, versions = tables.entities[entity], Versions.of(tables, entity)
    if versions is not None:
        said = tables.versions[entity]
        own = said.with_columns(frame["@key"].gather(said["@code"] - 1)).drop("@code", "@time")
        frame = pl.concat([frame, own], how="diagonal")
    missing = pl.DataFrame({name: [None] for name in frame.columns}, schema=frame.schema)
    things = encode_rows(project, preparation, entity, pl.concat([missing, frame]))
    return things if versions is None else replace(things, versions=versions)


def encode_rows(
    project: Project, preparation: Preparation, entity: str, frame: pl.DataFrame
) -> Things:
    """Rows of an entity, encoded, whether they are in its table or not."""
    parts: dict[str, Ids | Bags | Numbers] = {}
    dated: dict[str, Int64[np.ndarray, "rows"]] = {}
    if project.entity[entity].id_floor > 0:
        rows = preparation.id_rows(entity, frame["@key"])
        parts["@id"] = Ids(rows + preparation.offsets[f"{entity}.@id"])
    for column, feature in project.entity[entity].features.items():
        encoded = encode_column(preparation, f"{entity}.{column}", feature, frame[column])
        if isinstance(encoded, Dated):
            dated[column] = encoded.values
        else:
            parts[column] = encoded
    return Things(frame["@key"], gather_fields(parts, len(frame)), dated)


def encode_context(
    project: Project,
    preparation: Preparation,
    grain: Grain,
    context: pl.DataFrame,
    rows: Rows,
) -> Fields:
    """What an event says at the moment itself. Empty where the grain may not see it."""
    parts: dict[str, Ids | Bags | Numbers] = {}
    num_rows = len(rows.source)
    if grain.asking == "row":
        for column, feature in project.event[grain.table].features.items():
            name = f"{grain.table}.{column}"
            values = (
                context[column]
                if column in context.columns
                else pl.Series(column, [None] * num_rows, dtype=POLARS[feature.cell])
            )
            encoded = encode_column(preparation, name, feature, values)
            if isinstance(encoded, Dated):
                moments = encoded.values if rows.times is None else rows.times
                encoded = Numbers(feature.at(encoded.values, moments, preparation.features[name]))
            parts[column] = encoded
    return gather_fields(parts, num_rows)


POLARS: Mapping[CellName, pl.DataType] = {
    "id": pl.String(), "text": pl.String(), "number": pl.Float64(), "time": pl.Int64(),
    "flag": pl.Float64(), "list": pl.List(pl.String),
}  # fmt: skip
"""The type of a column that is missing, by how it would have been read."""


def encode_column(
    preparation: Preparation, name: str, feature: Feature, values: pl.Series
) -> Ids | Bags | Numbers | Dated:
    """A column, with its place in the fused table."""
    encoded = feature.encode(values, preparation.features[name])
    offset = preparation.offsets.get(name, 0)
    if isinstance(encoded, Ids):
        return Ids(encoded.values + offset)
    if isinstance(encoded, Bags):
        return Bags(encoded.values + offset, encoded.offsets)
    return encoded


def gather_fields(parts: Mapping[str, Ids | Bags | Numbers], num_rows: int) -> Fields:
    """Puts encoded columns of one form side by side."""
    ids = [part.values for part in parts.values() if isinstance(part, Ids)]
    numbers = [part.values for part in parts.values() if isinstance(part, Numbers)]
    return Fields(
        ids=np.stack(ids, axis=1) if ids else np.zeros((num_rows, 0), np.int64),
        bags=tuple(part for part in parts.values() if isinstance(part, Bags)),
        numbers=np.concatenate(numbers, axis=1) if numbers else np.zeros((num_rows, 0), np.float32),
    )


def joined_fields(parts: Sequence[Fields], workspace: Workspace) -> Fields:
    """Fields of some rows, one below the other; at least one piece."""
    bags = [
        Bags(
            workspace.keep(np.concatenate([bag.values for bag in column])),
            workspace.keep(np.concatenate(_shifted([bag.offsets for bag in column]))),
        )
        for column in zip(*(part.bags for part in parts), strict=True)
    ]
    return Fields(
        workspace.keep(np.concatenate([part.ids for part in parts])),
        tuple(bags),
        workspace.keep(np.concatenate([part.numbers for part in parts])),
    )


def _shifted(parts: Sequence[Int64[np.ndarray, "_"]]) -> list[Int64[np.ndarray, "_"]]:
    """The offsets of pieces, each counted on from the end of the one before."""
    shifted, end = [parts[0]], int(parts[0][-1])
    for part in parts[1:]:
        shifted.append(part[1:] + end)
        end += int(part[-1])
    return shifted


def has_history(project: Project, entity: str) -> bool:
    """Whether an entity acts in any event that has a time."""
    return any(
        timed(project, name) and event.entities[0] == entity
        for name, event in project.event.items()
    )


__all__ = ["CLOCK", "Raw", "Reader", "Scale", "clock", "encode_things", "raw_rows"]
