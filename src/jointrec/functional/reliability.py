"""How often what was said to happen with a certain chance did happen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .metrics import ece, pcoc
from .metrics.rows import Column, equal_shares, known, yes_or_no

BINS = 15
"""Into how many shares rows are cut, as :func:`~jointrec.functional.metrics.ece` cuts them."""


@dataclass(frozen=True)
class Reliability:
    """Chances beside what happened, in shares of equally many rows from the lowest chance up.

    :param ece: The expected calibration error over these shares.
    :param pcoc: Predicted over observed, of all rows.
    :param said: The mean chance in each share that has rows.
    :param seen: How often it happened there.
    :param rows: How many rows it has.
    """

    ece: float
    pcoc: float
    said: tuple[float, ...]
    seen: tuple[float, ...]
    rows: tuple[int, ...]


def reliability(labels: Column, answers: Column) -> Reliability | None:
    """The reliability diagram of some chances; None where no label is known.

    DeGroot and Fienberg (1983), `The Comparison and Evaluation of Forecasters
    <https://doi.org/10.2307/2987588>`_, with shares of equal mass, as most chances are small.

    :param labels: 1 happened, 0 did not, nan unknown.
    :param answers: Chances of yes, from 0 to 1.

    >>> found = reliability(np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.75, 0.75]))
    >>> found.said, found.seen, found.rows
    ((0.25, 0.75), (0.5, 1.0), (2, 2))
    """
    rows = known(labels, answers, None, None)
    if rows is None:
        return None
    yes_or_no(rows, "reliability")
    place = equal_shares(rows.answers, rows.weights, BINS)
    counts = np.bincount(place)
    there = counts > 0
    said = np.bincount(place, weights=rows.answers)[there] / counts[there]
    seen = np.bincount(place, weights=rows.labels)[there] / counts[there]
    return Reliability(
        ece(labels, answers, bins=BINS),
        pcoc(labels, answers),
        tuple(said.tolist()),
        tuple(seen.tolist()),
        tuple(counts[there].tolist()),
    )
