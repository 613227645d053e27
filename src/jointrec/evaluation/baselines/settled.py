"""What was asked of the same thing before, and is settled by now: a series of labels for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.labels import Later

from .base import Question


@dataclass(frozen=True)
class Settled:
    """The known labels of a grain asked every so often, thing by thing, oldest first.

    A label that was asked at t is known from t + window on, and nothing here is used before. So a
    row of the test may use labels of earlier test rows, as a shop would on that day.

    :param things: The code of each.
    :param times: When each was asked (µs).
    :param values: The labels.
    :param moments: All distinct times, ascending.
    :param keys: Thing and place of the time in one number, ascending.
    :param window: How long after it was asked a label is known (µs).
    """

    things: Int64[np.ndarray, "known"]
    times: Int64[np.ndarray, "known"]
    values: Float64[np.ndarray, "known"]
    moments: Int64[np.ndarray, "moments"]
    keys: Int64[np.ndarray, "known"]
    window: int

    @classmethod
    def of(cls, question: Question) -> Settled:
        """The series of a question for which :func:`has_series` holds, so there is some label."""
        label = question.project.tasks[question.task].label
        assert isinstance(label, Later)
        assert label.window is not None
        known = np.flatnonzero(~np.isnan(question.labels))
        codes, times = asked_of(question, known)
        order = np.lexsort((times, codes))
        codes, times = codes[order], times[order]
        moments = np.unique(times)
        keys = codes * (len(moments) + 1) + np.searchsorted(moments, times)
        return cls(codes, times, question.labels[known[order]], moments, keys, label.window)

    def exactly(
        self, things: Int64[np.ndarray, "rows"], times: Int64[np.ndarray, "rows"], lag: int
    ) -> Float64[np.ndarray, "rows"]:
        """The label of each thing asked ``lag`` µs before; nan where none was.

        :param lag: At least the window, or it would not be known.
        """
        assert lag >= self.window, "what is not settled is not known"
        place = self._place(things, times - lag)
        found = np.full(len(things), np.nan)
        there = place >= 0
        there[there] = self.times[place[there]] == times[there] - lag
        found[there] = self.values[place[there]]
        return found

    def smoothed(
        self,
        things: Int64[np.ndarray, "rows"],
        times: Int64[np.ndarray, "rows"],
        start: float,
        share: float,
    ) -> Float64[np.ndarray, "rows"]:
        """The level of each thing by all of its labels that are known at a time.

        :param start: The level of what has no label yet.
        :param share: How far each label moves the level towards itself, above 0 and at most 1.
        """
        levels = np.empty(len(self.values))
        number = np.arange(len(levels)) - np.searchsorted(self.things, self.things)
        # The n-th label of every thing at once: there are as many steps as moments.
        order = np.argsort(number, kind="stable")
        for now in np.split(order, np.cumsum(np.bincount(number))[:-1]):
            before = levels[now - 1] if number[now[0]] else np.full(len(now), start)
            levels[now] = before + share * (self.values[now] - before)
        place = self._place(things, times - self.window)
        return np.where(place >= 0, levels[place], start)

    def _place(
        self, things: Int64[np.ndarray, "rows"], times: Int64[np.ndarray, "rows"]
    ) -> Int64[np.ndarray, "rows"]:
        """The last label of each thing asked at a time or before; −1 where there is none."""
        rank = np.searchsorted(self.moments, times, side="right") - 1
        width = len(self.moments) + 1
        place = np.searchsorted(self.keys, things * width + rank, side="right") - 1
        own = (place >= 0) & (rank >= 0)
        own[own] = self.things[place[own]] == things[own]
        return np.where(own, place, -1)


def has_series(question: Question) -> bool:
    """Whether it asks, every so often, how many or how much there will be within a window."""
    task = question.project.tasks[question.task]
    return (
        task.form in ("count", "amount")
        and isinstance(task.label, Later)
        and task.label.window is not None
        and question.asked.grain.asking == "every"
        and len(question.train) > 0
    )


def asked_of(
    question: Question, rows: Int64[np.ndarray, "rows"]
) -> tuple[Int64[np.ndarray, "rows"], Int64[np.ndarray, "rows"]]:
    """Of what each row is asked, as its code, and when."""
    entity = question.asked.grain.table
    moments, at = question.asked.moments[entity], question.asked.at[entity][rows]
    times = question.asked.times
    assert times is not None, "what is asked every so often has moments"
    return question.prepared.things[entity].codes_of(moments.things[at]), times[rows]
