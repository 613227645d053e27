"""Metrics of sets of classes, answered by a chance for each class.

A label is a set as one number: bit c is set where class c is in it.
"""

import numpy as np

from jointrec.errors import DataError

from .probability import EPSILON, ece, pcoc
from .rows import NAN, Codes, Column, Floats, Rows, Table, chance_above, known, mean_defined


def multi_log_loss(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The log loss of each class by itself, averaged over classes.

    .. math:: -\mathrm{mean}\,[\, y_c \log p_c + (1 - y_c) \log(1 - p_c) \,]

    In nats, from 0 to 36 (clipped as in :func:`log_loss`). Nan where an answer is no chance.

    :param labels: Sets of classes; nan unknown.
    :param answers: A chance for each class, from 0 to 1.

    >>> round(multi_log_loss(np.array([2.0]), np.array([[0.5, 0.5]])), 4)
    0.6931
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.answers.min() < 0 or rows.answers.max() > 1:
        return NAN
    seen, chance = _members(rows, "multi_log_loss"), np.clip(rows.answers, EPSILON, 1 - EPSILON)
    return -rows.mean(np.log(np.where(seen == 1, chance, 1 - chance)).mean(axis=1))


def label_auc(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """The AUC of each class, averaged: does each stand highest for the rows that have it.

    Over the classes that some known row has and some has not. From 0 to 1; 0.5 is guessing. Nan
    where there is no such class.

    :param labels: Sets of classes; nan unknown.
    :param answers: Anything that orders rows, for each class.

    >>> label_auc(np.array([1.0, 2.0]), np.array([[0.9, 0.2], [0.4, 0.1]]))  # right, and wrong
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    seen = rows.weights[:, None] * _members(rows, "label_auc")
    areas = [
        chance_above(rows.answers[:, code], seen[:, code], rows.weights - seen[:, code])
        for code in range(seen.shape[1])
    ]
    return mean_defined(areas)


def label_ece(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """How far the chances of a class are from how often it is seen (:func:`ece`), averaged over
    classes. From 0 (calibrated) to 1.

    :param labels: Sets of classes; nan unknown.
    :param answers: A chance for each class, from 0 to 1.

    >>> label_ece(np.array([1.0, 3.0]), np.array([[0.5, 0.5], [0.5, 0.5]]))  # (.5 + 0) / 2
    0.25
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    seen = _members(rows, "label_ece")
    each = [
        ece(seen[:, code], rows.answers[:, code], weights=rows.weights)
        for code in range(seen.shape[1])
    ]
    return mean_defined(each)


def label_pcoc(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """Predicted over observed, of all classes together: :func:`pcoc` of how many a row has.

    No unit, from 0 up; 1 is best. Nan where no row has any.

    :param labels: Sets of classes; nan unknown.
    :param answers: A chance for each class, from 0 to 1.

    >>> label_pcoc(np.array([1.0, 3.0]), np.array([[1.0, 1.0], [1.0, 1.0]]))  # 4 / 3
    1.3333333333333333
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    seen = _members(rows, "label_pcoc").sum(axis=1)
    return pcoc(seen, rows.answers.sum(axis=1), weights=rows.weights)


def first_right(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """How often the likeliest class is one that was seen: precision at 1. From 0 to 1.

    Of rows that have any class at all; of classes that are level, the first is taken.

    :param labels: Sets of classes; nan unknown.
    :param answers: Anything that orders the classes of a row.

    >>> first_right(np.array([2.0, 1.0, 0.0]), np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]))
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    seen = _members(rows, "first_right")
    some = rows.labels > 0
    if not some.any():
        return NAN
    right = seen[np.arange(len(seen)), rows.answers.argmax(axis=1)]
    return float(np.average(right[some], weights=rows.weights[some]))


def _members(rows: Rows, metric: str) -> Floats:
    size = rows.answers.shape[1]
    codes = rows.labels.astype(np.int64)
    if not ((codes == rows.labels) & (codes >= 0) & (codes < 1 << size)).all():
        raise DataError(
            f"{metric}: labels must be sets of {size} classes, whole numbers from 0 to "
            f"2^{size} - 1, or nan (unknown)."
        )
    return ((codes[:, None] >> np.arange(size)) & 1).astype(np.float64)
