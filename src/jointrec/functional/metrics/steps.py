"""Metrics of a sequence of steps, answered by a chance for each step.

A label is a sequence as one number: digit k to the base 3 is 0 where step k is unknown, 1 for no
and 2 for yes. A row counts at the steps of which it is known.
"""

from collections.abc import Callable, Sequence

import numpy as np

from jointrec.errors import DataError

from .probability import ece, log_loss, pcoc
from .ranking import auc
from .rows import NAN, Codes, Column, Floats, Rows, Table, known, mean_defined


def step_log_loss(
    labels: Column,
    answers: Table,
    *,
    weights: Column | None = None,
    groups: Codes | None = None,
    step: int = 0,
) -> float:
    r"""The log loss of one step, over the rows of which it is known.

    .. math:: -\mathrm{mean}\,[\, y \log p + (1 - y) \log(1 - p) \,]

    In nats, from 0 to 36 (clipped as in :func:`log_loss`). Nan where an answer is no chance.

    :param labels: Sequences of steps; nan unknown.
    :param answers: A chance for each step, from 0 to 1.
    :param step: Which one, from 0.

    >>> round(step_log_loss(np.array([1.0, 2.0]), np.array([[0.5, 0.1], [0.5, 0.1]])), 4)
    0.6931
    """
    rows = known(labels, answers, weights, groups)
    return NAN if rows is None else _each(log_loss, rows, "step_log_loss", [step])[0]


def step_auc(
    labels: Column,
    answers: Table,
    *,
    weights: Column | None = None,
    groups: Codes | None = None,
    step: int = 0,
) -> float:
    """The AUC of one step, over the rows of which it is known.

    From 0 to 1; 0.5 is guessing. Nan where all of them say the same.

    :param labels: Sequences of steps; nan unknown.
    :param answers: Anything that orders rows, for each step.
    :param step: Which one, from 0.

    >>> step_auc(np.array([2.0, 1.0]), np.array([[0.9, 0.1], [0.2, 0.1]]))
    1.0
    """
    rows = known(labels, answers, weights, groups)
    return NAN if rows is None else _each(auc, rows, "step_auc", [step])[0]


def sequence_log_loss(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """The log loss of each step that any row knows (:func:`step_log_loss`), averaged over steps.

    :param labels: Sequences of steps; nan unknown.
    :param answers: A chance for each step, from 0 to 1.

    >>> round(sequence_log_loss(np.array([2.0, 7.0]), np.array([[0.5, 0.5], [0.5, 0.5]])), 4)
    0.6931
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.answers.min() < 0 or rows.answers.max() > 1:
        return NAN
    return mean_defined(_each(log_loss, rows, "sequence_log_loss"))


def sequence_auc(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """The AUC of each step (:func:`step_auc`), averaged over the steps at which some row says yes
    and some says no. Nan where there is no such step.

    :param labels: Sequences of steps; nan unknown.
    :param answers: Anything that orders rows, for each step.

    >>> sequence_auc(np.array([5.0, 7.0]), np.array([[0.9, 0.8], [0.1, 0.2]]))  # right, and wrong
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    return mean_defined(_each(auc, rows, "sequence_auc"))


def sequence_ece(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """How far the chances of a step are from how often it is yes (:func:`ece`), averaged over the
    steps that any row knows. From 0 (calibrated) to 1.

    :param labels: Sequences of steps; nan unknown.
    :param answers: A chance for each step, from 0 to 1.

    >>> sequence_ece(np.array([2.0, 7.0]), np.array([[0.5, 0.5], [0.5, 0.5]]))  # (0 + .5) / 2
    0.25
    """
    rows = known(labels, answers, weights, groups)
    return NAN if rows is None else mean_defined(_each(ece, rows, "sequence_ece"))


def sequence_pcoc(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """Predicted over observed (:func:`pcoc`), of all known steps together.

    No unit, from 0 up; 1 is best. Nan where no step is yes.

    :param labels: Sequences of steps; nan unknown.
    :param answers: A chance for each step, from 0 to 1.

    >>> sequence_pcoc(np.array([2.0, 7.0]), np.array([[0.5, 0.5], [0.5, 0.5]]))  # 1.5 / 2
    0.75
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    seen = _seen(rows, "sequence_pcoc")
    said = np.where(np.isnan(seen), 0.0, rows.answers).sum(axis=1)
    return pcoc(np.nansum(seen, axis=1), said, weights=rows.weights)


def _each(
    of: Callable[..., float], rows: Rows, metric: str, steps: Sequence[int] | None = None
) -> list[float]:
    """A metric of each step over the rows that know it.

    :param of: The metric of one column of labels and answers.
    :param steps: Of these steps. Default: of all.
    """
    seen = _seen(rows, metric)
    asked = range(seen.shape[1]) if steps is None else steps
    return [of(seen[:, step], rows.answers[:, step], weights=rows.weights) for step in asked]


def _seen(rows: Rows, metric: str) -> Floats:
    """What each step was: 1, 0, or nan where it is unknown."""
    size = rows.answers.shape[1]
    codes = rows.labels.astype(np.int64)
    if not ((codes == rows.labels) & (codes >= 0) & (codes < 3**size)).all():
        raise DataError(
            f"{metric}: labels must be sequences of {size} steps, whole numbers from 0 to "
            f"3^{size} - 1, or nan (unknown)."
        )
    digits = codes[:, None] // 3 ** np.arange(size) % 3
    return np.where(digits > 0, digits - 1.0, np.nan)
