"""What a raw output stands for where a number must be positive, and where numbers stop."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

SCALE_FLOOR = 1e-2
"""The smallest scale of a lognormal: amounts are never held to be more exact than about 1 %."""
DISPERSION_FLOOR = 1e-4
"""The smallest dispersion of a negative binomial, which there is a Poisson but for 0.01 %."""
GAP_FLOOR = 1e-6
"""The smallest distance of two neighbouring thresholds, in log odds."""
EXPONENT_LIMIT = 30.0
"""Where an exponential stops: e^30 is 10^13, more than any amount or count to be expected."""


def bounded_exp(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The exponential, which beyond ``EXPONENT_LIMIT`` goes on as its tangent.

    So a loss and its gradient stay finite for an output that ran away, and still pull it back.

    >>> bounded_exp(torch.tensor([0.0, 31.0])) / math.exp(30)  # 1, and twice as much
    tensor([9.3576e-14, 2.0000e+00])
    """
    bounded = x.clamp(max=EXPONENT_LIMIT)
    return bounded.exp() * (1 + x - bounded)


def lognormal_scale(raw: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The scale (standard deviation of the log amount) that a raw output stands for.

    ``softplus(raw) + SCALE_FLOOR``: positive, and never so small that one exact amount in the data
    would drive the loss to minus infinity. The paper's code takes the larger of softplus and a
    floor of 0.0003; the sum keeps a gradient at the floor.

    >>> lognormal_scale(torch.tensor([-50.0, 0.0, 50.0]))
    tensor([1.0000e-02, 7.0315e-01, 5.0010e+01])
    """
    return torch.nn.functional.softplus(raw) + SCALE_FLOOR


def dispersion(raw: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The dispersion that a raw output stands for: variance = mean + dispersion · mean².

    ``softplus(raw) + DISPERSION_FLOOR``.

    >>> dispersion(torch.tensor([-50.0, 0.0]))
    tensor([1.0000e-04, 6.9325e-01])
    """
    return torch.nn.functional.softplus(raw) + DISPERSION_FLOOR


def raw_of(value: float, *, floor: float) -> float:
    """The raw output for which :func:`lognormal_scale` or :func:`dispersion` gives ``value``.

    :param value: A positive scale or dispersion. One at or below the floor gives the raw output
        of a value just above it, so that a head can start there and still learn.
    :param floor: ``SCALE_FLOOR`` or ``DISPERSION_FLOOR``.

    >>> round(raw_of(0.7031472, floor=SCALE_FLOOR), 5)
    0.0
    """
    above = max(value - floor, floor * 1e-3)
    # log(e^x - 1) written so that a large value does not overflow.
    return above + math.log(-math.expm1(-above))
