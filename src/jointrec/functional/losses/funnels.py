"""The loss of a step of a funnel where the step before it happened, as if it always did."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid

SURE = 1e-6
"""A chance of a step, given the one before, is held this far from certain, in nats."""


def inverse_propensity(
    logits: Float[Tensor, "rows"],
    earlier: Float[Tensor, "rows"],
    labels: Float[Tensor, "rows"],
    happened: Bool[Tensor, "rows"],
    clip: float,
) -> Float[Tensor, "rows"]:
    r"""The loss of P(buy | click) over those who clicked, each for all who were as unlikely to.

    .. math:: [c]\, \min\left(\frac{1}{P(c)}, k\right) \left( -y \log \frac{P(y)}{P(c)}
        - (1 - y) \log\left(1 - \frac{P(y)}{P(c)}\right) \right)

    Multi-IPW (Zhang et al. 2020, https://arxiv.org/abs/1910.09337) as ESCM² has it beside the loss
    over all rows (Wang et al. 2022, https://arxiv.org/abs/2204.05125): who clicked is not who is
    asked about, and 1 / P(c) makes up for it. No gradient reaches the earlier step.

    :param logits: Log odds of both steps, over all rows; never above ``earlier``.
    :param earlier: Log odds of the earlier step, c.
    :param labels: y, 1 or 0. Never null.
    :param happened: Whether the earlier step is known to have happened; other rows cost nothing.
    :param clip: k, the largest weight.
    :return: Nats, from 0 up.

    >>> logits, earlier = torch.tensor([-1.0986, -1.0986]), torch.tensor([0.0, 0.0])  # 1/4 of 1/2
    >>> seen = torch.tensor([True, False])
    >>> inverse_propensity(logits, earlier, torch.tensor([1.0, 0.0]), seen, 10.0)  # 2 log 2
    tensor([1.3863, 0.0000])
    """
    before = logsigmoid(earlier.detach())
    log_share = (logsigmoid(logits) - before).clamp(max=-SURE)
    against = torch.log(-torch.expm1(log_share))
    weight = (-before).exp().clamp(max=clip)
    cost = -labels * log_share - (1 - labels) * against
    return torch.where(happened, weight * cost, 0.0)
