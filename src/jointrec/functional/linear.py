"""A regression on a few numbers, fitted at once: where the heads of a network may start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

Rows = Float64[np.ndarray, "rows"]
Numbers = Float64[np.ndarray, "rows numbers"]
Weights = Float64[np.ndarray, "numbers_and_one"]
RIDGE = 1e-3
"""How strongly weights are drawn to 0, as a share of what rows say of them together."""
STEPS = 50
FAR = 30.0
"""Logarithms of means are at most this far from 0."""


def poisson(numbers: Numbers, labels: Rows) -> Weights:
    r"""A regression of the logarithm of a mean: :math:`\log E[y] = w_0 + w \cdot x`.

    The weights that maximise :math:`\sum y \eta - e^\eta` less a ridge, by Newton's method. The
    mean it finds is right on the whole however labels vary around it.

    :param numbers: In units of their deviation.
    :param labels: 0 or more.
    :return: The intercept, then a weight for each number.

    >>> poisson(np.zeros((4, 0)), np.array([0.0, 1.0, 2.0, 5.0])).round(4)  # log 2
    array([0.6931])
    """
    start = float(np.log(max(labels.mean(), 0.5 / (len(labels) + 1))))

    def moments(told: Rows) -> tuple[Rows, Rows, Rows]:
        mean = np.exp(told.clip(-FAR, FAR))
        return labels * told - mean, labels - mean, mean

    return _newton(numbers, start, moments)


def _newton(
    numbers: Numbers, start: float, moments: Callable[[Rows], tuple[Rows, Rows, Rows]]
) -> Weights:
    """The weights that gain most, by Newton's method; a step that gains nothing is halved.

    :param moments: Of what is told of each row: what is gained, its slope, and its curvature.
    """
    inputs = np.concatenate([np.ones((len(numbers), 1)), numbers], axis=1)
    weights = np.zeros(inputs.shape[1])
    weights[0] = start
    ridge = RIDGE * float(moments(inputs @ weights)[2].sum()) * np.ones(len(weights))
    ridge[0] = 0.0

    def worth(some: Weights) -> float:
        gained: float = moments(inputs @ some)[0].sum() - 0.5 * (ridge * some**2).sum()
        return gained

    best = worth(weights)
    for _ in range(STEPS):
        _, slope, curve = moments(inputs @ weights)
        bend = inputs.T @ (inputs * curve[:, None]) + np.diag(ridge + 1e-9 * (curve.sum() + 1e-12))
        step = np.linalg.solve(bend, inputs.T @ slope - ridge * weights)
        size = 1.0
        while size > 1e-4 and not worth(weights + size * step) > best:
            size /= 2
        now = worth(weights + size * step)
        if not now > best + 1e-10 * abs(best):
            break
        weights, best = weights + size * step, now
    return weights
