"""Metrics of how long something takes, of which some was only followed for a while.

A label is a time: 0 or more where it happened then; below 0 where it had not happened in that time,
which is all that is known of it. Answers are, for each of the ``edges``, the chance that it has
happened by then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rows import NAN, Codes, Column, Floats, Table, first_of_ties, known

EDGES = (1.0, 2.0, 3.0)


def c_index(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    """Does it happen sooner to those of whom it is said: Harrell's concordance index.

    The share of pairs in which the one to whom it happened first had the higher chance by the last
    edge (a tie counts one half), among pairs of which it is known: one happened, and the other was
    followed for longer, or as long without its happening. Harrell et al. (1982). From 0 to 1; 0.5
    is guessing. Nan where there is no such pair.

    Pairs are counted by a wavelet matrix (Claude and Navarro 2012), in n log n.

    :param labels: Times, below 0 where it had not happened; nan unknown.

    >>> c_index(np.array([1.0, -2.0, 3.0]), np.array([[0.9], [0.2], [0.3]]))  # 1 before 2, and 3
    1.0
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    time, happened = np.abs(rows.labels), ~np.signbit(rows.labels)
    risk = np.unique(rows.answers[:, -1], return_inverse=True)[1]
    # Longest first; of equal times those without the event first, as they outlast the others.
    order = np.lexsort((happened, -time))
    time, happened, risk = time[order], happened[order], risk[order]
    weight = rows.weights[order]
    # All that stand before the first event of the same time have lasted longer.
    first = first_of_ties(time, happened)
    longer = np.repeat(first, np.diff(first, append=len(time)))
    below, level = _below(risk, weight, longer[happened], risk[happened])
    mine = weight[happened]
    pairs = np.dot(mine, np.concatenate([[0.0], np.cumsum(weight)])[longer[happened]])
    return float(np.dot(mine, below + level / 2) / pairs) if pairs > 0 else NAN


def integrated_brier(
    labels: Column,
    answers: Table,
    *,
    edges: tuple[float, ...] = EDGES,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    r"""How far chances are from what happened, at all times: the integrated Brier score.

    .. math:: \mathrm{BS}(t) = \mathrm{mean} \left( \frac{[T \le t, \delta]\,(1 - F(t))^2}{G(T^-)}
        + \frac{[T > t]\,F(t)^2}{G(t)} \right)

    Graf et al. (1999), with F the chance that it has happened, and G the chance of being followed
    for so long (Kaplan and Meier 1958, of these very rows), which makes up for those who were not.
    The mean over the time between the first edge and the one before the last. From 0 to 1; 0.25 is
    an even guess at all times. Nan where there are less than two such edges.

    :param labels: Times, below 0 where it had not happened; nan unknown.
    :param edges: When the answers are for.

    >>> integrated_brier(np.array([0.5, -2.5]), np.array([[1.0, 1.0, 1.0], [0.5, 0.5, 0.5]]))
    0.125
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or len(edges) < 3:
        return NAN
    time, happened = np.abs(rows.labels), ~np.signbit(rows.labels)
    stay = _kaplan_meier(time, ~happened, rows.weights)
    at_event = np.maximum(stay(time, before=True), 1e-12)
    scores = []
    for place, edge in enumerate(edges[:-1]):
        said = rows.answers[:, place]
        gone = np.where(happened & (time <= edge), (1 - said) ** 2 / at_event, 0.0)
        here = np.where(time > edge, said**2, 0.0)
        left = float(stay(np.array([edge]))[0])
        scores.append(rows.mean(gone + (here / left if left > 0 else 0.0)))
    inner = np.array(edges[:-1])
    area = np.dot(np.diff(inner), (np.array(scores[1:]) + np.array(scores[:-1])) / 2)
    return float(area / (inner[-1] - inner[0]))


def incidence_ratio(
    labels: Column,
    answers: Table,
    *,
    edges: tuple[float, ...] = EDGES,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    """Predicted over observed by the last edge: are chances right on the whole.

    Observed is the Kaplan-Meier estimate just before it, so those who were not followed to the end
    count as far as they were. 1 is right, 1.1 is 10 % too much. Nan where nothing happened.

    :param labels: Times, below 0 where it had not happened; nan unknown.

    >>> incidence_ratio(np.array([1.0, -3.0]), np.array([[0.1, 0.2, 0.5], [0.1, 0.2, 0.5]]))
    1.0
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    time, happened = np.abs(rows.labels), ~np.signbit(rows.labels)
    stay = _kaplan_meier(time, happened, rows.weights)
    seen = 1 - float(stay(np.array([edges[-1]]), before=True)[0])
    return rows.mean(rows.answers[:, -1]) / seen if seen > 0 else NAN


class _kaplan_meier:
    """The chance that something has not happened by a time (Kaplan and Meier 1958)."""

    def __init__(self, time: Floats, happened: NDArray[np.bool_], weights: Floats) -> None:
        order = np.argsort(time, kind="stable")
        time, hit = time[order], np.where(happened, weights, 0.0)[order]
        first = first_of_ties(time)
        at_risk = weights.sum() - np.concatenate([[0.0], np.cumsum(weights[order])])[first]
        share = np.add.reduceat(hit, first) / np.maximum(at_risk, 1e-300)
        self.times = time[first]
        self.left = np.concatenate([[1.0], np.cumprod(np.clip(1 - share, 0, 1))])

    def __call__(self, times: Floats, *, before: bool = False) -> Floats:
        """At some times, or just before them."""
        place = np.searchsorted(self.times, times, side="left" if before else "right")
        found: Floats = self.left[place]
        return found


def _below(
    codes: NDArray[np.int64], weights: Floats, first: NDArray[np.int64], of: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """For each question the weight of the ``first`` rows with a code below ``of``, and equal to it.

    One bit of the codes at a time, from the highest: rows with a 0 go to the front, those with a 1
    to the back, both in their order, and each question follows the side of its own code.
    """
    low, high = np.zeros_like(first), first.copy()
    below = np.zeros(len(first))
    for bit in reversed(range(max(int(codes.max(initial=0)).bit_length(), 1))):
        one = (codes >> bit & 1).astype(bool)
        zeros = np.concatenate([[0], np.cumsum(~one)])
        sums = np.concatenate([[0.0], np.cumsum(np.where(one, 0.0, weights))])
        mine = (of >> bit & 1).astype(bool)
        below += np.where(mine, sums[high] - sums[low], 0.0)
        low = np.where(mine, zeros[-1] + low - zeros[low], zeros[low])
        high = np.where(mine, zeros[-1] + high - zeros[high], zeros[high])
        order = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
        codes, weights = codes[order], weights[order]
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    return below, sums[high] - sums[low]
