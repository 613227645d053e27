"""Intervals: how sure a metric is, by drawing the users again and measuring again.

Rows of one user resemble each other, so it is users (*clusters*) that are drawn, with all their
rows: the cluster bootstrap (Field and Welsh 2007; Efron 1979). A draw is only a weight per row, so
every metric that takes weights has an interval.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray

from jointrec.errors import DataError

from .metrics import WITHIN_GROUPS
from .metrics.rows import Codes, Column

Counts: TypeAlias = NDArray[np.float64]
Measure: TypeAlias = Callable[[Counts | None], list[float]]


@dataclass(frozen=True)
class Interval:
    """A metric and where it may lie.

    :param value: The metric over all rows, each once. Nan where it is not defined.
    :param low: The lower end, in the metric's unit. Nan where the rows cannot tell.
    :param high: The upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Drawn:
    """A metric, over all rows and in each round of the bootstrap.

    The difference of two that were drawn alike is drawn alike: ``(a - b).interval()``. Much of what
    moves a metric from draw to draw moves both, so the difference is known far better than either.

    :param value: The metric over all rows, each once.
    :param rounds: The metric in each round; nan where it is not defined. None at all where there
        are fewer than two clusters: one drawn again and again is always itself, without spread but
        without certainty either.
    """

    value: float
    rounds: NDArray[np.float64]

    def __sub__(self, other: Drawn) -> Drawn:
        return Drawn(self.value - other.value, self.rounds - other.rounds)

    def interval(self, level: float = 0.95) -> Interval:
        """The percentiles (1 - level) / 2 and (1 + level) / 2, outwards to the nearest round.

        Rounds that are nan are left out; if those are more than half, the ends are nan.
        """
        if not 0 < level < 1:
            raise DataError(f"bootstrap.level: must lie between 0 and 1; received {level}.")
        defined = np.sort(self.rounds[~np.isnan(self.rounds)])
        if not len(defined) or 2 * len(defined) < len(self.rounds):
            return Interval(self.value, float("nan"), float("nan"))
        # How many rounds lie outside at each end; 0.05 · 40 must be 2, though it is a little less.
        outside = int((1 - level) / 2 * (len(defined) - 1) + 1e-9)
        return Interval(self.value, float(defined[outside]), float(defined[-1 - outside]))


def drawn(
    metrics: Mapping[str, Callable[..., float]],
    labels: Column,
    answers: Shaped[np.ndarray, "rows *answers"],
    clusters: Codes,
    *,
    groups: Codes | None = None,
    weights: Column | None = None,
    rounds: int = 200,
    seed: int = 0,
) -> dict[str, Drawn]:
    """Several metrics of the same answers, all on the same draws: what :func:`bootstrap` does once.

    The same seed, rounds and clusters draw the same, whatever the answers and the metrics are.

    :param weights: How much each row counts, however often its cluster is drawn. Default: alike.
    """
    if rounds < 1:
        raise DataError(f"bootstrap.rounds: must be 1 or more; received {rounds}.")
    clusters, size = _codes(labels, clusters)
    measure = _measure(list(metrics.values()), labels, answers, clusters, groups, weights)
    values = measure(None)
    found = np.empty((rounds if size > 1 else 0, len(metrics)))
    random = np.random.default_rng(seed)

    def draw() -> Counts:
        # The same as a multinomial draw, ten times faster for many clusters.
        return np.bincount(random.integers(size, size=size), minlength=size).astype(np.float64)

    # Draws are made one after another, so that they are the same on any number of cores.
    at_once = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    with ThreadPoolExecutor(at_once) as threads:
        for start in range(0, len(found), at_once):
            counts = [draw() for _ in range(min(at_once, len(found) - start))]
            found[start : start + len(counts)] = list(threads.map(measure, counts))
    return {name: Drawn(values[n], found[:, n]) for n, name in enumerate(metrics)}


