"""Funnels: what can only happen after something else has, answered over all rows."""

import torch
from jaxtyping import Float
from torch import Tensor


def chain(
    parent: Float[Tensor, "rows"], conditional: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The logit of two things in a row: a click, and a purchase given a click.

    Ma et al. (2018), `Entire Space Multi-Task Model <https://arxiv.org/abs/1804.07931>`_: the
    second task is learned as p = σ(a) σ(b) over every impression, not over the clicked ones, whose
    labels say nothing of the rest. The paper multiplies probabilities; this stays in log space,
    where nothing is lost at either end:

    .. math::
        \log p = \log\sigma(a) + \log\sigma(b), \qquad
        \mathrm{logit}\,p = \log p - \log(1 - p) = -\log(e^{-a} + e^{-b} + e^{-a-b})

    The right side is what is computed. The log of a sum is never below its largest term, so the
    result is never above ``parent`` nor above ``conditional``, in floating point as on paper; its
    gradients are shares, from 0 to 1 for each argument.

    :param parent: Log odds a of the first thing; any finite size.
    :param conditional: Log odds b of the second, given the first.
    :return: Log odds of both. A longer funnel is a chain of chains.

    >>> both = chain(torch.tensor([0.0, 50.0, -50.0]), torch.tensor([0.0, 2.0, 50.0]))
    >>> both.sigmoid()
    tensor([2.5000e-01, 8.8080e-01, 1.9287e-22])
    """
    against = torch.stack([-parent, -conditional, -parent - conditional])
    return -against.logsumexp(0)


def either(parent: Float[Tensor, "rows"], more: Float[Tensor, "rows"]) -> Float[Tensor, "rows"]:
    r"""The logit of something by the end of a longer time: within the shorter one, or after it.

    .. math:: 1 - p = (1 - \sigma(a)) (1 - \sigma(b))

    It is never below ``parent``: of what has not happened, a share still does.

    :param parent: Log odds a of its happening within the shorter time.
    :param more: Log odds b of its happening thereafter, where it has not.

    >>> either(torch.tensor([0.0]), torch.tensor([0.0])).sigmoid()
    tensor([0.7500])
    """
    return -chain(-parent, -more)
