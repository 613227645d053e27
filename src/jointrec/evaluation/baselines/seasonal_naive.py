"""The seasonal naive forecast: as much as a season ago."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.labels import DAY, microseconds
from jointrec.plan import DEFAULT_EVERY

from .base import Baseline, Question
from .choosing import chosen
from .settled import Settled, asked_of, has_series

WEEK, YEAR = 7 * DAY, 364 * DAY
"""A year of whole weeks, so that weekdays meet weekdays."""


class SeasonalNaive(Baseline):
    """Answers how many or how much with what the same span brought one season before.

    A season is the last window that is over, the last whole weeks, or a year (364 days): whichever
    answers the validation rows best; without them the last window. It is the yardstick of
    forecasting (Hyndman and Koehler 2006, https://doi.org/10.1016/j.ijforecast.2006.03.001).

    A plain answer of 0 would be infinitely wrong where one is sold after all. So where it was 0,
    and where nothing was asked a season ago, the answer is the mean of training rows alike, and one
    more row of the mean of all.
    """

    name: ClassVar[str] = "seasonal_naive"

    def applies(self, question: Question) -> bool:
        return has_series(question)

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        settled = Settled.of(question)

        def answers(lag: int, rows: Int64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows"]:
            return _filled(question, settled, lag, rows)

        best = chosen(question, lags(settled.window, question.asked.grain.every), answers)
        return answers(best, question.test)


def lags(window: int, every: int | None) -> list[int]:
    """How long ago a season may have been, in µs: only what was asked then, and is over.

    >>> [lag // DAY for lag in lags(3 * DAY, DAY)], [lag // DAY for lag in lags(28 * DAY, WEEK)]
    ([3, 7, 364], [28, 364])
    """
    step = every or microseconds(DEFAULT_EVERY)
    found = [-(-window // step) * step, -(-window // WEEK) * WEEK, YEAR]
    return [lag for lag in dict.fromkeys(found) if lag >= window and lag % step == 0]


def _filled(
    question: Question, settled: Settled, lag: int, rows: Int64[np.ndarray, "rows"]
) -> Float64[np.ndarray, "rows"]:
    """What was a season ago, and means where that says nothing."""
    said = settled.exactly(*asked_of(question, rows), lag)
    known = settled.exactly(*asked_of(question, question.train), lag)
    labels = question.labels[question.train]
    for there, alike in ((np.isnan(said), np.isnan(known)), (said == 0, known == 0)):
        said[there] = (labels[alike].sum() + labels.mean()) / (alike.sum() + 1)
    return said
