"""Bands: between which numbers an amount or a count will lie, by the distribution that was learned.

Quantiles of the distributions whose losses are in :mod:`jointrec.functional.losses`, in float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from .losses import EXPONENT_LIMIT, lognormal_scale

COUNTED = 300.0
"""Up to this mean the quantiles of a count are exact; beyond it those of a gamma distribution."""
MOST_STEPS = 20_000


def zero_inflated_lognormal_quantiles(
    outputs: Float[Tensor, "rows 3"], levels: Sequence[float]
) -> Float64[Tensor, "rows levels"]:
    r"""The amount that is not exceeded with each chance; 0 where nothing at all is likelier.

    .. math:: 0 \text{ where } \tau \le 1 - p, \text{ else }
        e^{\mu + s\, \Phi^{-1}(1 - (1 - \tau) / p)}

    :param outputs: As :func:`~jointrec.functional.losses.zero_inflated_lognormal` takes them.
    :param levels: The chances, each above 0 and below 1.

    >>> outputs = torch.tensor([[0.0, 0.0, 0.5413]])  # half nothing, half about 1
    >>> zero_inflated_lognormal_quantiles(outputs, (0.4, 0.75)).tolist()
    [[0.0, 1.0]]
    """
    happens, location, raw = outputs.double().unbind(-1)
    chance = happens.sigmoid()[:, None]
    above = 1 - torch.tensor(levels, dtype=torch.float64)
    share = (1 - above / chance).clamp(min=0)
    # Nothing stands for every share up to none; its inverse is minus infinity, so 0.
    return _lognormal_at(location, raw, torch.special.ndtri(share))


def lognormal_quantiles(
    outputs: Float[Tensor, "rows 2"], levels: Sequence[float]
) -> Float64[Tensor, "rows levels"]:
    """The amount that is not exceeded with each chance.

    :param outputs: As :func:`~jointrec.functional.losses.lognormal` takes them.
    :param levels: The chances, each above 0 and below 1.

    >>> lognormal_quantiles(torch.tensor([[0.0, 0.0]]), (0.5,)).tolist()
    [[1.0]]
    """
    location, raw = outputs.double().unbind(-1)
    at = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64))
    return _lognormal_at(location, raw, at.expand(len(outputs), -1))


def count_quantiles(
    mean: Float64[Tensor, "rows"], dispersion: Float64[Tensor, "rows"], levels: Sequence[float]
) -> Float64[Tensor, "rows levels"]:
    r"""The least count that is not exceeded with each chance, of negative binomials and Poissons.

    Chances are added up from 0, each from the one before, with :math:`k = 1 / \mathrm{dispersion}`:

    .. math:: p_{y+1} = p_y \frac{(y + k)\, m}{(y + 1)(k + m)}

    Beyond a mean of ``COUNTED`` the count is
    nearly a gamma variable of the same mean and variance, which is taken.

    :param mean: The expected count m.
    :param dispersion: variance = mean + dispersion · mean²; 0 is a Poisson.
    :param levels: The chances, ascending, each above 0 and below 1.

    >>> one, none = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    >>> count_quantiles(one, none, (0.3, 0.5, 0.95)).tolist()  # .37 none, .74 one at most, …
    [[0.0, 1.0, 3.0]]
    """
    wanted = torch.tensor(levels, dtype=torch.float64)
    found = torch.zeros(len(mean), len(wanted), dtype=torch.float64)
    small = mean <= COUNTED
    if small.any():
        found[small] = _added_up(mean[small], dispersion[small], wanted)
    if not small.all():
        found[~small] = _gamma(mean[~small], dispersion[~small], wanted)
    return found


def _lognormal_at(location: Tensor, raw: Tensor, at: Tensor) -> Tensor:
    exponent = location[:, None] + lognormal_scale(raw)[:, None] * at
    return exponent.clamp(max=EXPONENT_LIMIT).exp()


def _added_up(mean: Tensor, dispersion: Tensor, levels: Tensor) -> Tensor:
    spread = dispersion * mean
    # log of (1 + d m)^(-1/d), which goes to e^-m as d goes to 0.
    none = torch.where(spread > 1e-8, -spread.log1p() / dispersion.clamp(min=1e-300), -mean)
    log_chance, below = none, none.exp()
    found = torch.zeros(len(mean), len(levels), dtype=torch.float64)
    for count in range(MOST_STEPS):
        missing = below[:, None] < levels - 1e-12
        if not missing.any():
            break
        found += missing
        step = mean * (1 + dispersion * count) / ((count + 1) * (1 + spread))
        log_chance = log_chance + step.log()
        below = below + log_chance.exp()
    return found


def _gamma(mean: Tensor, dispersion: Tensor, levels: Tensor) -> Tensor:
    """Quantiles of a gamma distribution by bisection of its distribution function."""
    shape = (1 / (dispersion + 1 / mean))[:, None].expand(-1, len(levels))
    low, high = torch.zeros_like(shape), shape + 60 * shape.sqrt() + 60
    for _ in range(80):
        middle = (low + high) / 2
        under = torch.special.gammainc(shape, middle) < levels
        low, high = torch.where(under, middle, low), torch.where(under, high, middle)
    # A count stands for the numbers within one half of it.
    return (high / shape * mean[:, None] - 0.5).ceil().clamp(min=0)
