"""Metrics of finding the one right item among the whole catalogue.

Their ``answers`` are *ranks*: where the right item stands among all items, 1 for the first. Sampled
catalogues would not give these numbers (Krichene and Rendle 2020), so the rank is taken over all.
Ties are counted pessimistically: items level with the right one stand before it, so that a model
that says the same of everything finds nothing. An item that is not in the catalogue has the rank
inf. A rank below 1 is no rank, and gives nan.
"""

import numpy as np
from jaxtyping import Float64, Integer, Shaped

from .rows import NAN, Codes, Column, known


def pessimistic_rank(
    scores: Shaped[np.ndarray, "rows items"], right: Integer[np.ndarray, "rows"]
) -> Float64[np.ndarray, "rows"]:
    """Where the right item stands among all, ties before it.

    :param scores: A score for each item of the catalogue, higher is better. One that is nan counts
        as level, so it never helps.
    :param right: The place of the right item in the catalogue, from 0.
    :return: 1 for the first, up to the number of items.

    >>> pessimistic_rank(np.array([[0.1, 0.9, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]), np.array([2, 0]))
    array([3., 4.])
    """
    mine = np.take_along_axis(scores, right[:, None], axis=1)
    place: Column = (~(scores < mine)).sum(1).astype(np.float64)
    return place


def recall_at(
    labels: Column,
    answers: Column,
    *,
    k: int = 10,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    r"""The share of rows whose right item is among the first k: :math:`\mathrm{mean}\,[r \le k]`.

    From 0 to 1. With one right item per row it is the hit rate too.

    :param labels: Anything but nan where the right item is known.
    :param answers: Ranks from 1, as the module says.

    >>> recall_at(np.array([1, 1, 1]), np.array([1, 4, 2]), k=3)
    0.6666666666666666
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.answers.min() < 1:
        return NAN
    return rows.mean((rows.answers <= k).astype(np.float64))


def ndcg_at(
    labels: Column,
    answers: Column,
    *,
    k: int = 10,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    r"""How high the right item stands among the first k, where the first places count most.

    .. math:: \mathrm{mean}\, \frac{[r \le k]}{\log_2(1 + r)}

    Järvelin and Kekäläinen (2002), for one right item, whose ideal gain is 1. From 0 to 1.

    :param labels: Anything but nan where the right item is known.
    :param answers: Ranks from 1, as the module says.

    >>> ndcg_at(np.array([1, 1, 1]), np.array([1, 3, 4]), k=3)  # (1 + 1/2 + 0) / 3
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.answers.min() < 1:
        return NAN
    return rows.mean((rows.answers <= k) / np.log2(1 + rows.answers))


def mrr(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The mean reciprocal rank, :math:`\mathrm{mean}\,(1 / r)` (Voorhees 1999). From 0 to 1.

    :param labels: Anything but nan where the right item is known.
    :param answers: Ranks from 1, as the module says.

    >>> mrr(np.array([1, 1]), np.array([1, 4]))
    0.625
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.answers.min() < 1:
        return NAN
    return rows.mean(1 / rows.answers)
