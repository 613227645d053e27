"""EASE: the best linear guess of what somebody has, from all else that they have."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64

from .base import Baseline, Question
from .choosing import chosen
from .interactions import OWN, actor, few_scores, learned, need_scipy, num_candidates, ranks_by

PENALTIES = (100.0, 10.0, 1000.0)
MOST_ITEMS = 20_000
"""A table of all pairs of so many items has 3.2 GB."""
QUICK_ITEMS = 3_000
"""One of so many is inverted in a second."""


class EASE(Baseline):
    r"""Ranks a catalogue by a linear model of items on items, in closed form.

    With X who had what, it makes :math:`\lVert X - XB \rVert^2 + \lambda \lVert B \rVert^2` least
    among all B whose diagonal is 0 (Steck 2019, https://arxiv.org/abs/1905.03375):

    .. math:: P = (X^T X + \lambda I)^{-1}, \qquad B_{ij} = -P_{ij} / P_{jj}

    The score of a candidate is the sum over what was had before, as far as history goes; those
    level stand by seven-day popularity. λ and what to do with what was had already are chosen on
    validation rows. For up to 20,000 candidates; the time grows with their cube.
    """

    name: ClassVar[str] = "ease"
    packages: ClassVar[tuple[str, ...]] = ("scipy",)

    def applies(self, question: Question) -> bool:
        return (
            bool(len(question.train))
            and actor(question) is not None
            and num_candidates(question) <= MOST_ITEMS
        )

    def quick(self, question: Question) -> bool:
        few = num_candidates(question) <= QUICK_ITEMS
        return few and few_scores(question, len(PENALTIES) * len(OWN))

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        need_scipy(self.name)
        people = learned(question)
        together = (people.T @ people).toarray()

        @cache
        def model(penalty: float) -> Float64[np.ndarray, "items items"]:
            return weights(together, penalty)

        def ranks(
            setting: tuple[float, float], rows: Int64[np.ndarray, "rows"]
        ) -> np.ndarray[Any, np.dtype[np.float64]]:
            penalty, own = setting
            return ranks_by(question, rows, lambda before: before @ model(penalty), own)

        best = chosen(question, list(product(PENALTIES, OWN)), ranks)
        return ranks(best, question.test)


def weights(
    together: Float64[np.ndarray, "items items"], penalty: float
) -> Float64[np.ndarray, "items items"]:
    """The B of :class:`EASE`.

    :param together: How many people had both of two items.

    >>> weights(np.array([[2.0, 1.0], [1.0, 2.0]]), 1.0)  # each: 1 / (2 + 1)
    array([[0.        , 0.33333333],
           [0.33333333, 0.        ]])
    """
    inverse = np.linalg.inv(together + penalty * np.eye(len(together)))
    found: Float64[np.ndarray, "items items"] = inverse / -np.diag(inverse)
    np.fill_diagonal(found, 0.0)
    return found
