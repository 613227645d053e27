"""Popularity: what was chosen most often lately. On honest time splits it beats many networks."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.labels import DAY

from .base import Baseline, Question


class Popularity(Baseline):
    """Ranks a catalogue by how often each candidate was the answer in the days before.

    Counted are 1, 7 or 30 days up to the day of the question, whichever ranks the validation rows
    best by the metric that decides; without such rows it is 7.
    """

    name: ClassVar[str] = "popularity"

    def applies(self, question: Question) -> bool:
        return question.project.tasks[question.task].ranks_catalogue

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        windows = range(question.prepared.popularity[question.task].counts.shape[2])
        if not len(question.valid):
            return ranks(question, question.test, windows[1])
        metrics = question.project.tasks[question.task].metrics
        deciding = metrics[next(iter(metrics))]
        sign = -1.0 if deciding.better == "lower" else 1.0
        labels = question.labels[question.valid]
        best = max(
            windows,
            key=lambda window: (
                sign * deciding.measure(labels, ranks(question, question.valid, window))
            ),
        )
        return ranks(question, question.test, best)


def ranks(
    question: Question, rows: Int64[np.ndarray, "some"], window: int
) -> Float64[np.ndarray, "some"]:
    """The rank of the right candidate by the counts of its day, those level with it before it."""
    popularity = question.prepared.popularity[question.task]
    assert question.asked.times is not None, "what comes next is asked at a moment"
    days = question.asked.times[rows] // DAY - popularity.first_day
    days = np.clip(days, 0, len(popularity.counts) - 1)
    right = question.labels[rows].astype(np.int64)
    found = np.empty(len(rows))
    # All questions of a day are answered alike, so each day is sorted once.
    for day in np.unique(days):
        asked = np.flatnonzero(days == day)
        counts = popularity.counts[day, :, window]
        below = np.searchsorted(np.sort(counts[1:]), counts[right[asked]], side="left")
        found[asked] = len(counts) - 1 - below
    return found
