"""The pasts of some moments as arrays: one row for each, or one for all that begin alike."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64

from jointrec.prepare.prepared import Moments, Past

from .batch import HistoryBatch, Reads
from .pool import Pool

SECOND = 1_000_000
OLDEST = 31
"""The last bucket of ages: 2^31 seconds are 68 years."""

Rows = Int64[np.ndarray, "_"]


def each_its_own(
    past: Past, moments: Moments, found: Rows, last: int, things: dict[str, Pool]
) -> HistoryBatch:
    """The past of each moment, with ages at the moment.

    :param found: Which moments.
    :param last: How many events are read.
    :param things: Where the things that events are about are kept.
    """
    assert moments.times is not None
    start, stop = moments.start[found], moments.stop[found]
    at, there = _places(np.maximum(start, stop - last), stop)
    seconds = moments.times[found][:, None] - _at(past.times, at)
    return _batch(past, at, there, ages(seconds), things)


def in_runs(
    past: Past, moments: Moments, found: Rows, last: int, things: dict[str, Pool]
) -> HistoryBatch:
    """The runs of events that moments read: those whose pasts begin with one event share a run.

    Parameters as for :func:`each_its_own`.
    """
    assert moments.times is not None
    stop = moments.stop[found]
    start = np.maximum(moments.start[found], stop - last)
    some = np.flatnonzero(stop > start)
    begins, run = np.unique(start[some], return_inverse=True)
    ends = begins.copy()
    np.maximum.at(ends, run, stop[some])
    at, there = _places(begins, ends)
    gaps = _at(past.times, at) - _at(past.times, np.maximum(at - 1, 0))
    gaps = np.where(at > begins[:, None], ages(gaps), OLDEST)
    reads = [np.full(len(found), -1), np.zeros(len(found), np.int64), np.zeros(len(found), int)]
    reads[0][some], reads[1][some] = run, ends[run] - stop[some]
    reads[2][some] = ages(moments.times[found[some]] - past.times[stop[some] - 1])
    batch = _batch(past, at, there, gaps, things)
    run_of, back, since = (torch.from_numpy(array) for array in reads)
    return HistoryBatch(
        batch.kinds, batch.ages, batch.objects, batch.there, Reads(run_of, back, since)
    )


def ages(lengths: Int64[np.ndarray, "*rows"]) -> Int64[np.ndarray, "*rows"]:
    """Buckets of lengths of time (µs), each twice as long as the one before.

    >>> ages(np.array([0, 1, 3, 7]) * SECOND).tolist()
    [0, 1, 2, 3]
    """
    seconds = np.maximum(lengths // SECOND, 0)
    found: np.ndarray = np.clip(np.frexp(seconds + 1.0)[1] - 1, 0, OLDEST).astype(np.int64)
    return found


def _places(start: Rows, stop: Rows) -> tuple[Int64[np.ndarray, "runs steps"], np.ndarray]:
    """Where each event stands, filled up on the left with 0, and whether one is there."""
    lengths = stop - start
    steps = max(int(lengths.max(initial=0)), 1)
    there = np.arange(steps) >= (steps - lengths)[:, None]
    return np.where(there, stop[:, None] + np.arange(-steps, 0), 0), there


def _at(
    values: Int64[np.ndarray, "events"], at: Int64[np.ndarray, "runs steps"]
) -> Int64[np.ndarray, "runs steps"]:
    """The values at some places; zeros where nobody has a past at all."""
    found: np.ndarray = values[at] if len(values) else np.zeros(at.shape, dtype=np.int64)
    return found


def _batch(
    past: Past,
    at: Int64[np.ndarray, "runs steps"],
    there: np.ndarray,
    buckets: Int64[np.ndarray, "runs steps"],
    things: dict[str, Pool],
) -> HistoryBatch:
    about = {
        name: things[name].add(np.where(there, _at(codes, at), 0))
        for name, codes in past.objects.items()
    }
    return HistoryBatch(
        torch.from_numpy(np.where(there, _at(past.kinds, at), 0)),
        torch.from_numpy(np.where(there, buckets, 0)),
        {name: torch.from_numpy(codes) for name, codes in about.items()},
        torch.from_numpy(there),
    )
