"""Reads rows: what is known of each entity at each moment. The same code offline and online."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64

from jointrec.clocks import shown_at
from jointrec.features.words import words_of
from jointrec.labels import DAY
from jointrec.plan import Grain, Plan, texts_beside, timed
from jointrec.project import Project

from .cleaning.rows import LATEST
from .counters import Counters
from .encoding import encode_context, joined_fields, told
from .history import PastOf
from .labels import Rows
from .matching import MOST_WORDS, Side, match, names_of
from .preparation import Preparation, Scale
from .prepared import Asked, Fields, Moments, Things
from .tables import Tables
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
    matches: Mapping[tuple[str, str], Float32[np.ndarray, "rows _"]] = field(default_factory=dict)


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
        return self.scaled(raw_rows(self, grain, rows, context), context)

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
            matches={
                pair: _compared(scales[group_name(pair)], numbers, workspace)
                for pair, numbers in raw.matches.items()
            },
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


def _compared(
    scale: Scale, numbers: Float32[np.ndarray, "rows k"], workspace: Workspace
) -> Float32[np.ndarray, "rows k"]:
    """Numbers of two texts, standardised; where one is missing 0, the mean, and −1 as the last."""
    missing = numbers[:, -1] == 0
    scaled = _standardised(scale, numbers, workspace)
    scaled[missing] = 0.0
    scaled[missing, -1] = -1.0
    return scaled


def _context(
    reader: Reader, grain: Grain, context: pl.DataFrame, rows: Rows, workspace: Workspace
) -> Fields:
    """What the events of some rows say at the moment itself."""
    if not workspace.on_disk:
        return encode_context(reader.project, reader.preparation, grain, context, rows)
    parts = (
        encode_context(reader.project, reader.preparation, grain, context[piece], rows.some(piece))
        for piece in workspace.pieces(len(rows.source))
    )
    return joined_fields(parts, len(rows.source), workspace)


def _clock(rows: Rows, zone: str, workspace: Workspace) -> Float32[np.ndarray, "rows _"]:
    """The clock of some rows in a time zone; no columns where they have no moments."""
    if rows.times is None:
        return np.zeros((len(rows.source), 0), np.float32)
    told = workspace.empty((len(rows.source), len(CLOCK)), np.float32)
    for piece in workspace.pieces(len(told)):
        told[piece] = clock(shown_at(rows.times[piece], zone))
    return told


def raw_rows(
    reader: Reader,
    grain: Grain,
    rows: Rows,
    context: pl.DataFrame,
    workspace: Workspace = IN_MEMORY,
) -> Raw:
    """Finds the distinct moments of each entity, counts what happened before, compares texts.

    :param context: What the events themselves say, as :meth:`Reader.read` takes it.
    :param workspace: Where what is found lives.
    """
    at: dict[str, Int64[np.ndarray, "rows"]] = {}
    moments: dict[str, Moments] = {}
    for entity in grain.sees:
        codes, times, where = _distinct(rows.codes[entity], rows.times, workspace)
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
    raw = Raw(grain, rows, at, moments, pairs)
    matches = {
        pair: _matched(reader, raw, pair, context, workspace)
        for pair in texts_beside(reader.project, grain)
        if set(pair) <= set(reader.preparation.texts)
    }
    return replace(raw, matches=matches)


def _matched(
    reader: Reader, raw: Raw, pair: tuple[str, str], context: pl.DataFrame, workspace: Workspace
) -> Float32[np.ndarray, "rows _"]:
    """How well two texts of each row match."""
    count = len(raw.rows.source)
    found = workspace.empty((count, len(names_of(*pair))), np.float32)
    for piece in workspace.pieces(count):
        sides = [_texts(reader, raw, name, context, piece) for name in pair]
        (one, rows), (other, other_rows) = sides
        found[piece] = match(one, rows, other, other_rows)
    return found


def _texts(
    reader: Reader, raw: Raw, name: str, context: pl.DataFrame, piece: slice
) -> tuple[Side, Int64[np.ndarray, "rows"]]:
    """The texts of a column, and which of them each row of a piece is about."""
    table, _, column = name.partition(".")
    rarity = reader.preparation.texts[name]
    if table in reader.project.entity:
        words = reader.things[table].words[column]
        return Side(words, rarity), raw.moments[table].things[raw.at[table][piece]]
    some = raw.rows.some(piece)
    feature = reader.project.event[table].features[column]
    values = told(context, column, feature, len(raw.rows.source))[piece]
    return Side(words_of(values, MOST_WORDS), rarity), np.arange(len(some.source))


def _distinct(
    codes: Int64[np.ndarray, "rows"],
    times: Int64[np.ndarray, "rows"] | None,
    workspace: Workspace,
) -> tuple[
    Int64[np.ndarray, "moments"], Int64[np.ndarray, "moments"] | None, Int64[np.ndarray, "rows"]
]:
    """The distinct codes-at-a-time, and for each row which it is."""
    if times is None and workspace.on_disk:
        return _marked(codes, workspace)
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


def _marked(
    codes: Int64[np.ndarray, "rows"], workspace: Workspace
) -> tuple[Int64[np.ndarray, "distinct"], None, Int64[np.ndarray, "rows"]]:
    """The distinct codes, and for each row which it is: marked, as very many would be sorted."""
    there = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.bool_)
    there[codes] = True
    distinct = workspace.empty((int(np.count_nonzero(there)),), np.int64)
    at = workspace.empty(codes.shape, np.int64)
    with workspace.scratch() as room:
        place, end = room.empty(there.shape, np.int64), 0
        for piece in room.pieces(len(there)):
            found = np.flatnonzero(there[piece]) + piece.start
            place[found] = np.arange(end, end + len(found))
            distinct[end : end + len(found)] = found
            end += len(found)
        for piece in room.pieces(len(codes)):
            at[piece] = place[codes[piece]]
    return distinct, None, at


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
        undated = np.broadcast_to(np.int64(_undated(reader)), codes.shape)
        rows = things.at(codes, undated)
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


def has_history(project: Project, entity: str) -> bool:
    """Whether an entity acts in any event that has a time."""
    return any(
        timed(project, name) and event.entities[0] == entity
        for name, event in project.event.items()
    )


__all__ = ["CLOCK", "Raw", "Reader", "Scale", "clock", "raw_rows"]
