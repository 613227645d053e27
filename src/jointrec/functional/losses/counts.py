"""Losses of how many."""

import torch
from jaxtyping import Float
from torch import Tensor

from .scales import bounded_exp, dispersion


def poisson(
    log_rate: Float[Tensor, "rows"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of a count whose variance is its mean.

    .. math:: e^r - y r + \log \Gamma(y + 1)

    Beyond r = ``EXPONENT_LIMIT`` the exponential goes on as its tangent, so that loss and gradient
    stay finite and still pull back. Computed in float64, since the terms of a large count nearly
    cancel, and given back in the outputs' type.

    :param log_rate: The log r of the expected count.
    :param labels: The count, 0 or more. Never null.
    :return: Nats, from 0 up for whole counts.

    >>> poisson(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 2.0]))
    tensor([1.0000, 1.6931])
    """
    rate, counts = log_rate.double(), labels.double()
    return (bounded_exp(rate) - counts * rate + torch.lgamma(counts + 1)).to(log_rate.dtype)


def negative_binomial(
    outputs: Float[Tensor, "rows 2"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of a count that varies more than a Poisson: sales, visits.

    With m the log mean, k = 1 / :func:`dispersion`, and softplus(x) = log(1 + e^x):

    .. math::
        \log\Gamma(y + 1) + \log\Gamma(k) - \log\Gamma(y + k)
        + k\,\mathrm{softplus}(m - \log k) + y\,\mathrm{softplus}(\log k - m)

    which is the NB2 of Cameron and Trivedi (1986), variance = mean + dispersion · mean², written
    without any exponential that could overflow. Computed in float64 as :func:`poisson` is.

    :param outputs: The log of the expected count, the raw dispersion.
    :param labels: The count, 0 or more. Never null.
    :return: Nats, from 0 up for whole counts.

    >>> negative_binomial(torch.tensor([[0.0, 0.5412]]), torch.tensor([0.0]))  # dispersion 1
    tensor([0.6931])
    """
    log_mean, raw_dispersion = outputs.double().unbind(-1)
    counts = labels.double()
    log_size = -dispersion(raw_dispersion).log()
    size = log_size.exp()
    ways = torch.lgamma(counts + 1) + torch.lgamma(size) - torch.lgamma(counts + size)
    # softplus of torch turns linear at 20, which would cost digits: logaddexp does not.
    zero = torch.zeros_like(log_mean)
    none = size * torch.logaddexp(zero, log_mean - log_size)
    some = counts * torch.logaddexp(zero, log_size - log_mean)
    return (ways + none + some).to(outputs.dtype)
