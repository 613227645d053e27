"""The dispersion that fits some counts best, all having the same mean, or each its own."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float64

from jointrec.functional import losses

LEAST, MOST = losses.DISPERSION_FLOOR * 1.01, 1e4
NARROW = 1e-4
"""How closely the logarithm of the dispersion is found."""
ENOUGH = 10_000
"""How many distinct counts are looked at, evenly spaced in order of size."""


def best_dispersion(
    labels: Float64[np.ndarray, "rows"], log_mean: float | Float64[np.ndarray, "rows"]
) -> float:
    """The raw output of a negative binomial whose likelihood is greatest, by golden section.

    :param log_mean: The logarithm of the mean of all rows, or of each.

    There is one such dispersion, and it is above 0 only where the variance is above the mean
    (Levin and Reeds 1977, Annals of Statistics 5); otherwise the least is taken. Where nothing was
    ever counted any would do, and 1 is taken.

    >>> raw = best_dispersion(np.array([0.0, 0.0, 0.0, 8.0]), math.log(2.0))
    >>> round(losses.dispersion(torch.tensor(raw)).item(), 1)
    9.6
    """
    if labels.sum() == 0:
        return losses.raw_of(1.0, floor=losses.DISPERSION_FLOOR)
    distinct, counts = np.unique(labels, return_counts=True)
    if isinstance(log_mean, np.ndarray):
        order = np.argsort(labels, kind="stable")
        if len(order) > ENOUGH:
            order = order[np.linspace(0, len(order) - 1, ENOUGH).astype(np.int64)]
        distinct, counts = labels[order], np.ones(len(order), dtype=np.int64)
        log_mean = log_mean[order]
    elif len(distinct) > ENOUGH:
        picked = np.linspace(0, len(labels) - 1, ENOUGH).astype(np.int64)
        distinct, counts = np.unique(np.sort(labels)[picked], return_counts=True)
    known = torch.from_numpy(distinct)
    means = torch.from_numpy(np.broadcast_to(log_mean, len(known)).copy())

    def loss_at(log_dispersion: float) -> float:
        raw = losses.raw_of(math.exp(log_dispersion), floor=losses.DISPERSION_FLOOR)
        outputs = torch.stack([means, torch.full_like(means, raw)], dim=1)
        return float(np.dot(losses.negative_binomial(outputs, known).numpy(), counts))

    golden = (math.sqrt(5) - 1) / 2
    low, high = math.log(LEAST), math.log(MOST)
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = loss_at(left), loss_at(right)
    while high - low > NARROW:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = loss_at(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = loss_at(right)
    return losses.raw_of(math.exp((low + high) / 2), floor=losses.DISPERSION_FLOOR)
