"""Metrics of grades: levels that stand in an order, answered by a chance for each.

Labels are places of levels, from 0. Where one number is needed, a row's answer is its expected
place.
"""

import numpy as np

from jointrec.errors import DataError

from .amount import mae, spearman
from .rows import NAN, Codes, Column, Floats, Rows, Table, classes, first_of_ties, known

STEEPEST = 4
"""The gain of the best grade is 2 to this power less 1, however many levels there are."""


def kappa(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""How far grades agree beyond chance, large errors counting most: quadratic-weighted kappa.

    .. math::
        1 - \frac{\mathrm{mean}\,(y - r)^2}{\mathrm{var}\,y + \mathrm{var}\,r + (\bar y - \bar r)^2}

    Cohen (1968), with r the expected place rounded to the nearest level (a half upwards). From -1
    to 1; 0 is an answer that is the same for all, 1 is right everywhere. Nan where all labels and
    all answers are the same level.

    :param labels: The place of the level, from 0; nan unknown.
    :param answers: A chance for each level.

    >>> round(kappa(np.array([0, 1, 2]), np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0]])), 4)
    0.6667
    """
    rows = _graded(labels, answers, weights, groups, "kappa")
    if rows is None:
        return NAN
    said = np.floor(rows.answers + 0.5)
    seen_mean, said_mean = rows.mean(rows.labels), rows.mean(said)
    by_chance = (
        rows.mean((rows.labels - seen_mean) ** 2)
        + rows.mean((said - said_mean) ** 2)
        + (seen_mean - said_mean) ** 2
    )
    return 1 - rows.mean((rows.labels - said) ** 2) / by_chance if by_chance > 0 else NAN


def grade_mae(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """By how many levels the expected grade is off, on average. From 0 up.

    :param labels: The place of the level, from 0; nan unknown.
    :param answers: A chance for each level.

    >>> grade_mae(np.array([0, 2]), np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    0.25
    """
    rows = _graded(labels, answers, weights, groups, "grade_mae")
    return NAN if rows is None else mae(rows.labels, rows.answers, weights=rows.weights)


def grade_spearman(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """Do grades and expected grades rise together: the correlation of their ranks, -1 to 1.

    :param labels: The place of the level, from 0; nan unknown.
    :param answers: A chance for each level.

    >>> grade_spearman(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    1.0
    """
    rows = _graded(labels, answers, weights, groups, "grade_spearman")
    return NAN if rows is None else spearman(rows.labels, rows.answers, weights=rows.weights)


def ranked_probability(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""How far the chances of grades are from what was seen: the ranked probability score.

    .. math:: \mathrm{mean}\, \frac{1}{K-1} \sum_{k=1}^{K-1} \left( P(\ge k) - [y \ge k] \right)^2

    Epstein (1969). It is least for the right chances, and a near miss costs less than a far one.
    From 0 (sure and right) to 1 (sure of the other end).

    :param labels: The place of the level, from 0; nan unknown.
    :param answers: A chance for each level.

    >>> ranked_probability(np.array([0]), np.array([[0.5, 0.0, 0.5]]))
    0.25
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    codes = classes(rows, "ranked_probability")
    said = rows.answers[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    seen = codes[:, None] > np.arange(said.shape[1])
    return rows.mean(((said - seen) ** 2).mean(axis=1))


def ndcg_within(
    labels: Column,
    answers: Column | Table,
    *,
    k: int = 10,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    r"""Do the best stand first inside each group (query, list): NDCG of graded gains.

    .. math:: \mathrm{DCG} = \sum_{r \le k} \frac{2^{s y_r} - 1}{\log_2(1 + r)}

    with :math:`s = \min(1, 4 / (K - 1))` of K levels, as a share of the DCG of the best order,
    averaged over groups; Järvelin and Kekäläinen (2002), Burges et al. (2005). Rows with equal
    answers share their places (the mean over all orders of them). Groups whose rows all have the
    same label say nothing of order and do not count, however many they are. From 0 to 1. A group
    counts by the mean weight of its rows, not by their number. Nan where no group is left or no
    groups are given.

    The gain is meant for the five grades of web search, of which the best gains 15. Of thirteen it
    would gain 4095, and the next one half of that, so nothing below would count: more than five
    levels share the same room, whatever their number.

    :param labels: 0 or more: the place of a level, or 1 for yes; nan unknown.
    :param answers: A number for each row, or a chance for each level.
    :param groups: Any whole numbers; rows with the same one belong together.

    >>> query = np.array([7, 7, 8, 8])
    >>> round(ndcg_within(np.array([0, 1, 1, 0]), np.array([0.1, 0.2, 0.3, 0.4]), groups=query), 4)
    0.8155
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.groups is None:
        return NAN
    if rows.labels.min() < 0:
        raise DataError("ndcg_within: labels must be grades of 0 or more, or nan (unknown).")
    member = np.unique(rows.groups, return_inverse=True)[1]
    levels = rows.answers.shape[1] if rows.answers.ndim == 2 else 0
    gains = np.exp2(rows.labels * min(1.0, STEEPEST / max(levels - 1, 1))) - 1
    said = _dcg(member, _expected(rows).answers, gains, k)
    best = _dcg(member, gains, gains, k)
    size = np.bincount(member)
    top = np.full(len(size), -np.inf)
    np.maximum.at(top, member, gains)
    low = np.full(len(size), np.inf)
    np.minimum.at(low, member, gains)
    told = top > low
    if not told.any():
        return NAN
    weight = (np.bincount(member, weights=rows.weights) / size)[told]
    return float(np.average(said[told] / best[told], weights=weight))


def _dcg(member: np.ndarray, answers: Floats, gains: Floats, k: int) -> Floats:
    """The discounted gain of each group in the order of the answers, highest first."""
    order = np.lexsort((-answers, member))
    member, answers, gains = member[order], answers[order], gains[order]
    first = first_of_ties(member)
    place = np.arange(len(member)) - np.repeat(first, np.diff(first, append=len(member)))
    discount = np.where(place < k, 1 / np.log2(2 + place), 0.0)
    ties = first_of_ties(member, answers)
    tied = np.diff(ties, append=len(member))
    shared = np.add.reduceat(gains, ties) / tied * np.add.reduceat(discount, ties)
    return np.bincount(member[ties], weights=shared)


def _graded(
    labels: Column,
    answers: Table,
    weights: Column | None,
    groups: Codes | None,
    metric: str,
) -> Rows | None:
    """The rows that count, with their expected places as answers."""
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return None
    classes(rows, metric)
    return _expected(rows)


def _expected(rows: Rows) -> Rows:
    if rows.answers.ndim == 1:
        return rows
    return rows._replace(answers=rows.answers @ np.arange(rows.answers.shape[1], dtype=np.float64))
