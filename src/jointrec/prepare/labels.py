"""Which rows a grain asks, and what the answers are: columns, or what happens later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from jointrec.labels import DAY, Later, microseconds
from jointrec.plan import DEFAULT_EVERY, Grain
from jointrec.project import Project
from jointrec.sources import Finding

from .counting import flags
from .joining import joined
from .returns import gives_back, without_rounding
from .steps import as_lists, steps_of
from .stretches import barred
from .summed import product
from .tables import Tables
from .timeline import Span, Timeline
from .workspace import IN_MEMORY, Workspace

SIZE = "@size"
"""What is summed beside a column with negative numbers: the same without their signs."""


@dataclass(frozen=True)
class Rows:
    """The rows of a grain, before anything is known of them.

    :param codes: For each entity that a row leads to, its code; 0 where it is unknown.
    :param times: When each is asked (µs); None where the grain has no moments.
    :param source: The row of the cleaned table that each came from.
    """

    codes: Mapping[str, Int64[np.ndarray, "rows"]]
    times: Int64[np.ndarray, "rows"] | None
    source: Int64[np.ndarray, "rows"]

    def some(self, piece: slice) -> Rows:
        """Some of the rows."""
        codes = {entity: codes[piece] for entity, codes in self.codes.items()}
        times = None if self.times is None else self.times[piece]
        return Rows(codes, times, self.source[piece])


@dataclass(frozen=True)
class Label:
    """The answers to a task, as the data have them.

    :param values: Numbers or text; null where unknown. What comes next is the code of an entity.
    :param known_at: When each is settled (µs); None where the rows have no time. Of an answer that
        the data do not hold it is a moment at which it may be settled.
    """

    values: pl.Series
    known_at: Int64[np.ndarray, "rows"] | None


def snapshots(first: int, until: int, every: int, anchor: int) -> Int64[np.ndarray, "moments"]:
    """The moments at which entities are asked: ``every`` µs, one of them the anchor.

    :param first: The first moment of the data (µs); none is earlier.
    :param until: The first µs after the data; none is later.
    :param anchor: The moment to align with: where the test begins.

    >>> snapshots(first=3, until=20, every=5, anchor=12).tolist()
    [7, 12, 17]
    """
    earliest = anchor - (anchor - first) // every * every
    return np.arange(earliest, until + 1, every, dtype=np.int64)


def rows_of(
    project: Project,
    grain: Grain,
    tables: Tables,
    anchor: int,
    until: int,
    workspace: Workspace = IN_MEMORY,
) -> Rows:
    """The rows that a grain asks, over all the data.

    Rows of an event are asked in the order of the table; entities asked ``every`` so often by
    moment and then by code, only those with an event in the past: within ``active``, or ever.
    What comes next is not asked before a row that gives back.

    :param anchor: The moment with which snapshots are aligned (µs).
    :param until: The first µs after the last event of the data.
    :param workspace: Where the numbers of the rows live.
    """
    if grain.asking == "once":
        codes = np.arange(1, len(tables.entities[grain.table]) + 1)
        return Rows({grain.table: codes}, None, codes - 1)
    if grain.asking == "every":
        return _snapshot_rows(project, grain, tables, anchor, until)
    frame = tables.events[grain.table]
    whole = Rows(
        {entity: frame[f"@{entity}"].to_numpy() for entity in grain.entities},
        frame["@time"].to_numpy() if "@time" in frame.columns else None,
        _in_order(len(frame), workspace),
    )
    if grain.asking != "before":
        return whole
    back = gives_back(project, tables, grain.table)
    known = np.flatnonzero((whole.codes[grain.entities[0]] > 0) & ~back)
    if project.history.causal and whole.times is not None:
        # Moments of one thing share what they read, if they stand together.
        known = known[np.lexsort((whole.times[known], whole.codes[grain.entities[0]][known]))]
    return Rows(
        {entity: codes[known] for entity, codes in whole.codes.items()},
        None if whole.times is None else whole.times[known],
        known,
    )


def _in_order(rows: int, workspace: Workspace) -> Int64[np.ndarray, "rows"]:
    """The number of each row, from 0."""
    numbers = workspace.empty((rows,), np.int64)
    for piece in workspace.pieces(rows):
        numbers[piece] = np.arange(piece.start, piece.stop)
    return numbers


def label_of(
    project: Project,
    task: str,
    grain: Grain,
    rows: Rows,
    tables: Tables,
    until: int,
) -> Label:
    """The answers to a task at the rows of its grain.

    A later label is null where its window ends after the data, where an entity that it is asked
    about is unknown, and where there could be no answer (``unless``); of ``steps`` each is so by
    itself (:func:`.steps.steps_of`). An event is never later than itself: where a label counts the
    very kind of event that it is asked of, it counts those strictly after the row. Rows that give
    back count for sums alone.

    :param task: The name of the task.
    :param until: The first µs after the last event of the data.
    """
    label = project.tasks[task].label
    if isinstance(label, str):
        return _column_label(project, label, rows, tables)
    if label.verb == "next" and grain.asking == "before":
        codes = tables.events[label.event][f"@{label.column}"].to_numpy()[rows.source]
        return Label(_series(codes.astype(np.float64), codes > 0), rows.times)
    return _later_label(project, label, grain, rows, tables, until)


def settles_after(project: Project, task: str) -> int:
    """How long after a row its answer is settled (µs), as :func:`label_of` has it.

    Of what comes next, and of how long until something, it is the longest that it may take; without
    a window 0, and so of a column of an entity.
    """
    label = project.tasks[task].label
    if isinstance(label, Later):
        return label.window or 0
    event = project.event.get(label.partition(".")[0])
    return 0 if event is None else microseconds(event.matures)


def nest(
    labels: Mapping[str, Float64[np.ndarray, "rows"]], project: Project, grain: Grain
) -> tuple[dict[str, Float64[np.ndarray, "rows"]], tuple[Finding, ...]]:
    """Makes the labels of a funnel nested: whoever bought has clicked, whatever the click says.

    Where a task happened, the one that it comes ``after`` is made to have happened, with a finding.
    An unknown label stays unknown: if only those that happened became known, the known ones would
    happen too often.

    :param labels: For each task of the grain its encoded labels; nan where unknown.
    """
    nested, findings = dict(labels), []
    if all(project.tasks[name].after is None for name in labels):
        return nested, ()
    happened = {name: values > 0 for name, values in labels.items()}
    for name in reversed(grain.tasks):
        after = project.tasks[name].after
        if after is None or name not in nested or after not in nested:
            continue
        if project.tasks[name].lengthens(project.tasks[after]):
            continue  # what happens later than the shorter time is not in it
        happened[after] |= happened[name]
        skipped = happened[name] & (nested[after] == 0)
        if skipped.any():
            rows = np.flatnonzero(skipped)
            nested[after] = np.where(skipped, 1.0, nested[after])
            findings.append(
                Finding(
                    code="funnel_order",
                    at=f"tasks.{after}",
                    column=None,
                    count=len(rows),
                    examples=tuple(f"row {row}" for row in rows[:3]),
                    action="made yes",
                    text=f"rows where `{name}` happened and `{after}` did not, "
                    f"although `{name}` comes after it.",
                )
            )
    return nested, tuple(findings)


def _snapshot_rows(project: Project, grain: Grain, tables: Tables, anchor: int, until: int) -> Rows:
    """Which entities were seen before each snapshot."""
    codes, when = _seen(project, grain.table, tables)
    every = grain.every or microseconds(DEFAULT_EVERY)
    moments = snapshots(int(when[0]) if len(when) else until, until, every, anchor)
    seen = np.zeros(len(tables.entities[grain.table]) + 1, dtype=np.bool_)
    found, old = [], 0
    for moment, new in zip(moments, np.searchsorted(when, moments), strict=True):
        if grain.active is not None:
            seen[:] = False
            old = int(np.searchsorted(when, moment - grain.active))
        seen[codes[old:new]] = True
        seen[0] = False
        old = int(new)
        found.append(np.flatnonzero(seen))
    asked = np.concatenate([np.zeros(0, dtype=np.int64), *found])
    return Rows(
        {grain.table: asked}, np.repeat(moments, [len(codes) for codes in found]), asked - 1
    )


def _seen(
    project: Project, entity: str, tables: Tables
) -> tuple[Int64[np.ndarray, "events"], Int64[np.ndarray, "events"]]:
    """Every event with a time that names the entity, but plans: code and time, oldest first."""
    frames = [
        frame
        for name, frame in tables.events.items()
        if project.event[name].ahead is None
        if "@time" in frame.columns and f"@{entity}" in frame.columns
    ]
    nothing = np.zeros(0, dtype=np.int64)
    codes = np.concatenate([nothing, *(frame[f"@{entity}"].to_numpy() for frame in frames)])
    times = np.concatenate([nothing, *(frame["@time"].to_numpy() for frame in frames)])
    order = np.argsort(times, kind="stable")
    return codes[order], times[order]


def _column_label(project: Project, label: str, rows: Rows, tables: Tables) -> Label:
    table, _, column = label.partition(".")
    frame = tables.events[table] if table in tables.events else tables.entities[table]
    values = frame[column]
    if len(rows.source) != len(frame) or (rows.source[1:] <= rows.source[:-1]).any():
        values = values.gather(pl.Series(rows.source))
    if values.dtype == pl.Boolean:
        values = values.cast(pl.Float64)
    if rows.times is None:
        return Label(values, None)
    return Label(values, rows.times + microseconds(project.event[table].matures))


def _later_label(
    project: Project, label: Later, grain: Grain, rows: Rows, tables: Tables, until: int
) -> Label:
    assert rows.times is not None, "a plan looks forward only from rows that have a time"
    frame = tables.events[label.event]
    shared = [entity for entity in grain.entities if f"@{entity}" in frame.columns]
    events, asked = joined(frame, rows.codes, shared)
    counts = label.verb == "sum" or ~gives_back(project, tables, label.event)
    kept = np.flatnonzero((events >= 0) & counts)
    values = _summed(label, frame, kept)
    line = Timeline.build(events[kept], frame["@time"].to_numpy()[kept], values)
    later = int(label.of == label.event)
    if label.verb == "steps":
        matures = microseconds(project.event[label.event].matures)
        cells = flags(frame, label.column or "")[kept]
        ends = _ends(rows.times, tables, until)
        span = line.after(asked, rows.times + later)
        steps, settled = steps_of(line, span, cells, label.first or 0, matures, ends)
        return Label(as_lists(steps), settled)
    if label.verb == "next" or label.window is None:
        return _next(label, line.after(asked, rows.times + later), line, frame, kept, until)
    window = label.window
    if label.verb == "until":
        return _until(line, asked, rows.times, later, window, _ends(rows.times, tables, until))
    span = line.after(asked, rows.times + later, window - later)
    known_at = rows.times + window
    known = (known_at <= until) & (asked >= 0)
    if label.unless is not None:
        known &= ~barred(project, label.unless, rows.codes, rows.times + later, known_at, tables)
    return Label(_series(_answers(label, span, line), known), known_at)


def _summed(
    label: Later, frame: pl.DataFrame, kept: Int64[np.ndarray, "events"]
) -> dict[str, Float64[np.ndarray, "events"]]:
    """What a label sums of some rows, nan where null; nothing where it sums nothing."""
    if label.column is None or not label.factors:
        return {}
    summed = product(frame, label.factors)[kept]
    return {label.column: summed, **({SIZE: np.abs(summed)} if (summed < 0).any() else {})}


def _answers(label: Later, span: Span, line: Timeline) -> Float64[np.ndarray, "rows"]:
    if label.verb == "sum" and label.column is not None:
        sums = line.sum(span, label.column)
        return without_rounding(sums, line.sum(span, SIZE)) if SIZE in line.sums else sums
    count = line.count(span)
    if label.verb == "any":
        count = np.minimum(count, 1)
    elif label.verb == "no":
        count = 1 - np.minimum(count, 1)
    return count.astype(np.float64)


def _next(
    label: Later,
    span: Span,
    line: Timeline,
    frame: pl.DataFrame,
    kept: Int64[np.ndarray, "events"],
    until: int,
) -> Label:
    """The entity of the first event of each span; null where there is none or it is unknown."""
    there = span.stop > span.start
    codes, known_at = np.zeros(len(there), dtype=np.int64), np.full(len(there), until)
    first = span.start[there]
    codes[there] = frame[f"@{label.column}"].to_numpy()[kept[line.order[first]]]
    known_at[there] = line.times[first]
    return Label(_series(codes.astype(np.float64), codes > 0), known_at)


def _ends(
    times: Int64[np.ndarray, "rows"], tables: Tables, until: int
) -> Int64[np.ndarray, "rows"]:
    """Up to when each row may be followed: the cut that ends its part of the split, or the data."""
    ends = np.full(len(times), until)
    for cut in (tables.cuts.test, tables.cuts.valid):
        if cut is not None:
            ends[times < cut] = cut
    return ends


def _until(
    line: Timeline,
    asked: Int64[np.ndarray, "rows"],
    times: Int64[np.ndarray, "rows"],
    later: int,
    window: int,
    ends: Int64[np.ndarray, "rows"],
) -> Label:
    """Days until the first event of each, or less than none of the days it was followed without.

    A row before a cut is followed to the cut and no further, so that what happens in a later part
    cannot reach an earlier one; how far it was followed is all that is known of it.
    """
    followed = np.minimum(times + window, ends)
    span = line.after(asked, times + later, window - later)
    there = span.stop > span.start
    known_at = followed.copy()
    known_at[there] = np.minimum(line.times[span.start[there]], followed[there])
    happened = there & (known_at < followed)
    days = (known_at - times) / DAY
    known = (asked >= 0) & (happened | (days > 0))
    return Label(_series(np.where(happened, days, -days), known), known_at)


def _series(values: Float64[np.ndarray, "rows"], known: np.ndarray) -> pl.Series:
    """Numbers that are null where not known."""
    return pl.Series(np.where(known, values, np.nan)).fill_nan(None)
