"""What a task is to a model that gives one answer: as many tasks as the answer has parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float64

from .base import Question


@dataclass(frozen=True)
class Part:
    """One of the models that a task needs.

    :param labels: The label of every row of the grain; nan where the row does not take part.
    :param weights: How much each row counts; None where all count alike.
    :param settings: What this one is asked, beside what all are.
    """

    labels: Float64[np.ndarray, "rows"]
    weights: Float64[np.ndarray, "rows"] | None
    settings: Mapping[str, Any] = field(default_factory=dict)


def parts_of(question: Question) -> list[Part]:
    """One part; or one for each quantile, member of a set, step of a sequence or bin of time.

    A bin of time has its hazard: whether it happens there, of those to whom it had not before. One
    that was followed for a share of the bin, and to whom it did not happen, counts that share, as
    in the network's own loss (see `jointrec.functional.losses.survival`).
    """
    task, labels = question.project.tasks[question.task], question.labels
    weights = question.asked.weights.get(question.task)
    if task.form == "quantiles":
        return [Part(labels, weights, {"alpha": level}) for level in task.levels_asked]
    if task.form == "set":
        return [
            Part(_member(labels, n), weights)
            for n in range(question.prepared.layout.sizes[question.task])
        ]
    if task.form == "steps":
        return [
            Part(_step(labels, n), weights)
            for n in range(question.prepared.layout.sizes[question.task])
        ]
    if task.form == "times":
        return _hazards(labels, weights, task.bounds)
    return [Part(labels, weights)]


def together(
    question: Question, said: Sequence[np.ndarray[Any, np.dtype[np.float64]]]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The answers of the parts as one of the task."""
    form = question.project.tasks[question.task].form
    if form == "quantiles":
        return np.sort(np.stack(said, axis=1), axis=1) if len(said) > 1 else said[0]
    if form in ("set", "steps"):
        return np.stack(said, axis=1)
    if form == "times":
        staying = np.cumprod(1 - np.stack(said, axis=1), axis=1)
        return np.asarray(1 - staying, dtype=np.float64)
    return said[0]


def always(labels: Float64[np.ndarray, "some"]) -> float | None:
    """The chance to answer where yes or no is always the same; None where it is not.

    Nothing can be learned then. Half a row of each is added, so that no chance is 0 or 1.

    >>> always(np.zeros(9)), always(np.array([0.0, 1.0]))
    (0.05, None)
    """
    if len(np.unique(labels)) > 1:
        return None
    return float((labels.sum() + 0.5) / (len(labels) + 1))


def _member(labels: Float64[np.ndarray, "rows"], which: int) -> Float64[np.ndarray, "rows"]:
    """Whether a class is in each set, which is written as one number: a bit for each class."""
    known = ~np.isnan(labels)
    bits = np.where(known, labels, 0).astype(np.int64) >> which & 1
    return np.where(known, bits.astype(np.float64), np.nan)


def _step(labels: Float64[np.ndarray, "rows"], which: int) -> Float64[np.ndarray, "rows"]:
    """One step of each sequence, which is written as one number: a digit to the base 3 for each,
    0 where it is unknown, 1 for no and 2 for yes."""
    digits = np.nan_to_num(labels).astype(np.int64) // 3**which % 3
    return np.where(digits > 0, digits - 1.0, np.nan)


def _hazards(
    labels: Float64[np.ndarray, "rows"],
    weights: Float64[np.ndarray, "rows"] | None,
    bounds: Sequence[float],
) -> list[Part]:
    """Of each bin who is in it, to whom it happened there, and for how much of it each counts."""
    ends = np.array(bounds)
    days, happened = np.abs(labels), ~np.signbit(labels)
    # A time on an edge lies in the bin that begins there.
    place = np.searchsorted(ends[1:-1], days, side="right")
    parts = []
    for n, (start, end) in enumerate(pairwise(bounds)):
        here = happened & (place == n)
        followed = np.where(here, 1.0, np.clip((days - start) / (end - start), 0, 1))
        inside = ~np.isnan(labels) & (followed > 0)
        counts = np.where(inside, followed, 0.0)
        parts.append(
            Part(
                np.where(inside, here.astype(np.float64), np.nan),
                counts if weights is None else counts * weights,
            )
        )
    return parts
