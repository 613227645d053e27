"""What preparation hands over: plain arrays, the same offline and online.

Three things, from the outside in. :class:`Things` holds every row of an entity once, whatever the
moment. :class:`Moments` holds each distinct entity-at-a-moment of a grain once: what was counted
and what happened before. :class:`Asked` holds the rows of a grain, which point at moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32, Float64, Int8, Int64

from jointrec.durable import pieces_of
from jointrec.features import Bags
from jointrec.features.words import Words
from jointrec.plan import Grain
from jointrec.splits import TRAIN

from .versions import Versions

FEW = 100_000
"""A flat table of which no more rows train is small."""


@dataclass(frozen=True)
class Fields:
    """Encoded columns of some rows.

    :param ids: Rows of the fused table, offsets already added; one column per single-valued field.
    :param bags: One per many-valued field, offsets already added.
    :param numbers: What is a number, standardised, finite.
    """

    ids: Int64[np.ndarray, "rows ids"]
    bags: tuple[Bags, ...]
    numbers: Float32[np.ndarray, "rows numbers"]


@dataclass(frozen=True)
class Things:
    """Every row of an entity. Row 0 is the unknown one: a key that no table holds.

    The thing with code ``c`` is row ``c``, unless it changes with time: ask :meth:`at`.

    :param keys: The key of each row, ``None`` for row 0.
    :param fields: What is encoded of each row.
    :param dated: For each feature that depends on the moment, its times (µs).
    :param versions: Which row is valid when; None where none of them changes.
    :param words: The words of each text that is compared with others.
    """

    keys: pl.Series
    fields: Fields
    dated: Mapping[str, Int64[np.ndarray, "rows"]]
    versions: Versions | None = None
    words: Mapping[str, Words] = field(default_factory=dict)

    def at(
        self, codes: Int64[np.ndarray, "rows"], moments: Int64[np.ndarray, "rows"]
    ) -> Int64[np.ndarray, "rows"]:
        """The row of each thing at a moment, given its code."""
        return codes if self.versions is None else self.versions.at(codes, moments)

    def codes_of(self, rows: Int64[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
        """The code of the thing that each row is of."""
        return rows if self.versions is None else self.versions.codes[rows]


@dataclass(frozen=True)
class Past:
    """The events that make up the history of an entity: one flat run per thing, oldest first.

    :param kinds: What kind of event each is; 0 is kept for none.
    :param objects: The entity that each event was about, as the row of its :class:`Things` that was
        valid when the event entered history, for each entity that may be one; 0 where the event
        was not about such a one.
    :param times: When each enters history (µs): its time, or when its label is settled.
    """

    kinds: Int64[np.ndarray, "events"]
    objects: Mapping[str, Int64[np.ndarray, "events"]]
    times: Int64[np.ndarray, "events"]


@dataclass(frozen=True)
class Moments:
    """Distinct rows of an entity, each at a moment.

    :param things: The row of :class:`Things` of each.
    :param times: The moment of each (µs); None where the grain has no moments.
    :param numbers: Counters and ages, standardised. No columns where the grain has no moments.
    :param start, stop: The run of :class:`Past` that is history: all before the moment.
    """

    things: Int64[np.ndarray, "moments"]
    times: Int64[np.ndarray, "moments"] | None
    numbers: Float32[np.ndarray, "moments numbers"]
    start: Int64[np.ndarray, "moments"]
    stop: Int64[np.ndarray, "moments"]

    def some(self, found: Int64[np.ndarray, "some"]) -> Moments:
        """Some of the moments."""
        return Moments(
            self.things.take(found),
            None if self.times is None else self.times.take(found),
            self.numbers.take(found, axis=0),
            self.start.take(found),
            self.stop.take(found),
        )


@dataclass(frozen=True)
class Asked:
    """The rows of a grain.

    :param grain: The grain.
    :param at: For each entity that is seen, the row of its :class:`Moments`.
    :param moments: For each entity that is seen, its distinct moments.
    :param times: When each row is asked (µs); None where the grain has no moments.
    :param context: What the event itself says at the moment, as declared features.
    :param clock: Hour and weekday of the moment as numbers; no columns without moments.
    :param pairs: For each pair of entities, what was counted of their common past.
    :param labels: For each task one number a row, nan where unknown. None when only answers are
        asked.
    :param parts: For each task the part of the split of each row (see `jointrec.splits`).
    :param clusters: Which rows belong together when chance is judged: those of one acting entity.
    :param source: The row of the cleaned table that each came from (entities asked ``every`` so
        often have the row of the entity).
    :param weights: For each task that has any, how much each row counts while training.
    :param matches: For each two text columns, how well their texts match.
    :param lists: Which rows were shown together, where the event has a ``list`` and a task of the
        grain asks for it: the same number, below 0 for a row that is in none.
    """

    grain: Grain
    at: Mapping[str, Int64[np.ndarray, "rows"]]
    moments: Mapping[str, Moments]
    times: Int64[np.ndarray, "rows"] | None
    context: Fields
    clock: Float32[np.ndarray, "rows clock"]
    pairs: Mapping[tuple[str, str], Float32[np.ndarray, "rows _"]]
    labels: Mapping[str, Float64[np.ndarray, "rows"]]
    parts: Mapping[str, Int8[np.ndarray, "rows"]]
    clusters: Int64[np.ndarray, "rows"]
    source: Int64[np.ndarray, "rows"]
    weights: Mapping[str, Float64[np.ndarray, "rows"]] = field(default_factory=dict)
    matches: Mapping[tuple[str, str], Float32[np.ndarray, "rows _"]] = field(default_factory=dict)
    lists: Int64[np.ndarray, "rows"] | None = None

    def __len__(self) -> int:
        return len(self.clusters)

    def known_in(self, part: int) -> Bool[np.ndarray, "rows"]:
        """Whether a label of each row is known in a part of the split."""
        found = np.zeros(len(self), dtype=bool)
        for piece in pieces_of(len(self)):
            for task in self.labels or {}:
                known = ~np.isnan(self.labels[task][piece])
                found[piece] |= (self.parts[task][piece] == part) & known
        return found


@dataclass(frozen=True)
class FieldsLayout:
    """How many fields of each form there are, and what they are called, in order."""

    ids: tuple[str, ...] = ()
    bags: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """The shape of what is prepared: all that a network must know to be built. It is JSON.

    :param table_rows: Rows of the fused embedding table.
    :param things: For each entity, its fields.
    :param moments: For each entity, the names of its numbers at a moment (timed grains).
    :param pairs: For each pair of entities, the names of what is counted (timed grains).
    :param edges: For each of these entities and pairs (``user × item``), and of the text columns
        in ``matches``, for each of its numbers
        the values between which its training rows fall in equal shares (see
        `jointrec.prepare.edges`).
    :param context: For each event, the fields of its context.
    :param clock: The names of the numbers of the clock.
    :param kinds: For each entity with a history, the kinds of event in it; the first is none.
    :param objects: For each entity with a history, the entities that its events may be about.
    :param sizes: For each task, how many outputs it has.
    :param constants: For each task, the outputs of its best constant answer.
    :param scales: For each task, the training loss of its best constant answer.
    :param matches: For each two text columns that are compared, the names of the numbers.
    :param starts: For some tasks, each output as a linear answer: its value where all numbers of
        the entity asked are 0, and what each number adds (see `jointrec.prepare.starts`).
    :param more: For those of them that lengthen another, what is to be added to that one.
    :param nothing: For each entity that is asked every so often and is known by more than its past,
        its numbers without one; None for those that are of no past (see
        `jointrec.batches.newcomers`).
    """

    table_rows: int
    things: Mapping[str, FieldsLayout]
    moments: Mapping[str, tuple[str, ...]]
    pairs: Mapping[tuple[str, str], tuple[str, ...]]
    edges: Mapping[str, tuple[tuple[float, ...], ...]]
    context: Mapping[str, FieldsLayout]
    clock: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]
    objects: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    constants: Mapping[str, tuple[float, ...]]
    scales: Mapping[str, float]
    matches: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    starts: Mapping[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    more: Mapping[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    nothing: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """Everything that training, evaluation and serving read.

    :param layout: Its shape.
    :param things: For each entity, all its rows.
    :param past: For each entity with a history, its events.
    :param popularity: For each task that ranks a catalogue, how often each candidate was the
        answer in the days before each day (see `jointrec.prepare.popularity`).
    :param asked: For each grain, by name, its rows.
    """

    layout: Layout
    things: Mapping[str, Things]
    past: Mapping[str, Past]
    popularity: Mapping[str, Popularity]
    asked: Mapping[str, Asked]

    @property
    def small(self) -> bool:
        """Whether this is a small flat table (see :func:`small`)."""
        return small(self.asked)


def small(asked: Mapping[str, Asked]) -> bool:
    """Whether the rows are those of a small flat table: none is asked at a moment, and at most
    :data:`FEW` of them train, of all grains together.

    Such rows have no past to be counted, and are soon learned by heart: their numbers are read
    piece by piece, weights fade faster, and passes are more (see `jointrec.budget`).
    """
    if any(rows.times is not None for rows in asked.values()):
        return False
    return sum(int(rows.known_in(TRAIN).sum()) for rows in asked.values()) <= FEW


@dataclass(frozen=True)
class Popularity:
    """How often each candidate was chosen in the windows before a day began.

    A day's row counts only events before the day's first µs, so every moment of the day may use it.

    :param first_day: The day (days since 1970 UTC) of the first row.
    :param counts: log(1 + count) of each candidate, by day and window.
    """

    first_day: int
    counts: Float32[np.ndarray, "days candidates windows"]
