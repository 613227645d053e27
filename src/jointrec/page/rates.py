"""How often the answer of a task is yes, or how large it is, over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.labels import DAY
from jointrec.prepare.answers import AllAnswered
from jointrec.project import Project

POINTS = 90
"""At most so many stretches of time are drawn."""


@dataclass(frozen=True)
class Rate:
    """The mean label of a task over time.

    :param task: Its name.
    :param what: What is drawn: the mean of known labels, or their number.
    :param values: One for each stretch of whole days, nan where nothing is known.
    :param first, until: The first moment, and the first µs after the last stretch.
    """

    task: str
    what: str
    values: tuple[float, ...]
    first: int
    until: int

    def mark(self, moment: int | None) -> float:
        """Where a moment stands, as a share of the time drawn; −1 without a moment."""
        return -1.0 if moment is None else (moment - self.first) / (self.until - self.first)


def rates_of(project: Project, answers: AllAnswered) -> list[Rate]:
    """The rate of every task that is asked at moments."""
    found: list[Rate] = []
    for grain, rows in answers.rows.items():
        if rows.times is None or len(rows.times) == 0:
            continue
        for name, labels in answers.answered[grain].labels.items():
            task = project.tasks[name]
            counted = not task.adds_up
            found.append(rate_of(name, rows.times, labels, counted=counted))
    return found


def rate_of(
    task: str,
    times: Int64[np.ndarray, "rows"],
    labels: Float64[np.ndarray, "rows"],
    *,
    counted: bool = False,
) -> Rate:
    """The mean of the known labels in each stretch of time, or how many there are.

    >>> rate_of("buy", np.array([0, 1, DAY]), np.array([1.0, 0.0, np.nan])).values
    (0.5, nan)
    """
    first = int(times.min()) // DAY * DAY
    days = (int(times.max()) - first) // DAY + 1
    stretch = -(-days // POINTS)
    number = -(-days // stretch)
    known = ~np.isnan(labels)
    place = ((times - first) // (DAY * stretch))[known]
    counts = np.bincount(place, minlength=number).astype(float)
    if counted:
        values = counts
    else:
        sums = np.bincount(place, weights=labels[known], minlength=number)
        values = np.divide(sums, counts, out=np.full(number, np.nan), where=counts > 0)
    long = "day" if stretch == 1 else f"{stretch} days"
    what = f"known labels per {long}" if counted else f"mean label per {long}"
    return Rate(task, what, tuple(values.tolist()), first, first + number * stretch * DAY)
