"""Metrics of quantiles: amounts that are not exceeded with given chances.

``levels`` are the chances, ascending; answers have a column for each.
"""

import numpy as np

from .amount import wape
from .rows import NAN, Codes, Column, Table, known

LEVELS = (0.1, 0.5, 0.9)


def pinball(
    labels: Column,
    answers: Table,
    *,
    levels: tuple[float, ...] = LEVELS,
    only: int | None = None,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    r"""How far quantiles are from what was seen, where too low costs more the higher the level.

    .. math:: \mathrm{mean}\, \max\left( \tau (y - a),\ (\tau - 1)(y - a) \right)

    Koenker and Bassett (1978); averaged over the levels. In the label's unit, from 0 up.

    :param labels: Amounts; nan unknown.
    :param only: The column of one level. Default: the mean of all.

    >>> pinball(np.array([2.0]), np.array([[0.0, 2.0, 4.0]]), levels=(0.25, 0.5, 0.75), only=0)
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    over, chance = rows.labels[:, None] - rows.answers, np.array(levels)
    costs = np.maximum(chance * over, (chance - 1) * over)
    return rows.mean(costs.mean(axis=1) if only is None else costs[:, only])


def over_coverage(
    labels: Column,
    answers: Table,
    *,
    levels: tuple[float, ...] = LEVELS,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    """By how much too often what was seen lies between the lowest and the highest quantile.

    The share of rows that do, less the share that should; both ends count as between. 0 is right,
    above it the band is too wide, below it too narrow. Where labels are often equal to an end (no
    sales at all), a right band covers too much, and cannot do otherwise.

    :param labels: Amounts; nan unknown.

    >>> bands = np.array([[0.0, 1.0, 2.0]] * 4)
    >>> round(over_coverage(np.array([0.0, 1.0, 2.0, 3.0]), bands, levels=(0.25, 0.5, 0.75)), 4)
    0.25
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    within = (rows.answers[:, 0] <= rows.labels) & (rows.labels <= rows.answers[:, -1])
    return rows.mean(within.astype(np.float64)) - (levels[-1] - levels[0])


def middle_wape(
    labels: Column,
    answers: Table,
    *,
    levels: tuple[float, ...] = LEVELS,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    """The error of the level nearest to the median, as a share of all there was: from 0 up.

    :param labels: Amounts; nan unknown.

    >>> middle_wape(np.array([0.0, 10.0]), np.array([[0.0, 1.0, 2.0], [7.0, 8.0, 9.0]]))
    0.3
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    middle = int(np.abs(np.array(levels) - 0.5).argmin())
    return wape(rows.labels, rows.answers[:, middle], weights=rows.weights)


def coverage(
    labels: Column,
    answers: Table,
    *,
    low: int = 0,
    high: int = -1,
    weights: Column | None = None,
    groups: Codes | None = None,
) -> float:
    """How often what was seen lies between two quantiles, both ends counted as between.

    :param labels: Amounts; nan unknown.
    :param low, high: Their columns.

    >>> bands = np.array([[0.0, 1.0, 2.0]] * 4)
    >>> coverage(np.array([0.0, 1.0, 2.0, 3.0]), bands, low=0, high=2)
    0.75
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    within = (rows.answers[:, low] <= rows.labels) & (rows.labels <= rows.answers[:, high])
    return rows.mean(within.astype(np.float64))
