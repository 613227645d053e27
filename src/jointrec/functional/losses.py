"""Losses: how far the network's outputs are from what was seen, one number per row.

Every loss is a negative log likelihood in nats, not reduced, and of known labels: the caller picks
the known rows first, as a nan would travel into the gradient of every parameter.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

SCALE_FLOOR = 1e-2
"""The smallest scale of a lognormal: amounts are never held to be more exact than about 1 %."""
DISPERSION_FLOOR = 1e-4
"""The smallest dispersion of a negative binomial, which there is a Poisson but for 0.01 %."""
GAP_FLOOR = 1e-6
"""The smallest distance of two neighbouring thresholds, in log odds."""
EXPONENT_LIMIT = 30.0
"""Where an exponential stops: e^30 is 10^13, more than any amount or count to be expected."""


def binary(logits: Float[Tensor, "rows"], labels: Float[Tensor, "rows"]) -> Float[Tensor, "rows"]:
    r"""The loss of a yes-or-no answer: binary cross-entropy.

    .. math:: -y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))

    :param logits: Log odds z of yes; any finite size.
    :param labels: 1 for yes, 0 for no, or a share in between. Never null.
    :return: Nats, from 0 up; log 2 = 0.693 for an even guess.

    >>> binary(torch.tensor([0.0, 100.0]), torch.tensor([1.0, 0.0]))
    tensor([  0.6931, 100.0000])
    """
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")


def choice(
    logits: Float[Tensor, "rows classes"], labels: Int[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of a pick of one class among several: cross-entropy after a softmax.

    .. math:: \log \sum_c e^{z_c} - z_y

    :param logits: One number per class; only their differences count.
    :param labels: The number of the class that was seen, from 0 to classes - 1. Never null.
    :return: Nats, from 0 up; log(classes) for an even guess.

    >>> choice(torch.tensor([[0.0, 0.0], [0.0, 100.0]]), torch.tensor([0, 0]))
    tensor([  0.6931, 100.0000])
    """
    # The target must be 64-bit whatever narrower integer a batch keeps.
    return F.cross_entropy(logits, labels.long(), reduction="none")


def members(labels: Float[Tensor, "rows"], size: int) -> Float[Tensor, "rows size"]:
    """Which classes a set holds, that is written as one number: bit c is set where c is in it.

    :param labels: Whole numbers from 0 to 2^size - 1. Beyond 24 classes only float64 is
        exact.

    >>> members(torch.tensor([0.0, 5.0]), 3)
    tensor([[0., 0., 0.],
            [1., 0., 1.]])
    """
    bits = labels.long()[:, None] >> torch.arange(size, device=labels.device)
    return (bits & 1).to(labels.dtype)


