"""What was counted before a moment: how often, how lately, with what success.

Counters matter more than the size of a network. Each is a pure function of (codes, moments), the
same offline and online, and sees only what was known strictly before the moment: an event from its
time on, its outcome once it has matured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64

from jointrec.features import Category
from jointrec.labels import microseconds
from jointrec.plan import Plan, timed
from jointrec.project import Project

from .tables import Tables
from .timeline import Span, Timeline
from .versions import Versions

HOUR = 3_600_000_000
LONG_AGO = 10 * 365 * 24
"""Hours since the last event that are told where there was none: ten years."""
PRIOR = 10.0
"""How many rows of average success every rate starts with."""
MAX_VALUES = 10_000
"""A category with more values than this is not counted for each of them."""
BLOCK = 16_384
"""How many questions are answered at a time."""


@dataclass(frozen=True)
class Keys:
    """What is counted together: the events of one entity, or of two, or of one and a value.

    :param entities: The entities whose codes make the key.
    :param values: For each, what stands for a code: its value, 0 where that is missing; None where
        the code stands for itself.
    :param size: One more than the largest code or value of the last entity.
    :param versions: Those of the entity whose value counts, if it changes with time: its values are
        then by row.
    """

    entities: tuple[str, ...]
    values: tuple[Int64[np.ndarray, "_"] | None, ...]
    size: int
    versions: Versions | None = None

    def of(
        self, codes: Iterable[Int64[np.ndarray, "rows"]], times: Int64[np.ndarray, "rows"]
    ) -> Int64[np.ndarray, "rows"]:
        """The key of each row, given the codes of the entities; −1 where any part is unknown.

        :param times: As of when the values are read: strictly before.
        """
        parts = [
            code
            if values is None
            else values[code if self.versions is None else self.versions.at(code, times)]
            for code, values in zip(codes, self.values, strict=True)
        ]
        known = np.all([part > 0 for part in parts], axis=0)
        key = parts[0] if len(parts) == 1 else parts[0] * self.size + parts[1]
        return np.where(known, key, -1)


@dataclass(frozen=True)
class Counted:
    """What is counted of an event.

    :param event: The event.
    :param windows: The windows in which rows are counted, by name, the shortest first and the last
        without an end: ever.
    :param rate_windows: Those over which outcomes become rates.
    :param rates: For each yes-or-no column, how often it is yes among training rows.
    :param matures: How long after a row its outcomes are settled (µs).
    """

    event: str
    windows: Mapping[str, int | None]
    rate_windows: Mapping[str, int | None]
    rates: Mapping[str, float]
    matures: int

    @property
    def names(self) -> tuple[str, ...]:
        """What :meth:`Counter.numbers` gives."""
        counts = [f"{self.event} {window}" for window in self.windows]
        rates = [f"{column} rate {window}" for column in self.rates for window in self.rate_windows]
        return (*counts, f"since {self.event}", *(f"{self.event}.{rate}" for rate in rates))


@dataclass(frozen=True)
class Counter:
    """An event, counted for one kind of key.

    :param whose: The key, as it stands before the names of numbers.
    """

    whose: str
    counted: Counted
    keys: Keys
    line: Timeline

    @classmethod
    def build(cls, whose: str, counted: Counted, keys: Keys, tables: Tables) -> Counter:
        """Indexes the rows of an event, without those in which a part of the key is unknown."""
        frame = tables.events[counted.event]
        times = frame["@time"].to_numpy()
        key = keys.of([frame[f"@{entity}"].to_numpy() for entity in keys.entities], times)
        kept = np.flatnonzero(key >= 0)
        outcomes: dict[str, Float64[np.ndarray, "rows"]] = {}
        for column in counted.rates:
            yes = _flags(frame, column)[kept]
            outcomes[column] = yes
            if np.isnan(yes).any():
                outcomes[f"{column} known"] = (~np.isnan(yes)).astype(np.float64)
        line = Timeline.build(key[kept], times[kept], outcomes)
        return cls(whose, counted, keys, line)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the numbers."""
        return tuple(self.whose + name for name in self.counted.names)

    def numbers(
        self, keys: Int64[np.ndarray, "rows"], moments: Int64[np.ndarray, "rows"]
    ) -> list[Float64[np.ndarray, "rows"]]:
        """The numbers of each key at a moment, in the order of their names."""
        event, line = self.counted, self.line
        spans = line.past(keys, moments, tuple(event.windows.values()))
        found = [np.log1p(line.count(span)) for span in spans]
        # The last window is `ever`: only without any event in it is there no last one.
        last, there = line.last_time(spans[-1]), spans[-1].stop > spans[-1].start
        hours = (moments - np.where(there, last, moments)) / HOUR
        found.append(np.log1p(np.where(there, hours, LONG_AGO)))
        if event.rates:
            settled = line.past(keys, moments - event.matures, tuple(event.rate_windows.values()))
            for column, base in event.rates.items():
                found += [self._rate(span, column, base) for span in settled]
        return found

    def _rate(self, span: Span, column: str, base: float) -> Float64[np.ndarray, "rows"]:
        """How many times as often as usual an outcome was yes, as a logarithm.

        ``log((yes + a·p) / ((n + a)·p))`` with ``a`` rows of the usual rate ``p`` to begin with, so
        0 where nothing is known.
        """
        known = f"{column} known"
        rows = self.line.sum(span, known) if known in self.line.sums else self.line.count(span)
        yes = self.line.sum(span, column)
        return np.log((yes + PRIOR * base) / ((rows + PRIOR) * base))


