"""BG/NBD: who buys at their own rate, until they leave for good."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float64

from jointrec.labels import DAY, Later

from .base import Baseline, Question
from .habits import Habits, asks_return, habits, people_of, strangers
from .interactions import need_scipy

WIDEST = 8.0
"""The logarithm of a parameter is between − this and this, in units of the mean age."""


class Customers(NamedTuple):
    """The four parameters: rates are Gamma(r, α) a day, chances to leave are Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


class BGNBD(Baseline):
    r"""Says whether somebody comes back by three numbers: how often, how lately, since when.

    Each buys at a rate of their own and leaves for good with a chance of their own after each
    purchase; both differ between people by a law with four parameters (Fader, Hardie and Lee 2005,
    https://doi.org/10.1287/mksc.1040.0098). They are fitted by maximum likelihood to the last
    training row of each person. The chance of no purchase within w days is

    .. math:: 1 - P(\text{alive}) \left[1 - \left(\frac{\alpha + T}{\alpha + T + w}\right)^{r + x}
        \right], \quad P(\text{alive}) = 1 \Big/ \left[1 + \frac{a}{b + x - 1}
        \left(\frac{\alpha + T}{\alpha + t_x}\right)^{r + x}\right]

    and P(alive) is 1 for who bought once (x = 0). Events of any kind will do, not purchases alone.
    Who has none before the moment is answered with the mean of training rows alike.
    """

    name: ClassVar[str] = "bg_nbd"
    packages: ClassVar[tuple[str, ...]] = ("scipy",)

    def applies(self, question: Question) -> bool:
        return asks_return(question)

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        need_scipy(self.name)
        label = question.project.tasks[question.task].label
        assert isinstance(label, Later)
        assert label.window is not None
        known = habits(question, question.train)
        asked = habits(question, question.test)
        answers = np.full(len(question.test), strangers(question, known))
        if known.some.any():
            customers = fitted(_latest(question, known))
            none = chance_of_none(customers, asked.of(asked.some), label.window / DAY)
            answers[asked.some] = none if label.verb == "no" else 1 - none
        return answers


def fitted(known: Habits) -> Customers:
    """The parameters that make habits likeliest, none of them nan.

    Time is measured in mean ages while fitting, so that all four are of a size.
    """
    from scipy.optimize import minimize

    unit = max(float(known.age.mean()), 1.0)
    table = np.stack([known.repeats, known.last / unit, known.age / unit], axis=1)
    distinct, counts = np.unique(table, axis=0, return_counts=True)
    scaled = Habits(*distinct.T)

    def loss(logs: Float64[np.ndarray, "4"]) -> float:
        likely = log_likelihood(Customers(*np.exp(logs).tolist()), scaled)
        return -float(np.average(likely, weights=counts))

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-WIDEST, WIDEST)] * 4)
    r, alpha, a, b = np.exp(found.x).tolist()
    return Customers(r, alpha * unit, a, b)


def log_likelihood(customers: Customers, known: Habits) -> Float64[np.ndarray, "rows"]:
    """How likely each habit is: equation 6 of the paper, in nats."""
    from scipy.special import betaln, gammaln

    r, alpha, a, b = customers
    x, last, age = known.repeats, known.last, known.age
    both = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    # Who never came again has had no purchase to leave after.
    left = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + last)
    found: Float64[np.ndarray, "rows"] = both + np.where(x > 0, np.logaddexp(alive, left), alive)
    return found


def chance_of_none(customers: Customers, asked: Habits, days: float) -> Float64[np.ndarray, "rows"]:
    """The chance that it does not happen within so many days, given habits that are not nan."""
    r, alpha, a, b = customers
    x, last, age = asked.repeats, asked.last, asked.age
    # What to the power of r + x would overflow is written by its logarithm.
    odds = np.log(a) - np.log(b + np.maximum(x, 1) - 1)
    odds = odds + (r + x) * (np.log(alpha + age) - np.log(alpha + last))
    alive = np.where(x > 0, np.exp(-np.logaddexp(0.0, odds)), 1.0)
    again = -np.expm1((r + x) * (np.log(alpha + age) - np.log(alpha + age + days)))
    found: Float64[np.ndarray, "rows"] = 1 - alive * again
    return found


def _latest(question: Question, known: Habits) -> Habits:
    """The habits of everybody at their last training row, of those who have some."""
    times = question.asked.times
    assert times is not None
    some = np.flatnonzero(known.some)
    rows = question.train[some]
    people = people_of(question, rows)
    order = np.lexsort((times[rows], people))
    last = some[order[np.append(np.diff(people[order]) != 0, True)]]
    return known.of(last)