def bootstrap(
    metric: Callable[..., float],
    labels: Column,
    answers: Shaped[np.ndarray, "rows *answers"],
    clusters: Codes,
    *,
    groups: Codes | None = None,
    rounds: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """The metric with the interval in which it lies for other users like these.

    Each round draws as many clusters as there are, with replacement; the interval is the
    percentiles (1 - level) / 2 and (1 + level) / 2 of the rounds, taken outwards to the nearest
    round. Rounds in which the metric is nan are left out; if those are more than half, or if there
    are fewer than two clusters, the ends are nan. The same seed gives the same interval.

    One round for each core at a time, so memory is a few columns a core; rows are sorted by answer
    once, so that no round sorts them again.

    :param metric: One of :mod:`jointrec.functional.metrics`, or any that follows their rule.
    :param labels: What was seen; rows of nan do not count, nor do clusters without another row.
    :param answers: What was said, ``[rows]`` or ``[rows classes]``.
    :param clusters: Whole numbers that say which user (or entity) a row belongs to.
    :param groups: Handed to the metric.
    :param rounds: How many draws, 1 or more. The time is that of so many metrics.
    :param level: The chance with which the interval should hold the truth, between 0 and 1.
    :raises DataError: ``rounds`` or ``level`` are out of range, or lengths differ.

    >>> from jointrec.functional.metrics import mae
    >>> bootstrap(mae, np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0]), np.array([7, 7, 8]))
    Interval(value=2.0, low=1.5, high=3.0)
    """
    found = drawn(
        {"": metric}, labels, answers, clusters, groups=groups, rounds=rounds, seed=seed
    )  # fmt: skip
    return found[""].interval(level)


def paired(
    metric: Callable[..., float],
    labels: Column,
    a: Shaped[np.ndarray, "rows *answers"],
    b: Shaped[np.ndarray, "rows *answers"],
    clusters: Codes,
    *,
    groups: Codes | None = None,
    rounds: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """The difference ``metric(a) - metric(b)`` with its interval, both on the same draws.

    Much of what moves a metric from draw to draw moves both, so that the difference is known far
    better than either. All else as for :func:`bootstrap`; a round in which either is nan is left
    out.

    :param a: The answers that are asked about.
    :param b: The answers they are compared with, of the same rows.

    >>> from jointrec.functional.metrics import mae
    >>> seen, user = np.array([0.0, 0.0, 0.0]), np.array([7, 7, 8])
    >>> paired(mae, seen, np.array([2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0]), user)
    Interval(value=1.0, low=1.0, high=1.0)
    """
    first, second = (
        drawn({"": metric}, labels, answers, clusters, groups=groups, rounds=rounds, seed=seed)[""]
        for answers in (a, b)
    )
    return (first - second).interval(level)


def _codes(labels: Column, clusters: Codes) -> tuple[NDArray[np.int64], int]:
    """Clusters as 0, 1, 2 … and how many have a known row: the others, last, are never drawn."""
    if len(clusters) != len(labels):
        raise DataError(
            f"bootstrap: labels and clusters need equal lengths: {len(labels)}, {len(clusters)}."
        )
    seen = ~np.isnan(np.asarray(labels, dtype=np.float64))
    names, places = np.unique(clusters[seen], return_inverse=True)
    codes = np.full(len(clusters), len(names), dtype=np.int64)
    codes[seen] = places
    return codes, len(names)


def _measure(
    metrics: Sequence[Callable[..., float]],
    labels: Column,
    answers: Shaped[np.ndarray, "rows *answers"],
    codes: NDArray[np.int64],
    groups: Codes | None,
    weights: Column | None,
) -> Measure:
    """The metrics as a function of how often each cluster was drawn; None is each once."""
    seen = np.flatnonzero(~np.isnan(np.asarray(labels, dtype=np.float64)))
    order = seen[np.argsort(answers[seen], kind="stable")] if answers.ndim == 1 else seen
    rows = _Ordered(labels, answers, codes, groups, weights, order)
    in_groups = rows
    if groups is not None and set(metrics) & set(WITHIN_GROUPS):
        by_group = order[np.argsort(groups[order], kind="stable")]
        in_groups = _Ordered(labels, answers, codes, groups, weights, by_group)

    def measure(counts: Counts | None) -> list[float]:
        told = rows.drawn(counts)
        grouped = told if in_groups is rows else in_groups.drawn(counts)
        return [metric(**(grouped if metric in WITHIN_GROUPS else told)) for metric in metrics]

    return measure


class _Ordered:
    """Rows in an order that metrics like, from which those of the clusters drawn are taken."""

    def __init__(
        self,
        labels: Column,
        answers: Shaped[np.ndarray, "rows *answers"],
        codes: NDArray[np.int64],
        groups: Codes | None,
        weights: Column | None,
        order: NDArray[np.int64],
    ) -> None:
        self.codes = codes[order]
        self.own = None if weights is None else np.asarray(weights, dtype=np.float64)[order]
        columns = {"labels": labels, "answers": answers, "groups": groups}
        self.columns = {
            name: None if values is None else values[order] for name, values in columns.items()
        }

    def drawn(self, counts: Counts | None) -> dict[str, Any]:
        """What a metric is given, without the rows that were not drawn: a third of them."""
        if counts is None:
            return {**self.columns, "weights": self.own}
        weights = counts[self.codes] if self.own is None else counts[self.codes] * self.own
        some = np.flatnonzero(weights)
        told = {n: None if values is None else values[some] for n, values in self.columns.items()}
        return {**told, "weights": weights[some]}
