"""Metrics of amounts and counts: how much, in the table's own unit."""

import numpy as np

from jointrec.errors import DataError

from .rows import NAN, Codes, Column, chance_above, known, middles


def wape(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The error as a share of all there was: weighted absolute percentage error.

    .. math:: \sum |a - y| \Big/ \sum |y|

    Kolassa and Schütz (2007), the MAD/mean ratio. No unit, from 0 up; always answering 0 gives 1.
    Nan where all labels are 0.

    :param labels: Amounts; nan unknown.

    >>> wape(np.array([0.0, 10.0]), np.array([1.0, 8.0]))
    0.3
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    total = rows.mean(np.abs(rows.labels))
    return rows.mean(np.abs(rows.answers - rows.labels)) / total if total > 0 else NAN


def mae(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The mean absolute error, :math:`\mathrm{mean}\,|a - y|`: the label's unit, from 0 up.

    :param labels: Amounts; nan unknown.

    >>> mae(np.array([0.0, 10.0]), np.array([1.0, 8.0]))
    1.5
    """
    rows = known(labels, answers, weights, groups)
    return NAN if rows is None else rows.mean(np.abs(rows.answers - rows.labels))


def rmse(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The root mean squared error, for which large errors count most.

    .. math:: \sqrt{\mathrm{mean}\,(a - y)^2}

    In the label's unit, from 0 up.

    :param labels: Amounts; nan unknown.

    >>> rmse(np.array([0.0, 10.0]), np.array([1.0, 3.0]))
    5.0
    """
    rows = known(labels, answers, weights, groups)
    return NAN if rows is None else float(np.sqrt(rows.mean((rows.answers - rows.labels) ** 2)))


def bias(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""Too much or too little on the whole, as a share of all there was.

    .. math:: \sum a \Big/ \sum y - 1

    No unit; 0 is best, 0.1 is 10 % too much, -1 is nothing at all. Nan where labels sum to 0.

    :param labels: Amounts; nan unknown.

    >>> bias(np.array([0.0, 10.0]), np.array([1.0, 8.0]))
    -0.1
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    total = np.dot(rows.weights, rows.labels)
    over = np.dot(rows.weights, rows.answers) - total
    return float(over / total) if total != 0 else NAN


def spearman(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""Do amounts and answers rise together: the correlation of their ranks (Spearman 1904).

    The rank of a row is the weight below it plus half the weight level with it. From -1 (the
    opposite order) to 1 (the same); 0 is guessing. Nan where all labels or all answers are equal.

    :param labels: Amounts; nan unknown.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    if rows.labels.min() == rows.labels.max() or rows.answers.min() == rows.answers.max():
        return NAN
    # The mean rank is half of all weight, whatever the ties.
    half = rows.weights.sum() / 2
    seen = middles(rows.labels, rows.weights) - half
    said = middles(rows.answers, rows.weights) - half
    spread = np.sqrt(np.dot(rows.weights, seen**2) * np.dot(rows.weights, said**2))
    return float(np.dot(rows.weights, seen * said) / spread)


def gini(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""Does the money sit where the answers say: the normalised Gini coefficient.

    .. math:: G(a) / G(y), \qquad G(x) = 1 - 2 \int_0^1 L_x(q)\,dq

    with :math:`L_x(q)` the share of all value held by the rows with the lowest share q of x; Wang,
    Liu and Miao (2019), https://arxiv.org/abs/1912.07753. From -1 to 1; 0 is guessing, 1 is the
    right order. Areas are trapezes and ties a straight line (the paper's code adds steps, which is
    off by 1/rows and depends on the order of tied rows). Nan where labels are all equal.

    :param labels: Amounts, 0 or more; nan unknown.

    >>> gini(np.array([0.0, 0.0, 10.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    >>> gini(np.array([0.0, 0.0, 10.0]), np.array([1.0, 2.0, 2.0]))
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    if rows.labels.min() < 0:
        raise DataError("gini: labels must be amounts of 0 or more, or nan (unknown).")
    if rows.labels.min() == rows.labels.max():
        return NAN
    value = rows.weights * rows.labels
    said = 1 - 2 * chance_above(rows.answers, rows.weights, value)
    return said / (1 - 2 * chance_above(rows.labels, rows.weights, value))


def poisson_deviance(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""How much less likely the counts are under the answers than under themselves.

    .. math:: 2\,\mathrm{mean}\left[ y \log (y / a) - (y - a) \right]

    McCullagh and Nelder (1989). In twice nats, from 0 up. An answer of 0 where something was
    counted is infinitely wrong; one below 0 is no rate, and gives nan.

    :param labels: Counts, 0 or more; nan unknown.
    :param answers: Expected counts.

    >>> round(poisson_deviance(np.array([0.0, 1.0]), np.array([0.5, 1.0])), 4)
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.answers.min() < 0:
        return NAN
    if rows.labels.min() < 0:
        raise DataError("poisson_deviance: labels must be counts of 0 or more, or nan (unknown).")
    some = rows.labels > 0
    if (rows.answers[some] == 0).any():
        return float("inf")
    log_ratio = np.log(
        np.divide(rows.labels, rows.answers, out=np.ones_like(rows.labels), where=some)
    )
    return 2 * rows.mean(rows.labels * log_ratio - rows.labels + rows.answers)
