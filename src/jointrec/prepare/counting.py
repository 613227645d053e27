"""Counts the events of one kind of key before any moment, block by block of moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64

from jointrec.labels import DAY

from .counted import Counted, Keys
from .hashing import Hash, package
from .summed import product
from .tables import Tables
from .timeline import Index, Span, Sums, Timeline
from .workspace import IN_MEMORY, Workspace

SECOND = 1_000_000
LONG_AGO = 10 * 365 * 86_400
"""Seconds since the last event that are told where there was none: ten years."""
PRIOR = 10.0
"""How many rows of average success every rate starts with."""
DAYS = "@days"
"""What is summed where days are counted: 1 for the first row of a key on a day."""
BLOCK = 16_384
"""How many questions are answered at a time."""


@dataclass(frozen=True)
class Counter:
    """An event, counted for one kind of key.

    :param whose: The key, as it stands before the names of numbers.
    """

    whose: str
    counted: Counted
    keys: Keys
    tables: Tables

    @cached_property
    def line(self) -> Timeline:
        """The rows of the event, indexed when they are first asked for."""
        return self.index(IN_MEMORY)

    def index(self, workspace: Workspace) -> Timeline:
        """Indexes the rows of the event, without those in which a part of the key is unknown."""
        frame = self.tables.events[self.counted.event]
        times, kept = frame["@time"].to_numpy(), None
        key = self.keys.of([frame[f"@{name}"].to_numpy() for name in self.keys.entities], times)
        if int(key.min(initial=0)) < 0:
            kept = np.flatnonzero(key >= 0)
            key, times = key[kept], times[kept]
        index = Index.of(key, times)
        sums: dict[str, Sums] = {}
        if self.counted.days:
            day, key = times[index.order] // DAY, key[index.order]
            new = np.ones(len(day), dtype=np.float64)
            new[1:] = (key[1:] != key[:-1]) | (day[1:] != day[:-1])
            sums[DAYS] = Sums.of(new).kept(workspace)
        for what, columns in self.counted.sums.items():
            summed = product(frame, columns)
            summed = (summed if kept is None else summed[kept])[index.order]
            sums[what] = Sums.of(np.where(np.isfinite(summed), summed, 0.0)).kept(workspace)
        for column in self.counted.rates:
            yes = flags(frame, column)
            yes = (yes if kept is None else yes[kept])[index.order]
            known = ~np.isnan(yes)
            sums[column] = Sums.of(np.where(known, yes, 0.0)).kept(workspace)
            if not known.all():
                sums[f"{column} known"] = Sums.of(known.astype(np.float64)).kept(workspace)
        return index.timeline(sums, workspace)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the numbers."""
        return tuple(self.whose + name for name in self.counted.names)

    def numbers(
        self,
        keys: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        line: Timeline,
    ) -> Iterator[Float64[np.ndarray, "rows"]]:
        """The numbers of each key at a moment, in the order of their names.

        :param line: The rows of the event, as :meth:`index` gives them.
        """
        event = self.counted
        spans = line.past(keys, moments, tuple(event.windows.values()))
        for span in spans:
            yield np.log1p(line.count(span))
        # The last window is `ever`: only without any event in it is there no last one.
        last, there = line.last_time(spans[-1]), spans[-1].stop > spans[-1].start
        # In seconds, as what happened just now and what happened minutes ago are far apart.
        seconds = (moments - np.where(there, last, moments)) / SECOND
        yield np.log1p(np.where(there, seconds, LONG_AGO))
        last_row = max(len(line.times) - 1, 0)
        if event.days:
            first = np.where(there, line.times[np.minimum(spans[-1].start, last_row)], moments)
            yield np.log1p((moments - first) / SECOND)
            for span in spans:
                yield np.log1p(line.sum(span, DAYS))
        for what in event.sums:
            for span in spans:
                total = line.sum(span, what)
                yield np.copysign(np.log1p(np.abs(total)), total)
        yield from self._rates(keys, moments, line)
        for window in event.ahead.values():
            yield np.log1p(line.count(line.after(keys, moments, window)))

    def _rates(
        self,
        keys: Int64[np.ndarray, "rows"],
        moments: Int64[np.ndarray, "rows"],
        line: Timeline,
    ) -> Iterator[Float64[np.ndarray, "rows"]]:
        """How often outcomes that had settled were yes."""
        event = self.counted
        if event.rates:
            settled = line.past(keys, moments - event.matures, tuple(event.rate_windows.values()))
            for column, base in event.rates.items():
                for span in settled:
                    yield rate(line, span, column, base)


