"""Exponential smoothing: what was lately, and ever less of what was before."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64

from .base import Baseline, Question
from .choosing import chosen
from .settled import Settled, asked_of, has_series

SHARES = (0.2, 0.05, 0.1, 0.3, 0.5, 0.8)


class ETS(Baseline):
    r"""Answers how many or how much with the smoothed level of the same thing.

    Simple exponential smoothing, ETS(A,N,N), which has neither trend nor season (Brown 1959;
    Hyndman et al. 2008, *Forecasting with Exponential Smoothing*):

    .. math:: l_k = l_{k-1} + \alpha (y_k - l_{k-1})

    over the labels y of a thing that are known at the moment, oldest first. Where windows overlap,
    so do the labels. A level starts at the mean of the training labels. α is the same for all
    things; it is chosen on validation rows, and .2 without them.
    """

    name: ClassVar[str] = "ets"

    def applies(self, question: Question) -> bool:
        return has_series(question)

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        settled = Settled.of(question)
        start = float(question.labels[question.train].mean())

        def answers(share: float, rows: Int64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows"]:
            return settled.smoothed(*asked_of(question, rows), start, share)

        return answers(chosen(question, SHARES, answers), question.test)
