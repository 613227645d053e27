"""How well one column by itself tells a yes-or-no answer: on rows that it was not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

FOLDS = 5
PRIOR = 1.0
"""How many rows of the usual answer every value of a column starts with."""
SURE = 0.9
"""A value is called sure of an answer from this share on, judged by other rows."""


@dataclass(frozen=True)
class Power:
    """How well a column tells an answer.

    :param auc: The area under the ROC curve: 0.5 tells nothing, 1 everything.
    :param spread: Its standard error; rows of one cluster count as one draw.
    :param error: The same with a floor, so that few rows that happen to be in order prove nothing.
    :param clusters: How many clusters there are of the rarer answer.
    :param told: The share of the uncertainty about the answer that the column takes away
        (1 − log loss / entropy), at most 1; below 0 it misleads.
    :param precision: How often the answer is yes among rows whose value is sure of yes.
    :param recall: How many of all yes those are.
    :param sure: How many clusters those rows belong to.
    """

    auc: float
    spread: float
    error: float
    clusters: int
    told: float
    precision: float
    recall: float
    sure: int

    def low(self, deviations: float) -> float:
        """A lower bound of the AUC."""
        return self.auc - deviations * self.error


NOTHING = Power(0.5, 0.5, 0.5, 0, 0.0, 0.0, 0.0, 0)
"""Where nothing can be said."""


def folds_of(clusters: Int64[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
    """The fold of each row; a cluster is in one fold, always the same."""
    mixed = (clusters.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(FOLDS)).astype(np.int64)


def power(
    yes: Bool[np.ndarray, "rows"],
    share: float,
    codes: Int64[np.ndarray, "rows"],
    clusters: Int64[np.ndarray, "rows"],
) -> Power:
    """How well codes tell an answer, each row judged by what was learned from other clusters.

    :param share: How often it is yes in truth, where the rows were drawn by their answer.
    :param codes: The value of each row, as a number from 0.
    :param clusters: Which rows belong together, from 0.

    >>> yes = np.arange(400) % 2 == 0
    >>> round(power(yes, 0.5, yes.astype(np.int64), np.arange(400)).auc, 2)
    1.0
    """
    if yes.all() or not yes.any():
        return NOTHING
    size = int(codes.max()) + 1
    cells = folds_of(clusters) * size + codes
    rows, happened = _counts(cells, yes, size)
    rows, happened = rows.sum(0) - rows, happened.sum(0) - happened
    rates = _rates(rows, happened)
    auc, spread, error, seen = _auc(yes, rates.ravel(), cells, clusters)
    tilt = _tilt(yes, share)
    chances = tilt * rates / (tilt * rates + 1 - rates)
    told = _told(yes, share, tilt, chances.ravel()[cells])
    few = rows < 5
    precision, recall, sure = _sure(yes, tilt, np.where(few, 0.0, chances).ravel()[cells], clusters)
    return Power(auc, spread, error, seen, told, precision, recall, sure)


def power_later(
    yes: Bool[np.ndarray, "rows"],
    codes: Int64[np.ndarray, "rows"],
    clusters: Int64[np.ndarray, "rows"],
    learn: Bool[np.ndarray, "rows"],
    judge: Bool[np.ndarray, "rows"],
) -> tuple[Power, float]:
    """How well codes tell an answer in some rows, learned from others.

    :param learn: Rows that are learned from.
    :param judge: Rows that are judged; those with a value that was never learned are left out.
    :returns: The power, and the share of rows to judge whose value was learned.
    """
    size = int(codes.max()) + 1
    rows, happened = _counts(codes[learn], yes[learn], size, folds=1)
    seen = rows[0][codes] > 0
    judged = judge & seen
    known = float(judged.sum() / max(int(judge.sum()), 1))
    told = yes[judged]
    if len(told) == 0 or told.all() or not told.any() or not 0 < happened.sum() < rows.sum():
        return NOTHING, known
    rates = _rates(rows, happened)[0]
    own = np.unique(clusters[judged], return_inverse=True)[1]
    auc, spread, error, count = _auc(told, rates, codes[judged], own)
    return Power(auc, spread, error, count, 0.0, 0.0, 0.0, 0), known


def explained(
    amounts: Float64[np.ndarray, "rows"],
    codes: Int64[np.ndarray, "rows"],
    clusters: Int64[np.ndarray, "rows"],
) -> float:
    """The share of the variance of amounts, as ranks, that codes explain in other clusters."""
    ranks = np.unique(amounts, return_inverse=True)[1].astype(np.float64)
    below = np.cumsum(np.bincount(ranks.astype(np.int64)))
    ranks = below[ranks.astype(np.int64)].astype(np.float64)
    ranks -= ranks.mean()
    size = int(codes.max()) + 1
    cells = folds_of(clusters) * size + codes
    rows = np.bincount(cells, minlength=FOLDS * size).reshape(FOLDS, size)
    sums = np.bincount(cells, ranks, minlength=FOLDS * size).reshape(FOLDS, size)
    means = (sums.sum(0) - sums) / (rows.sum(0) - rows + PRIOR)
    total = float((ranks**2).sum())
    if total == 0:
        return 0.0
    return 1.0 - float(((ranks - means.ravel()[cells]) ** 2).sum()) / total


def _counts(
    cells: Int64[np.ndarray, "rows"], yes: Bool[np.ndarray, "rows"], size: int, folds: int = FOLDS
) -> tuple[Float64[np.ndarray, "folds size"], Float64[np.ndarray, "folds size"]]:
    """How many rows, and how many of them yes, each cell has."""
    rows = np.bincount(cells, minlength=folds * size).astype(np.float64).reshape(folds, size)
    happened = np.bincount(cells[yes], minlength=folds * size).astype(np.float64)
    return rows, happened.reshape(folds, size)


def _rates(
    rows: Float64[np.ndarray, "folds size"], happened: Float64[np.ndarray, "folds size"]
) -> Float64[np.ndarray, "folds size"]:
    base = happened.sum(1, keepdims=True) / np.maximum(rows.sum(1, keepdims=True), 1)
    rates: Float64[np.ndarray, "folds size"] = (happened + PRIOR * base) / (rows + PRIOR)
    return rates


def _auc(
    yes: Bool[np.ndarray, "rows"],
    scores: Float64[np.ndarray, "cells"],
    cells: Int64[np.ndarray, "rows"],
    clusters: Int64[np.ndarray, "rows"],
) -> tuple[float, float, float, int]:
    """AUC, its standard error by clusters (DeLong's placements, summed), the same with a floor, and
    the number of clusters.

    The floor is the error of a share of ``m`` draws with one success and one failure added, for
    ``m`` clusters of the rarer answer.
    """
    values, place = np.unique(scores, return_inverse=True)
    place = place[cells]
    ups = np.bincount(place[yes], minlength=len(values)).astype(np.float64)
    downs = np.bincount(place[~yes], minlength=len(values)).astype(np.float64)
    below = (np.cumsum(downs) - downs / 2) / downs.sum()
    above = 1 - (np.cumsum(ups) - ups / 2) / ups.sum()
    auc = float((ups * below).sum() / ups.sum())
    of_row = np.where(yes, (below[place] - auc) / ups.sum(), (above[place] - auc) / downs.sum())
    spread = float(np.sqrt((np.bincount(clusters, of_row) ** 2).sum()))
    count = min(_distinct(clusters[yes]), _distinct(clusters[~yes]))
    share = (count * auc + 1) / (count + 2)
    return auc, spread, max(spread, float(np.sqrt(share * (1 - share) / count))), count


def _tilt(yes: Bool[np.ndarray, "rows"], share: float) -> float:
    """By how much odds in the rows must be multiplied to be odds in truth."""
    drawn = float(yes.mean())
    return (share / (1 - share)) / (drawn / (1 - drawn)) if 0 < share < 1 else 1.0


def _told(
    yes: Bool[np.ndarray, "rows"],
    share: float,
    tilt: float,
    chances: Float64[np.ndarray, "rows"],
) -> float:
    chances = np.clip(chances, 1e-6, 1 - 1e-6)
    weights = np.where(yes, tilt, 1.0)
    loss = -np.average(np.log(np.where(yes, chances, 1 - chances)), weights=weights)
    base = np.clip(share, 1e-6, 1 - 1e-6)
    return float(1 - loss / -(base * np.log(base) + (1 - base) * np.log(1 - base)))


def _sure(
    yes: Bool[np.ndarray, "rows"],
    tilt: float,
    chances: Float64[np.ndarray, "rows"],
    clusters: Int64[np.ndarray, "rows"],
) -> tuple[float, float, int]:
    sure = chances >= SURE
    right, wrong = tilt * float((sure & yes).sum()), float((sure & ~yes).sum())
    if right + wrong == 0:
        return 0.0, 0.0, 0
    recall = float((sure & yes).sum() / yes.sum())
    return right / (right + wrong), recall, _distinct(clusters[sure])


def _distinct(clusters: Int64[np.ndarray, "rows"]) -> int:
    """How many different clusters there are: counting is faster than sorting."""
    return int(np.count_nonzero(np.bincount(clusters)))