def rate(line: Timeline, span: Span, column: str, base: float) -> Float64[np.ndarray, "rows"]:
    """How many times as often as usual an outcome was yes, as a logarithm.

    ``log((yes + a·p) / ((n + a)·p))`` with ``a`` rows of the usual rate ``p`` to begin with, so 0
    where nothing is known.
    """
    known = f"{column} known"
    rows = line.sum(span, known) if known in line.sums else line.count(span)
    yes = line.sum(span, column)
    return np.log((yes + PRIOR * base) / ((rows + PRIOR) * base))


def numbers_of(
    counters: Sequence[Counter],
    codes: Mapping[str, Int64[np.ndarray, "rows"]],
    moments: Int64[np.ndarray, "rows"],
    workspace: Workspace,
    spare: int,
) -> Float32[np.ndarray, "rows numbers_and_spare"]:
    """The numbers of all counters side by side, and some columns left empty after them.

    On disk they are written in the order of the rows, a few million at a time, and the indices
    live on disk as well: memory holds one index while it is made, and one piece.
    """
    if not workspace.on_disk:
        numbers = workspace.remembered(
            lambda: _named(counters, codes, moments), lambda: _in_memory(counters, codes, moments)
        )
        if not spare:
            return numbers
        return np.concatenate([numbers, np.empty((len(moments), spare), np.float32)], axis=1)
    width = sum(len(counter.names) for counter in counters)
    found = workspace.empty((len(moments), width + spare), np.float32)
    with workspace.scratch() as room:
        lines = [counter.index(room) for counter in counters]
        for at in workspace.pieces(len(moments)):
            piece = np.empty((len(moments[at]), width), dtype=np.float32)
            some = {entity: column[at] for entity, column in codes.items()}
            _answer(counters, lines, some, moments[at], piece)
            found[at, :width] = piece
    return found


def _in_memory(
    counters: Sequence[Counter],
    codes: Mapping[str, Int64[np.ndarray, "rows"]],
    moments: Int64[np.ndarray, "rows"],
) -> Float32[np.ndarray, "rows numbers"]:
    """The numbers of all counters side by side, at once."""
    width = sum(len(counter.names) for counter in counters)
    found = np.empty((len(moments), width), np.float32)
    if counters:
        _answer(counters, [counter.line for counter in counters], codes, moments, found)
    return found


def _named(
    counters: Sequence[Counter],
    codes: Mapping[str, Int64[np.ndarray, "rows"]],
    moments: Int64[np.ndarray, "rows"],
) -> str:
    """The hash of all that the numbers are made of."""
    found = Hash().say(package())
    columns: dict[tuple[str, str], np.ndarray] = {}
    for counter in counters:
        keys, event = counter.keys, counter.counted
        found.say([counter.whose, repr(event), keys.entities, keys.size])
        for values in [values for values in keys.values if values is not None]:
            found.array(values)
        if keys.versions is not None:
            line = keys.versions.line
            for part in (keys.versions.codes, line.keys, line.offsets, line.times):
                found.array(part)
        frame = counter.tables.events[event.event]
        for column in ("@time", *(f"@{entity}" for entity in keys.entities)):
            columns[event.event, column] = frame[column].to_numpy()
        for what, summed in event.sums.items():
            columns[event.event, what] = product(frame, summed)
        for column in event.rates:
            columns[event.event, column] = flags(frame, column)
    for (name, column), values in columns.items():
        found.say([name, column]).array(values)
    for entity, asked in codes.items():
        found.say(entity).array(asked)
    return found.array(moments).name()


def _answer(
    counters: Sequence[Counter],
    lines: Sequence[Timeline],
    codes: Mapping[str, Int64[np.ndarray, "rows"]],
    moments: Int64[np.ndarray, "rows"],
    found: Float32[np.ndarray, "rows _"],
) -> None:
    """Writes the numbers of all counters into the first columns of an array.

    Questions about the same things are asked together, and few at a time, because what they read
    then stays near the processor: that halves the time.
    """
    width = sum(len(counter.names) for counter in counters)
    order = np.lexsort((moments, *list(codes.values())[::-1]))
    for first in range(0, len(order), BLOCK):
        rows = order[first : first + BLOCK]
        some = {entity: column[rows] for entity, column in codes.items()}
        columns = np.empty((width, len(rows)), dtype=np.float32)
        filled = 0
        for counter, line in zip(counters, lines, strict=True):
            keys = counter.keys.of([some[name] for name in counter.keys.entities], moments[rows])
            for numbers in counter.numbers(keys, moments[rows], line):
                columns[filled] = numbers
                filled += 1
        found[rows, :width] = columns.T


def flags(frame: pl.DataFrame, column: str) -> Float64[np.ndarray, "rows"]:
    """A yes-or-no column as 1 and 0; nan where null."""
    values = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isnan(values), np.nan, (values > 0).astype(np.float64))
