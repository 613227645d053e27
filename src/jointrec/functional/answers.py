"""Answers: from the network's outputs to the number a person reads, one per row."""

import torch
from jaxtyping import Float
from torch import Tensor

from .losses import EXPONENT_LIMIT, log_odds_above, lognormal_scale


def probability(logits: Float[Tensor, "rows *each"]) -> Float[Tensor, "rows *each"]:
    r"""The chance of yes: :math:`\sigma(z) = 1 / (1 + e^{-z})`, from 0 to 1.

    :param logits: Log odds z of yes.

    >>> probability(torch.tensor([0.0, 100.0]))
    tensor([0.5000, 1.0000])
    """
    return logits.sigmoid()


def probabilities(logits: Float[Tensor, "rows classes"]) -> Float[Tensor, "rows classes"]:
    r"""The chance of each class: :math:`e^{z_c} / \sum_k e^{z_k}`, from 0 to 1, a row sums to 1.

    :param logits: One number per class; only their differences count.

    >>> probabilities(torch.tensor([[0.0, 0.0]]))
    tensor([[0.5000, 0.5000]])
    """
    return logits.softmax(-1)


def grades(outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows levels"]:
    r"""The chance of each level under :func:`~jointrec.functional.losses.ordinal`.

    .. math:: \sigma(z_k) - \sigma(z_{k+1}) = \sigma(z_k)\,\sigma(-z_{k+1})\,(1 - e^{z_{k+1}-z_k})

    :param outputs: levels - 1 numbers.
    :return: From 0 to 1, a row sums to 1.

    >>> grades(torch.tensor([[0.0, 0.0]]))
    tensor([[0.5000, 0.1667, 0.3333]])
    """
    above = log_odds_above(outputs)
    between = above[:, :-1].sigmoid() * (-above[:, 1:]).sigmoid()
    between = between * -torch.expm1(above[:, 1:] - above[:, :-1])
    return torch.cat([(-above[:, :1]).sigmoid(), between, above[:, -1:].sigmoid()], dim=1)


def zero_inflated_lognormal_mean(outputs: Float[Tensor, "rows 3"]) -> Float[Tensor, "rows"]:
    r"""The expected amount under :func:`~jointrec.functional.losses.zero_inflated_lognormal`.

    .. math:: \sigma(z) \, e^{\mu + s^2 / 2}

    Wang, Liu and Miao (2019), https://arxiv.org/abs/1912.07753. The exponent is clamped at
    ``EXPONENT_LIMIT`` = 30, before it is multiplied by the chance: a scale that ran away gives a
    very large amount, never infinity.

    :param outputs: The logit z of anything at all, the mean mu of the log amount, the raw scale.
    :return: The amount in the table's own unit, from 0 to 10^13.

    >>> zero_inflated_lognormal_mean(torch.tensor([[0.0, 0.0, -50.0], [0.0, 900.0, 0.0]]))
    tensor([5.0002e-01, 5.3432e+12])
    """
    happens, location, raw_scale = outputs.unbind(-1)
    exponent = location + lognormal_scale(raw_scale).square() / 2
    return happens.sigmoid() * exponent.clamp(max=EXPONENT_LIMIT).exp()


def lognormal_mean(outputs: Float[Tensor, "rows 2"]) -> Float[Tensor, "rows"]:
    r"""The expected amount under :func:`~jointrec.functional.losses.lognormal`.

    :math:`e^{\mu + s^2 / 2}`, the exponent clamped at ``EXPONENT_LIMIT``.

    :param outputs: The mean mu of the log amount, the raw scale.

    >>> lognormal_mean(torch.tensor([[0.0, -50.0]]))
    tensor([1.0000])
    """
    exponent = outputs[:, 0] + lognormal_scale(outputs[:, 1]).square() / 2
    return exponent.clamp(max=EXPONENT_LIMIT).exp()


def amount_of_log(logs: Float[Tensor, "rows *each"]) -> Float[Tensor, "rows *each"]:
    r"""The amount of which an output is the log of one plus it: :math:`e^o - 1`, 0 or more.

    :param logs: The logs o; what is below 0 gives 0, what is above ``EXPONENT_LIMIT`` stops there.

    >>> amount_of_log(torch.tensor([-1.0, 0.6931472]))
    tensor([0., 1.])
    """
    return logs.clamp(0, EXPONENT_LIMIT).expm1()


def happened_by(logits: Float[Tensor, "rows bins"]) -> Float[Tensor, "rows bins"]:
    r"""The chance that it has happened by the end of each bin.

    .. math:: 1 - \prod_{j \le k} (1 - h_j)

    :param logits: As :func:`~jointrec.functional.losses.survival` takes them.
    :return: From 0 to 1, never falling along a row.

    >>> happened_by(torch.zeros(1, 3))
    tensor([[0.5000, 0.7500, 0.8750]])
    """
    return -torch.expm1(-torch.nn.functional.softplus(logits).cumsum(1))


def count_mean(log_mean: Float[Tensor, "rows"]) -> Float[Tensor, "rows"]:
    r"""The expected count: :math:`e^m`, from 0 to 10^13.

    For a Poisson m is the output, for a negative binomial the first of its two outputs. It is
    clamped at ``EXPONENT_LIMIT`` = 30.

    :param log_mean: The log m of the expected count.

    >>> count_mean(torch.tensor([0.0, 900.0]))
    tensor([1.0000e+00, 1.0686e+13])
    """
    return torch.exp(log_mean.clamp(max=EXPONENT_LIMIT))
