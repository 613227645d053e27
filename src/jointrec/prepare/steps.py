"""What the next events of each row were, one after the other: the labels of ``later.steps``."""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from .timeline import Span, Timeline


def steps_of(
    line: Timeline,
    span: Span,
    flags: Float64[np.ndarray, "events"],
    first: int,
    matures: int,
    ends: Int64[np.ndarray, "rows"],
) -> tuple[Float64[np.ndarray, "rows steps"], Int64[np.ndarray, "rows"]]:
    """Of each span its first events, in order of time: yes (1), no (0) or unknown (nan).

    A step is unknown where the span has fewer events, where its cell is null, and where it had not
    settled by the end up to which the row is followed; so no row of training is told what came out
    after the cut. Events of one moment stand in the order of their table.

    :param flags: The cell of each event of the timeline's input; nan where null.
    :param first: How many steps there are.
    :param matures: How long after an event its cell is settled (µs).
    :param ends: Up to when each row is followed (µs).
    :returns: The steps, and when the last known one of each row was settled (µs); of a row without
        any, the end up to which it was followed.

    >>> line = Timeline.build(np.array([7, 7, 7]), np.array([10, 20, 30]))
    >>> span = line.after(np.array([7, 7]), np.array([10, 15]))
    >>> steps, known_at = steps_of(line, span, np.array([1.0, 0.0, 1.0]), 2, 1, np.array([99, 21]))
    >>> steps.tolist(), known_at.tolist()
    ([[1.0, 0.0], [0.0, nan]], [21, 21])
    """
    rows = len(span.start)
    steps, known_at = np.full((rows, first), np.nan), np.full(rows, -1)
    for step in range(first):
        there = np.flatnonzero(span.start + step < span.stop)
        at = span.start[there] + step
        settled = line.times[at] + matures
        cells = np.where(settled <= ends[there], flags[line.order[at]], np.nan)
        steps[there, step] = cells
        told = ~np.isnan(cells)
        known_at[there[told]] = np.maximum(known_at[there[told]], settled[told])
    return steps, np.where(np.isnan(steps).all(axis=1), ends, known_at)


def as_lists(steps: Float64[np.ndarray, "rows steps"]) -> pl.Series:
    """Steps as a column of arrays, in which null is unknown; null where all of a row are.

    >>> as_lists(np.array([[1.0, np.nan], [np.nan, np.nan]])).to_list()
    [[1.0, None], None]
    """
    rows, first = steps.shape
    told = pl.Series(steps.ravel()).fill_nan(None).reshape((rows, first))
    known = pl.Series(~np.isnan(steps).all(axis=1))
    return told.to_frame("steps").select(pl.when(known).then("steps"))["steps"]
