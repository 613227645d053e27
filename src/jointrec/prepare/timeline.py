"""Events in order of time: one component for the past and the future.

Looking back from a moment gives history and counters, looking forward gives later labels. What
happens at the moment itself belongs to the future: the past of a moment is strictly before it.
Training, evaluation and serving ask the same functions, so a feature cannot differ between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

from .workspace import IN_MEMORY, Workspace

NEVER = int(np.iinfo(np.int64).min)
"""The time of an event that there is not."""


@dataclass(frozen=True)
class Span:
    """For each question, a run of positions ``start … stop − 1`` on a timeline; it may be empty."""

    start: Int64[np.ndarray, "rows"]
    stop: Int64[np.ndarray, "rows"]


@dataclass(frozen=True)
class Sums:
    """Sums of a column up to each position, with what rounding lost kept beside them.

    A plain float64 running sum over 100 million rows forgets the cents of a small order. Each
    addition of the running sum is therefore split into its result and its exact error (Knuth's
    TwoSum), and the errors are summed as well: https://doi.org/10.1137/030601818, section 4.

    :param high: The running sum as float64 has it.
    :param low: The running sum of what was lost; None where nothing was, as with counts.
    :param parts: What was summed; None where nothing was lost, so that ``high`` tells it.
    """

    high: Float64[np.ndarray, "events_and_one"]
    low: Float64[np.ndarray, "events_and_one"] | None
    parts: Float64[np.ndarray, "events"] | None

    @classmethod
    def of(cls, values: Float64[np.ndarray, "events"]) -> Sums:
        """The running sums of some values, all finite."""
        high = np.zeros(len(values) + 1)
        np.cumsum(values, out=high[1:])
        # Whole numbers are added without loss as long as the sum is one that float64 can hold.
        if np.abs(values).sum() < 2**53 and (np.trunc(values) == values).all():
            return cls(high, None, None)
        lost = _lost(high[:-1], values, high[1:])
        if not lost.any():
            return cls(high, None, None)
        return cls(high, np.concatenate([np.zeros(1), np.cumsum(lost)]), values)

    def kept(self, workspace: Workspace) -> Sums:
        """The same sums, living in a workspace."""
        parts = (self.low, self.parts)
        low, values = (None if part is None else workspace.keep(part) for part in parts)
        return Sums(workspace.keep(self.high), low, values)

    @property
    def values(self) -> Float64[np.ndarray, "events"]:
        """What was summed."""
        return np.diff(self.high) if self.parts is None else self.parts

    def over(self, span: Span) -> Float64[np.ndarray, "rows"]:
        """The sum over each span; exactly 0 over an empty one."""
        above, below = self.high[span.stop], self.high[span.start]
        total: Float64[np.ndarray, "rows"] = above - below
        if self.low is None:
            return total
        total += _lost(above, -below, total) + (self.low[span.stop] - self.low[span.start])
        return total


@dataclass(frozen=True)
class Timeline:
    """Events sorted by key and time, in flat arrays. Make one with :meth:`build`.

    A key is whatever the events are counted for: the code of an entity, or of a pair. Memory grows
    with the number of events, and a question costs the logarithm of the events of its key.

    :param keys: Each key once, sorted.
    :param offsets: The events of ``keys[i]`` stand at ``offsets[i] … offsets[i + 1] − 1``.
    :param times: When each event happened (µs), oldest first within a key. Events of the same time
        keep the order in which they were given.
    :param order: For each position, the row of the input that stands there.
    :param sums: The running sums of columns, by name; nothing is added where one is null.
    """

    keys: Int64[np.ndarray, "keys"]
    offsets: Int64[np.ndarray, "keys_and_one"]
    times: Int64[np.ndarray, "events"]
    order: Int[np.ndarray, "events"]
    sums: Mapping[str, Sums]

    @classmethod
    def build(
        cls,
        keys: Int64[np.ndarray, "rows"],
        times: Int64[np.ndarray, "rows"],
        values: Mapping[str, Float64[np.ndarray, "rows"]] = MappingProxyType({}),
    ) -> Timeline:
        """The timeline of events given in any order.

        :param keys: What each event is counted for.
        :param times: When each happened (µs).
        :param values: Columns to sum; nan where null.

        >>> line = Timeline.build(np.array([7, 7, 8]), np.array([30, 10, 20]))
        >>> line.count(line.before(np.array([7, 7, 9]), np.array([30, 31, 31]))).tolist()
        [1, 2, 0]
        """
        index = Index.of(keys, times)
        sums = {name: Sums.of(_filled(column[index.order])) for name, column in values.items()}
        return index.timeline(sums)

    def append(
        self,
        keys: Int64[np.ndarray, "rows"],
        times: Int64[np.ndarray, "rows"],
        values: Mapping[str, Float64[np.ndarray, "rows"]] = MappingProxyType({}),
    ) -> Timeline:
        """A timeline with more events: equal to one built from the old rows and then the new.

        Old events are not sorted again, so this is for a few new ones at a time.
        """
        order = np.lexsort((times, keys))
        keys, times = keys[order], times[order]
        at = np.searchsorted(self.keys, keys)
        run = self._runs(keys)
        known = run.start < run.stop
        place = _first_at_or_after(self.times, times + 1, run.start, run.stop)
        place = np.where(known, place, self.offsets[at])
        columns = {
            name: np.insert(old.values, place, _filled(values[name][order]))
            for name, old in self.sums.items()
        }
        index = Index.sorted(
            np.insert(self._keys(), place, keys),
            np.insert(self.times, place, times),
            np.insert(self.order.astype(np.int64), place, order + len(self.order)),
        )
        return index.timeline({name: Sums.of(column) for name, column in columns.items()})

    def before(
        self,
        keys: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        window: int | None = None,
    ) -> Span:
        """The events of each key in ``[moment − window, moment)``; without a window, all before."""
        return self.past(keys, moments, (window,))[0]

    def past(
        self,
        keys: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        windows: Sequence[int | None],
    ) -> tuple[Span, ...]:
        """:meth:`before` for several windows at once, which costs less than one by one.

        :param windows: From the shortest to the longest; None, for all that was, stands last.
        """
        run = self._runs(keys)
        stop = _first_at_or_after(self.times, moments, run.start, run.stop)
        spans, latest = [], stop
        for window in windows:
            if window is None:
                latest = run.start
            else:
                latest = _first_at_or_after(self.times, moments - window, run.start, latest)
            spans.append(Span(latest, stop))
        return tuple(spans)

    def after(
        self,
        keys: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        window: int | None = None,
    ) -> Span:
        """The events of each key in ``[moment, moment + window)``; without a window, all others."""
        run = self._runs(keys)
        start = _first_at_or_after(self.times, moments, run.start, run.stop)
        if window is None:
            return Span(start, run.stop)
        return Span(start, _first_at_or_after(self.times, moments + window, start, run.stop))

    def count(self, span: Span) -> Int64[np.ndarray, "rows"]:
        """How many events each span holds."""
        count: Int64[np.ndarray, "rows"] = span.stop - span.start
        return count

    def sum(self, span: Span, name: str) -> Float64[np.ndarray, "rows"]:
        """The sum of a column over each span."""
        return self.sums[name].over(span)

    def last_time(self, span: Span) -> Int64[np.ndarray, "rows"]:
        """The time of the newest event of each span (µs); :data:`NEVER` where it is empty."""
        newest = np.full(len(span.start), NEVER)
        there = span.stop > span.start
        newest[there] = self.times[span.stop[there] - 1]
        return newest

    def _runs(self, keys: Int64[np.ndarray, "rows"]) -> Span:
        """All events of each key."""
        at = np.searchsorted(self.keys, keys)
        known = at < len(self.keys)
        known[known] = self.keys[at[known]] == keys[known]
        at = np.where(known, at, 0)
        start = self.offsets[at]
        after = self.offsets[np.minimum(at + 1, len(self.offsets) - 1)]
        return Span(start, np.where(known, after, start))

    def _keys(self) -> Int64[np.ndarray, "events"]:
        """The key of each event."""
        return np.repeat(self.keys, np.diff(self.offsets))


@dataclass(frozen=True)
class Index:
    """Events in the order of a timeline, before anything of them is summed.

    Its parts are those of :class:`Timeline`.
    """

    keys: Int64[np.ndarray, "keys"]
    offsets: Int64[np.ndarray, "keys_and_one"]
    times: Int64[np.ndarray, "events"]
    order: Int[np.ndarray, "events"]

    @classmethod
    def of(cls, keys: Int64[np.ndarray, "rows"], times: Int64[np.ndarray, "rows"]) -> Index:
        """Puts events in order. Those that are in order of time already are sorted by key alone."""
        if len(times) < 2 or (times[1:] >= times[:-1]).all():
            order = np.argsort(keys, kind="stable")
        else:
            order = np.lexsort((times, keys))
        if len(order) < 2**31:
            order = order.astype(np.int32)
        return cls.sorted(keys[order], times[order], order)

    @classmethod
    def sorted(
        cls,
        keys: Int64[np.ndarray, "events"],
        times: Int64[np.ndarray, "events"],
        order: Int[np.ndarray, "events"],
    ) -> Index:
        """The index of events that are in order already."""
        first: Bool[np.ndarray, "events"] = np.ones(len(keys), dtype=np.bool_)
        first[1:] = keys[1:] != keys[:-1]
        offsets = np.append(np.flatnonzero(first), len(keys))
        short = np.int32 if len(order) < 2**31 else np.int64
        return cls(keys[first], offsets, times, order.astype(short, copy=False))

    def timeline(self, sums: Mapping[str, Sums], workspace: Workspace = IN_MEMORY) -> Timeline:
        """The timeline of these events, living in a workspace.

        :param sums: The running sums of columns, in this order of the events.
        """
        parts = (self.keys, self.offsets, self.times, self.order)
        keys, offsets, times, order = (workspace.keep(part) for part in parts)
        return Timeline(keys, offsets, times, order, sums)


def _filled(values: Float64[np.ndarray, "events"]) -> Float64[np.ndarray, "events"]:
    """Values of which null cells (nan; infinite ones were made null before) add nothing."""
    return np.where(np.isfinite(values), values, 0.0)


def _first_at_or_after(
    times: Int64[np.ndarray, "events"],
    moments: Int64[np.ndarray, "rows"],
    start: Int64[np.ndarray, "rows"],
    stop: Int64[np.ndarray, "rows"],
) -> Int64[np.ndarray, "rows"]:
    """For each row, the first position in ``start … stop`` whose event is not before the moment.

    All rows are bisected side by side. Most keys have few events, so most rows are done after a few
    steps and leave; only the longest runs need them all.
    """
    found = stop.copy()
    rows = np.flatnonzero(start < stop)
    low, high, wanted = start[rows], stop[rows], moments[rows]
    while len(rows):
        middle = (low + high) >> 1
        earlier = times[middle] < wanted
        low = np.where(earlier, middle + 1, low)
        high = np.where(earlier, high, middle)
        done = low == high
        if done.any():
            found[rows[done]] = low[done]
            left = ~done
            rows, low, high, wanted = rows[left], low[left], high[left], wanted[left]
    return found


def _lost(
    first: Float64[np.ndarray, "rows"],
    second: Float64[np.ndarray, "rows"],
    total: Float64[np.ndarray, "rows"],
) -> Float64[np.ndarray, "rows"]:
    """What rounding took from ``total = first + second``, exactly (Knuth's TwoSum)."""
    part = total - first
    lost: Float64[np.ndarray, "rows"] = (first - (total - part)) + (second - part)
    return lost
