"""How often and how lately: what customer-base analysis knows of somebody at a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from jointrec.labels import DAY, Later

from .base import Question


@dataclass(frozen=True)
class Habits:
    """The past of some rows in three numbers (Fader, Hardie and Lee 2005), in days.

    Several events of a day count once. Nan where nothing happened before the moment.

    :param repeats: On how many days it happened after the first such day: x.
    :param last: How long after the first day the last one was: t_x, at most :attr:`age`.
    :param age: How long ago the first day was: T.
    """

    repeats: Float64[np.ndarray, "rows"]
    last: Float64[np.ndarray, "rows"]
    age: Float64[np.ndarray, "rows"]

    @property
    def some(self) -> Bool[np.ndarray, "rows"]:
        """Where anything happened before."""
        known: Bool[np.ndarray, "rows"] = ~np.isnan(self.repeats)
        return known

    def of(self, which: Bool[np.ndarray, "rows"] | Int64[np.ndarray, "rows"]) -> Habits:
        """Those of some rows."""
        return Habits(self.repeats[which], self.last[which], self.age[which])


def asks_return(question: Question) -> bool:
    """Whether it asks, every so often, if somebody does again (or no more) what the past holds."""
    task = question.project.tasks[question.task]
    if not (task.form == "chance" and isinstance(task.label, Later) and len(question.train)):
        return False
    entity = question.asked.grain.table
    return (
        task.label.verb in ("any", "no")
        and question.asked.grain.asking == "every"
        and entity in question.prepared.past
        and task.label.event in question.prepared.layout.kinds[entity]
    )


def habits(question: Question, rows: Int64[np.ndarray, "rows"]) -> Habits:
    """The habits of each row at its moment, for a question that :func:`asks_return`.

    The past of somebody begins with the history of the first row that is asked of them: where that
    is cut to its last events, so are habits.
    """
    label, entity = question.project.tasks[question.task].label, question.asked.grain.table
    assert isinstance(label, Later)
    moments, past = question.asked.moments[entity], question.prepared.past[entity]
    assert moments.times is not None
    people, at = people_of(question, np.arange(len(question.asked))), question.asked.at[entity]
    begins = np.full(people.max(initial=0) + 1, len(past.times))
    np.minimum.at(begins, people, moments.start[at])
    begin, stop = begins[people[rows]], moments.stop[at[rows]]

    kind = question.prepared.layout.kinds[entity].index(label.event)
    events = np.flatnonzero(past.kinds == kind)
    days = past.times[events] // DAY
    first = np.searchsorted(events, begin)
    end = np.searchsorted(events, stop)
    some = end > first
    # How often the day changed from one event to the next: all between first and end are one's own.
    changes = np.concatenate([[0, 0], np.cumsum(np.diff(days) != 0)])
    first, last = first[some], end[some] - 1
    now = moments.times[at[rows]][some] // DAY
    found = [np.full(len(rows), np.nan) for _ in range(3)]
    found[0][some] = changes[last + 1] - changes[first + 1]
    found[1][some] = days[last] - days[first]
    found[2][some] = now - days[first]
    return Habits(*found)


def people_of(question: Question, rows: Int64[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
    """The code of whom each row asks about."""
    entity = question.asked.grain.table
    things = question.asked.moments[entity].things[question.asked.at[entity][rows]]
    return question.prepared.things[entity].codes_of(things)


def strangers(question: Question, known: Habits) -> float:
    """What to say of those of whom nothing is known: the mean of training rows alike.

    One more row of the mean of all is added.

    :param known: The habits of the training rows.
    """
    labels = question.labels[question.train]
    alike = labels[~known.some]
    return float((alike.sum() + labels.mean()) / (len(alike) + 1))