@dataclass(frozen=True)
class Counters:
    """Everything that is counted of entities and of pairs of them. Made once; serves any moment.

    :param entities: For each entity its counters.
    :param pairs: For each pair of entities its counters: of both together, and of the one who acts
        with every value of each category of the other.
    """

    entities: Mapping[str, tuple[Counter, ...]]
    pairs: Mapping[tuple[str, str], tuple[Counter, ...]]

    @classmethod
    def build(
        cls,
        project: Project,
        plan: Plan,
        tables: Tables,
        base_rates: Mapping[tuple[str, str], float],
    ) -> Counters:
        """Indexes all events for every entity and pair that a grain with moments sees.

        :param base_rates: As :func:`base_rates` gives them.
        """
        grains = [g for g in plan.grains if g.asking == "every" or timed(project, g.table)]
        if not project.counters:
            grains = []
        entities = dict.fromkeys(entity for grain in grains for entity in grain.sees)
        pairs = dict.fromkeys(pair for grain in grains for pair in grain.pairs)
        events = _counted(project, plan, base_rates)
        return cls(
            {
                entity: tuple(
                    Counter.build("", event, Keys((entity,), (None,), 0), tables)
                    for event in events
                    if entity in project.event[event.event].entities
                )
                for entity in entities
            },
            {pair: tuple(_pair_counters(project, tables, pair, events)) for pair in pairs},
        )

    def names(self, entity: str) -> tuple[str, ...]:
        """The names of the numbers of an entity."""
        return tuple(name for counter in self.entities.get(entity, ()) for name in counter.names)

    def of(
        self,
        entity: str,
        codes: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
    ) -> Float32[np.ndarray, "rows numbers"]:
        """The numbers of entities at moments, not standardised.

        Counts are ``log(1 + n)``; ``since`` is ``log(1 + hours)``, of ten years where there was no
        event; rates are as in :meth:`Counter._rate`.
        """
        return _numbers(self.entities.get(entity, ()), {entity: codes}, moments)

    def pair_names(self, pair: tuple[str, str]) -> tuple[str, ...]:
        """The names of the numbers of a pair."""
        return tuple(name for counter in self.pairs.get(pair, ()) for name in counter.names)

    def of_pair(
        self,
        pair: tuple[str, str],
        codes_a: Int64[np.ndarray, "rows"],
        codes_b: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
    ) -> Float32[np.ndarray, "rows numbers"]:
        """The numbers of pairs at moments, not standardised, as :meth:`of` gives them."""
        return _numbers(self.pairs.get(pair, ()), {pair[0]: codes_a, pair[1]: codes_b}, moments)


