"""Losses of how much."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .chances import binary
from .scales import bounded_exp, lognormal_scale


def zero_inflated_lognormal(
    outputs: Float[Tensor, "rows 3"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of an amount that is mostly nothing and sometimes large: revenue, lifetime value.

    Wang, Liu and Miao (2019), `A Deep Probabilistic Model for Customer Lifetime Value Prediction
    <https://arxiv.org/abs/1912.07753>`_. With z, mu and s the outputs (s after
    :func:`lognormal_scale`) and x the amount:

    .. math::
        \mathrm{BCE}(z, [x > 0]) + [x > 0] \left(
        \log x + \log s + \tfrac12 \log 2\pi + \frac{(\log x - \mu)^2}{2 s^2} \right)

    :param outputs: The logit of anything at all, the mean of the log amount, the raw scale.
    :param labels: The amount in the table's own unit, 0 or more. Never null.
    :return: Nats; below 0 where the density is above one.

    >>> outputs = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> zero_inflated_lognormal(outputs, torch.tensor([0.0, 1.0]))
    tensor([0.6931, 1.2599])
    """
    happens, location, raw_scale = outputs.unbind(-1)
    positive = labels > 0
    # The log of zero would be masked in the loss yet be nan in its gradient.
    amount = _lognormal(location, raw_scale, torch.where(positive, labels, 1.0))
    return binary(happens, positive.to(outputs.dtype)) + torch.where(positive, amount, 0.0)


def lognormal(
    outputs: Float[Tensor, "rows 2"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of an amount that is never nothing: a price, a distance, how long it takes.

    .. math:: \log x + \log s + \tfrac12 \log 2\pi + \frac{(\log x - \mu)^2}{2 s^2}

    The negative log likelihood of a log-normal distribution (Aitchison and Brown 1957).

    :param outputs: The mean mu of the log amount, the raw scale (see :func:`lognormal_scale`).
    :param labels: The amount in the table's own unit, above 0. Never null.
    :return: Nats; below 0 where the density is above one.

    >>> lognormal(torch.tensor([[0.0, 0.5413]]), torch.tensor([1.0]))  # a scale of 1.01
    tensor([0.9289])
    """
    return _lognormal(outputs[:, 0], outputs[:, 1], labels)


def _lognormal(
    location: Float[Tensor, "rows"], raw_scale: Float[Tensor, "rows"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    scale, log_amount = lognormal_scale(raw_scale), labels.log()
    distance = (log_amount - location) / scale
    return log_amount + scale.log() + 0.5 * math.log(2 * math.pi) + 0.5 * distance.square()


def tweedie(
    log_mean: Float[Tensor, "rows"], labels: Float[Tensor, "rows"], power: float = 1.5
) -> Float[Tensor, "rows"]:
    r"""The loss of an amount by its mean alone, between a count's and a price's.

    .. math:: -\frac{x\, e^{(1-p) m}}{1 - p} + \frac{e^{(2-p) m}}{2 - p}

    The quasi-likelihood of Tweedie (1984), of which the variance is proportional to the mean to the
    power p, without the terms that do not depend on m; Jørgensen (1987). The true mean makes it
    least, however amounts are spread. Exponentials end as :func:`bounded_exp` does.

    :param log_mean: The log m of the expected amount.
    :param labels: The amount in the table's own unit, 0 or more. Never null.
    :param power: p, above 1 and below 2.
    :return: From 0 up. It grows with the unit of the amount.

    >>> tweedie(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor([2., 4.])
    """
    rate, amount = log_mean.double(), labels.double()
    pulled = amount * bounded_exp((1 - power) * rate) / (power - 1)
    return (pulled + bounded_exp((2 - power) * rate) / (2 - power)).to(log_mean.dtype)


def huber_log(
    log_amount: Float[Tensor, "rows"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of the typical amount, which no single large one rules.

    .. math:: H(r) = \tfrac12 r^2 \text{ where } |r| \le 1, \text{ else } |r| - \tfrac12,
        \qquad r = \log(1 + x) - o

    Huber (1964) on the scale of the logarithm. What it finds lies between the mean and the median
    of the log amount, so answers are typical amounts and sum to less than all there is.

    :param log_amount: The log o of one plus the amount.
    :param labels: The amount in the table's own unit, 0 or more. Never null.
    :return: From 0 up.

    >>> huber_log(torch.tensor([0.0, 3.0]), torch.tensor([0.0, 0.0]))
    tensor([0.0000, 2.5000])
    """
    return F.huber_loss(log_amount, labels.log1p(), reduction="none")
