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
from jaxtyping import Float32, Int64

from jointrec.features import Category
from jointrec.labels import microseconds
from jointrec.plan import Plan, timed
from jointrec.project import Project

from .counted import Counted, Keys
from .counting import Counter, flags, numbers_of
from .tables import Tables
from .versions import Versions
from .workspace import IN_MEMORY, Workspace

MAX_VALUES = 10_000
"""A category with more values than this is not counted for each of them."""


@dataclass(frozen=True)
class Counters:
    """Everything that is counted of entities and of pairs of them. Made once; serves any moment.

    An event is indexed for a key when that is first asked about.

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
        """What is counted for every entity and pair that a grain with moments sees.

        :param base_rates: As :func:`base_rates` gives them.
        """
        grains = [g for g in plan.grains if g.asking == "every" or timed(project, g.table)]
        if not project.counters:
            grains = []
        entities = dict.fromkeys(entity for grain in grains for entity in grain.sees)
        pairs = dict.fromkeys(pair for grain in grains for pair in grain.pairs)
        events = _counted(project, plan, base_rates)
        # Who is asked every so often is known by habits: on how many days, and since when.
        habits = {grain.table for grain in grains if grain.asking == "every"}
        return cls(
            {
                entity: tuple(
                    Counter(
                        "",
                        replace(event, days=entity in habits),
                        Keys((entity,), (None,), 0),
                        tables,
                    )
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

    def nothing(self, entity: str, workspace: Workspace = IN_MEMORY) -> tuple[float | None, ...]:
        """The numbers of an entity without a past; None for those that are of no past: plans.

        They are not standardised.

        :param workspace: Where the numbers and, for a while, the indices live.
        """
        unknown, moment = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        (numbers,) = self.of(entity, unknown, moment, workspace).tolist()
        past = [
            number < len(counter.names) - len(counter.counted.ahead)
            for counter in self.entities.get(entity, ())
            for number in range(len(counter.names))
        ]
        return tuple(n if is_past else None for n, is_past in zip(numbers, past, strict=True))

    def of(
        self,
        entity: str,
        codes: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        workspace: Workspace = IN_MEMORY,
        *,
        spare: int = 0,
    ) -> Float32[np.ndarray, "rows numbers_and_spare"]:
        """The numbers of entities at moments, not standardised.

        Counts are ``log(1 + n)``, and so are sums, with their sign; ``since`` is
        ``log(1 + seconds)``, of ten years where there was no event; rates are as in
        :func:`jointrec.prepare.counting.rate`.

        :param workspace: Where the numbers and, for a while, the indices live.
        :param spare: How many columns are left empty after them.
        """
        counters = self.entities.get(entity, ())
        return numbers_of(counters, {entity: codes}, moments, workspace, spare)

    def pair_names(self, pair: tuple[str, str]) -> tuple[str, ...]:
        """The names of the numbers of a pair."""
        return tuple(name for counter in self.pairs.get(pair, ()) for name in counter.names)

    def of_pair(
        self,
        pair: tuple[str, str],
        codes_a: Int64[np.ndarray, "rows"],
        codes_b: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        workspace: Workspace = IN_MEMORY,
    ) -> Float32[np.ndarray, "rows numbers"]:
        """The numbers of pairs at moments, not standardised, as :meth:`of` gives them."""
        codes = {pair[0]: codes_a, pair[1]: codes_b}
        return numbers_of(self.pairs.get(pair, ()), codes, moments, workspace, 0)


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
            yes = flags(frame, column)[settled]
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
            sums={" * ".join(columns): columns for columns in plan.summed.get(event, ())},
            ahead=_ahead(windows, project.event[event].ahead),
        )
        for event in project.event
        if timed(project, event)
    ]


def _ahead(windows: Mapping[str, int | None], known: str | None) -> dict[str, int]:
    """The windows after a moment whose rows are known at it; the longest is how far that is.

    >>> day = 86_400_000_000
    >>> list(_ahead({"1d": day, "7d": 7 * day, "30d": 30 * day, "ever": None}, "14d"))
    ['1d', '7d', '14d']
    """
    if known is None:
        return {}
    far = microseconds(known)
    return {name: size for name, size in windows.items() if size and size < far} | {known: far}


def _pair_counters(
    project: Project, tables: Tables, pair: tuple[str, str], events: Iterable[Counted]
) -> Iterator[Counter]:
    """Of a pair: events that name both, then the acting one with the other's values."""
    both = [event for event in events if set(pair) <= set(project.event[event.event].entities)]
    together = Keys(pair, (None, None), len(tables.entities[pair[1]]) + 1)
    for event in both:
        yield Counter(f"{pair[0]} × {pair[1]}: ", event, together, tables)
    for acting, other in (pair, pair[::-1]):
        acted = [event for event in both if project.event[event.event].entities[0] == acting]
        for column, values in _categories(project, tables, other) if acted else ():
            size = int(values.max()) + 1
            keys = Keys((acting, other), (None, values), size, Versions.of(tables, other))
            for event in acted:
                fewer = replace(
                    event, windows=event.rate_windows, rate_windows={"ever": None}, sums={}
                )
                yield Counter(f"{acting} × {other}.{column}: ", fewer, keys, tables)


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
