"""Metrics of chances: not only the order, but the numbers themselves must be right."""

import numpy as np
from numpy.typing import NDArray

from .rows import NAN, Codes, Column, Floats, Rows, Table, classes, equal_shares, known, yes_or_no

EPSILON = float(np.finfo(np.float64).eps)
"""A chance is held this far from 0 and 1: being sure and wrong costs 36 nats, not infinity."""


def log_loss(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""How surprised one is by what happened: the mean negative log of the chance given to it.

    .. math:: -\mathrm{mean}\,[\, y \log p + (1 - y) \log(1 - p) \,]

    In nats, from 0 (sure and right) to 36 (p is clipped to [2.2e-16, 1 - 2.2e-16], as scikit-learn
    does). Nan where an answer is no chance.

    :param labels: 1 happened, 0 did not, nan unknown.
    :param answers: Chances of yes, from 0 to 1.

    >>> round(log_loss(np.array([0, 1]), np.array([0.5, 0.5])), 4)
    0.6931
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or not _are_chances(rows.answers):
        return NAN
    return _surprise(yes_or_no(rows, "log_loss"))


def normalized_entropy(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The log loss as a share of what knowing only the base rate would cost.

    .. math:: \frac{\mathrm{log\,loss}}{-\bar y \log \bar y - (1 - \bar y) \log(1 - \bar y)}

    He et al. (2014), `Practical Lessons from Predicting Clicks on Ads at Facebook
    <https://doi.org/10.1145/2648584.2648589>`_. No unit, from 0 up; 1 is as good as the base rate
    of the very rows that are measured, lower is better. Nan where only one class is known.

    :param labels: 1 happened, 0 did not, nan unknown.
    :param answers: Chances of yes, from 0 to 1.

    >>> normalized_entropy(np.array([0, 0, 0, 1]), np.array([0.25, 0.25, 0.25, 0.25]))
    1.0
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or not _are_chances(rows.answers):
        return NAN
    surprise = _surprise(yes_or_no(rows, "normalized_entropy"))
    if rows.labels.min() == rows.labels.max():
        return NAN
    base = np.full_like(rows.answers, rows.mean(rows.labels))
    return surprise / _surprise(rows._replace(answers=base))


def ece(
    labels: Column,
    answers: Column,
    *,
    bins: int = 15,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    r"""How far chances are from how often things happen: the expected calibration error.

    .. math:: \sum_b \frac{W_b}{W} \left| \bar y_b - \bar a_b \right|

    Naeini et al. (2015), with bins of equal mass (Nguyen and O'Connor 2015,
    https://arxiv.org/abs/1508.05154), as clicks are rare and bins of equal width would put all rows
    into the first. A row goes to bin ⌊bins · q⌋, with q the share of weight below its answer plus
    half of the share level with it: equal answers stay together, whatever the order of rows. From 0
    (calibrated) to 1. It is above 0 even for perfect chances, by the noise of each bin; drawing
    rows again adds noise, so the bootstrap interval of a nearly calibrated answer lies too high.

    :param labels: 1 happened, 0 did not, nan unknown.
    :param answers: Chances of yes, from 0 to 1.

    >>> ece(np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.75, 0.75]), bins=2)  # (.25 + .25) / 2
    0.25
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    gap = rows.weights * (yes_or_no(rows, "ece").labels - rows.answers)
    place = equal_shares(rows.answers, rows.weights, bins)
    return float(np.abs(np.bincount(place, weights=gap)).sum() / rows.weights.sum())


def pcoc(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""Predicted over observed: are chances right on the whole.

    .. math:: \bar a / \bar y

    "Predicted click over click", as ad systems watch it. No unit, from 0 up; 1 is best, 1.1 is 10 %
    too much. Nan where nothing happened.

    :param labels: 1 happened, 0 did not, nan unknown; amounts and counts work too.
    :param answers: Chances, or expected amounts.

    >>> pcoc(np.array([0, 0, 0, 1]), np.array([0.25, 0.25, 0.25, 0.75]))
    1.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    seen = rows.mean(rows.labels)
    return rows.mean(rows.answers) / seen if seen != 0 else NAN


def accuracy(
    labels: Column,
    answers: Column | Table,
    *,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    """The share of rows whose likeliest class is the one that was seen. From 0 to 1.

    :param labels: The number of the class, from 0; nan unknown.
    :param answers: ``[rows classes]``: a chance or logit for each class, of equals the first is
        taken. ``[rows]``: the chance of class 1 against class 0, which is taken above one half.

    >>> accuracy(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    0.5
    >>> accuracy(np.array([0, 1]), np.array([0.1, 0.6]))
    1.0
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    if rows.answers.ndim == 1:
        yes_or_no(rows, "accuracy")
        taken: NDArray[np.int64] = (rows.answers > 0.5).astype(np.int64)
    else:
        classes(rows, "accuracy")
        taken = rows.answers.argmax(1)
    return rows.mean((taken == rows.labels).astype(np.float64))


def choice_log_loss(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The log loss of a pick among several classes: :math:`-\mathrm{mean} \log p_y`.

    In nats, from 0 to 36 (clipped as in :func:`log_loss`); log(classes) is guessing. Rows of
    chances are taken as they are, not scaled to sum to 1. Nan where an answer is no chance.

    :param labels: The number of the class, from 0; nan unknown.
    :param answers: Chances, one for each class, from 0 to 1.

    >>> round(choice_log_loss(np.array([2]), np.array([[0.25, 0.25, 0.5]])), 4)
    0.6931
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or not _are_chances(rows.answers):
        return NAN
    codes = classes(rows, "choice_log_loss")
    given = rows.answers[np.arange(len(codes)), codes]
    return -rows.mean(np.log(np.clip(given, EPSILON, 1 - EPSILON)))


def _are_chances(answers: Floats) -> bool:
    return bool(answers.min() >= 0 and answers.max() <= 1)


def _surprise(rows: Rows) -> float:
    chance = np.clip(rows.answers, EPSILON, 1 - EPSILON)
    # One log per row: of the chance given to what happened.
    return -rows.mean(np.log(np.where(rows.labels == 1, chance, 1 - chance)))