def base_rates(
    project: Project, plan: Plan, tables: Tables, before: int | None
) -> dict[tuple[str, str], float]:
    """How often each outcome is yes among the rows that were settled before a cut.

    Half a row of yes and half a row of no are added, so that no rate is 0 or 1.

    :param before: The validation cut (µs); None takes all rows.
    :returns: By event and column.
    """
    rates = {}
    for name, columns in plan.outcomes.items():
        frame = tables.events[name]
        matures = microseconds(project.event[name].matures)
        settled = np.ones(len(frame), dtype=np.bool_)
        if before is not None:
            settled = frame["@time"].to_numpy() + matures < before
        for column in columns:
            yes = _flags(frame, column)[settled]
            known = yes[~np.isnan(yes)]
            rates[name, column] = float((known.sum() + 0.5) / (len(known) + 1))
    return rates


def _counted(project: Project, plan: Plan, rates: Mapping[tuple[str, str], float]) -> list[Counted]:
    """What is counted of each event that has a time."""
    lengths = {window: microseconds(window) for window in project.counters}
    windows: dict[str, int | None] = {}
    for window in sorted(lengths, key=lengths.__getitem__):
        windows[window] = lengths[window]
    longest = dict(list(windows.items())[-1:])
    return [
        Counted(
            event,
            windows | {"ever": None},
            longest | {"ever": None},
            {column: rates[event, column] for column in plan.outcomes.get(event, ())},
            microseconds(project.event[event].matures),
        )
        for event in project.event
        if timed(project, event)
    ]


def _pair_counters(
    project: Project, tables: Tables, pair: tuple[str, str], events: Iterable[Counted]
) -> Iterator[Counter]:
    """Of a pair: events that name both, then the acting one with the other's values."""
    both = [event for event in events if set(pair) <= set(project.event[event.event].entities)]
    together = Keys(pair, (None, None), len(tables.entities[pair[1]]) + 1)
    for event in both:
        yield Counter.build(f"{pair[0]} × {pair[1]}: ", event, together, tables)
    for acting, other in (pair, pair[::-1]):
        acted = [event for event in both if project.event[event.event].entities[0] == acting]
        for column, values in _categories(project, tables, other) if acted else ():
            size = int(values.max()) + 1
            keys = Keys((acting, other), (None, values), size, Versions.of(tables, other))
            for event in acted:
                fewer = replace(event, windows=event.rate_windows, rate_windows={"ever": None})
                yield Counter.build(f"{acting} × {other}.{column}: ", fewer, keys, tables)


def _categories(
    project: Project, tables: Tables, entity: str
) -> Iterator[tuple[str, Int64[np.ndarray, "codes"]]]:
    """For each category of an entity, the number of the value of each row; 0 where missing."""
    before = len(tables.entities[entity]) if entity in tables.versions else 0
    for column, feature in project.entity[entity].features.items():
        if isinstance(feature, Category):
            values = _values(tables.columns_of(entity)[column])
            values = np.concatenate([np.zeros(before, dtype=np.int64), values])
            if values.max() <= MAX_VALUES:
                yield column, values


def _values(column: pl.Series) -> Int64[np.ndarray, "codes"]:
    """For each code of an entity the number of its value, from 1; 0 for missing and for code 0."""
    numbers = column.cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return np.concatenate([np.zeros(1, dtype=np.int64), numbers])


def _numbers(
    counters: tuple[Counter, ...],
    codes: Mapping[str, Int64[np.ndarray, "rows"]],
    moments: Int64[np.ndarray, "rows"],
) -> Float32[np.ndarray, "rows numbers"]:
    """The numbers of all counters side by side.

    Questions about the same things are asked together, and few at a time, because what they read
    then stays near the processor: that halves the time.
    """
    width = sum(len(counter.names) for counter in counters)
    found = np.empty((len(moments), width), dtype=np.float32)
    order = np.lexsort((moments, *list(codes.values())[::-1]))
    for first in range(0, len(order), BLOCK):
        rows = order[first : first + BLOCK]
        some = {entity: column[rows] for entity, column in codes.items()}
        columns = np.empty((width, len(rows)), dtype=np.float32)
        filled = 0
        for counter in counters:
            keys = counter.keys.of([some[name] for name in counter.keys.entities], moments[rows])
            for numbers in counter.numbers(keys, moments[rows]):
                columns[filled] = numbers
                filled += 1
        found[rows] = columns.T
    return found


def _flags(frame: pl.DataFrame, column: str) -> Float64[np.ndarray, "rows"]:
    """A yes-or-no column as 1 and 0; nan where null."""
    values = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isnan(values), np.nan, (values > 0).astype(np.float64))