def multi(
    logits: Float[Tensor, "rows classes"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of several yes-or-no answers at once: binary cross-entropy, summed over classes.

    .. math:: \sum_c -y_c \log \sigma(z_c) - (1 - y_c) \log(1 - \sigma(z_c))

    Read and others (2011), binary relevance: given the row, classes are taken to be independent;
    what goes together they learn from what they share.

    :param logits: The log odds of each class.
    :param labels: The classes that were seen, as :func:`members` reads them. Never null.
    :return: Nats, from 0 up; classes · log 2 for an even guess.

    >>> multi(torch.tensor([[0.0, 0.0]]), torch.tensor([2.0]))
    tensor([1.3863])
    """
    seen = members(labels, logits.shape[1]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, seen, reduction="none").sum(1)


def log_odds_above(outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows steps"]:
    r"""The log odds that a grade is above each level but the last: falling by construction.

    .. math:: z_1 = o_1, \qquad z_k = z_{k-1} - \mathrm{softplus}(o_k) - \mathrm{GAP\_FLOOR}

    :param outputs: The log odds of any grade above the lowest, then a raw distance for each step.

    >>> log_odds_above(torch.tensor([[2.0, 0.0, 0.0]]))
    tensor([[2.0000, 1.3069, 0.6137]])
    """
    return outputs[:, :1] - F.pad(_gaps(outputs).cumsum(1), (1, 0))


def ordinal(
    outputs: Float[Tensor, "rows steps"], labels: Int[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of a grade: levels that stand in an order, such as a relevance of 0 to 3.

    The cumulative logit of McCullagh (1980), `Regression Models for Ordinal Data
    <https://doi.org/10.1111/j.2517-6161.1980.tb01109.x>`_. With :math:`z_k` the log odds of a grade
    of k or more (:func:`log_odds_above`), of which :math:`z_0 = \infty` and that beyond the last
    level is :math:`-\infty`:

    .. math::
        -\log\left(\sigma(z_y) - \sigma(z_{y+1})\right)
        = \mathrm{softplus}(-z_y) + \mathrm{softplus}(z_{y+1})
        - \log\left(1 - e^{z_{y+1} - z_y}\right)

    The right side is what is computed: a difference of chances that are nearly equal would lose all
    digits. The paper has the same thresholds for every row; here the distances between them are a
    row's own, so that some rows are graded more surely than others. Thresholds cannot cross.

    :param outputs: levels - 1 numbers, as :func:`log_odds_above` takes them.
    :param labels: The place of the level, from 0 to levels - 1. Never null.
    :return: Nats, from 0 up.

    >>> ordinal(torch.tensor([[0.0, 0.0]] * 3), torch.tensor([0, 1, 2]))  # 1/2, 1/6, 1/3
    tensor([0.6931, 1.7918, 1.0986])
    """
    labels = labels.long()
    above, last = log_odds_above(outputs), outputs.shape[1]
    reached = above.gather(1, (labels - 1).clamp(min=0)[:, None]).squeeze(1)
    missed = above.gather(1, labels.clamp(max=last - 1)[:, None]).squeeze(1)
    loss = torch.where(labels > 0, F.softplus(-reached), 0.0)
    loss = loss + torch.where(labels < last, F.softplus(missed), 0.0)
    if last == 1:
        return loss
    between = (labels > 0) & (labels < last)
    gap = _gaps(outputs).gather(1, (labels - 1).clamp(0, last - 2)[:, None]).squeeze(1)
    # The gap of another row's level stands in where there is none, so that its log is finite.
    return loss - torch.where(between, torch.log(-torch.expm1(-gap)), 0.0)


def _gaps(outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows gaps"]:
    return F.softplus(outputs[:, 1:]) + GAP_FLOOR


def lognormal_scale(raw: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The scale (standard deviation of the log amount) that a raw output stands for.

    ``softplus(raw) + SCALE_FLOOR``: positive, and never so small that one exact amount in the data
    would drive the loss to minus infinity. The paper's code takes the larger of softplus and a
    floor of 0.0003; the sum keeps a gradient at the floor.

    >>> lognormal_scale(torch.tensor([-50.0, 0.0, 50.0]))
    tensor([1.0000e-02, 7.0315e-01, 5.0010e+01])
    """
    return F.softplus(raw) + SCALE_FLOOR


def dispersion(raw: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The dispersion that a raw output stands for: variance = mean + dispersion · mean².

    ``softplus(raw) + DISPERSION_FLOOR``.

    >>> dispersion(torch.tensor([-50.0, 0.0]))
    tensor([1.0000e-04, 6.9325e-01])
    """
    return F.softplus(raw) + DISPERSION_FLOOR


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
    scale = lognormal_scale(raw_scale)
    # The log of zero would be masked in the loss yet be nan in its gradient.
    log_amount = torch.where(positive, labels, 1.0).log()
    distance = (log_amount - location) / scale
    amount = log_amount + scale.log() + 0.5 * math.log(2 * math.pi) + 0.5 * distance.square()
    return binary(happens, positive.to(outputs.dtype)) + torch.where(positive, amount, 0.0)


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
    bounded = rate.clamp(max=EXPONENT_LIMIT)
    expected = bounded.exp() * (1 + rate - bounded)
    return (expected - counts * rate + torch.lgamma(counts + 1)).to(log_rate.dtype)


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
