"""Rows as Hypothesis draws them: few, with many ties, weights of zero, and lonely classes."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from jointrec.functional import metrics

CHANCES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
AMOUNTS = (0.0, 0.0, 0.5, 1.0, 2.5, 10.0)
POSITIVE = (0.1, 0.5, 1.0, 2.5, 30.0)
WEIGHTS = (0.0, 0.5, 1.0, 1.0, 2.0, 3.0)
FLAGS = (0.0, 1.0)
GROUPS = (0, 1, -1, 2, -2)
CLASSES = 3


class Drawn(NamedTuple):
    labels: np.ndarray
    answers: np.ndarray
    weights: np.ndarray
    groups: np.ndarray

    def counted(self) -> Drawn:
        """Without the rows of weight zero, for oracles that stumble over them."""
        return Drawn(*(column[self.weights > 0] for column in self))


@cache
def cells(count):
    return st.binary(min_size=count, max_size=count)


def column(draw, values, *shape):
    """An array of these values. One draw makes all cells: one for each takes as long each time."""
    cell = np.frombuffer(draw(cells(math.prod(shape))), np.uint8).astype(int)
    return np.array(values)[cell % len(values)].reshape(shape)


@st.composite
def drawn(draw, labels, answers, *, least=1, most=30, weights=WEIGHTS, width=None):
    rows = draw(st.integers(least, most))
    return Drawn(
        labels=column(draw, labels, rows),
        answers=column(draw, answers, *((rows,) if width is None else (rows, width))),
        weights=column(draw, weights, rows),
        groups=column(draw, GROUPS, rows),
    )


def numbers(count):
    return tuple(float(number) for number in range(count))


def flags(**options):
    return drawn(FLAGS, CHANCES, **options)


def amounts(**options):
    return drawn(AMOUNTS, POSITIVE, **options)


def picks(**options):
    """Labels that are classes; answers that are chances and sum to one."""
    raw = drawn(numbers(CLASSES), (1.0, 2.0, 3.0, 4.0), width=CLASSES, **options)
    return raw.map(lambda rows: rows._replace(answers=rows.answers / rows.answers.sum(1)[:, None]))


def lists(**options):
    """Grades, with one weight for all rows of a group."""
    raw = drawn(numbers(CLASSES), CHANCES, **options)

    def alike(rows):
        first = {int(g): rows.weights[n] for n, g in reversed(list(enumerate(rows.groups)))}
        return rows._replace(weights=np.array([first[int(g)] for g in rows.groups]))

    return raw.map(alike)


def sets(**options):
    """Sets of classes as numbers."""
    return drawn(numbers(2**CLASSES), CHANCES, width=CLASSES, **options)


def sequences(**options):
    """Sequences of steps as numbers: a digit of 0, 1 or 2 for each."""
    return drawn(numbers(3**CLASSES), CHANCES, width=CLASSES, **options)


def bands(**options):
    """Amounts, and quantiles of them in order."""
    raw = drawn(AMOUNTS, POSITIVE, width=CLASSES, **options)
    return raw.map(lambda rows: rows._replace(answers=np.sort(rows.answers, axis=1)))


def durations(**options):
    """Times, below 0 where it had not happened; chances that rise."""
    times = (0.0, 0.5, 1.0, 1.5, 2.5, -0.5, -1.0, -1.5, -2.5, -3.0)
    raw = drawn(times, CHANCES, width=CLASSES, **options)
    return raw.map(lambda rows: rows._replace(answers=np.sort(rows.answers, axis=1)))


def ranks(**options):
    return drawn(FLAGS, (1.0, 2.0, 3.0, 10.0, 11.0, np.inf), **options)


ROWS_OF = {
    **dict.fromkeys(["auc", "gauc", "pr_auc", "log_loss", "normalized_entropy", "ece"], flags),
    **dict.fromkeys(["wape", "mae", "rmse", "bias", "pcoc", "spearman", "gini"], amounts),
    "poisson_deviance": amounts,
    **dict.fromkeys(["accuracy", "choice_log_loss", "macro_auc"], picks),
    **dict.fromkeys(["kappa", "grade_mae", "grade_spearman", "ranked_probability"], picks),
    "ndcg_within": lists,
    **dict.fromkeys(["c_index", "integrated_brier", "incidence_ratio"], durations),
    **dict.fromkeys(["pinball", "over_coverage", "coverage", "middle_wape"], bands),
    **dict.fromkeys(["multi_log_loss", "label_auc", "first_right"], sets),
    **dict.fromkeys(["label_ece", "label_pcoc"], sets),
    **dict.fromkeys(["sequence_auc", "sequence_log_loss", "step_auc", "step_log_loss"], sequences),
    **dict.fromkeys(["sequence_ece", "sequence_pcoc"], sequences),
    **dict.fromkeys(["recall_at", "ndcg_at", "mrr"], ranks),
}
"""For each metric, rows that it is about."""

COMPANIONS = {"catalogue_coverage", "gauc_groups", "novelty", "pessimistic_rank"}
"""Public in ``metrics``, yet no metric of labels and answers."""

OF_GROUPS = {"ndcg_within"}
"""Metrics of whole groups: a weight is how often the group stands there, not the row."""

METRICS = [getattr(metrics, name) for name in metrics.__all__ if name not in COMPANIONS]
