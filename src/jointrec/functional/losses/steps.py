"""The loss of a sequence of steps, each yes, no or unknown."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def digits(labels: Float[Tensor, "rows"], size: int) -> Int[Tensor, "rows size"]:
    """What each step is, of a sequence that is written as one number: its digits to the base 3.

    0 is unknown, 1 is no, 2 is yes; the first step is the lowest digit.

    :param labels: Whole numbers from 0 to 3^size - 1. Beyond 15 steps only float64 is exact.

    >>> digits(torch.tensor([5.0, 3.0]), 2)
    tensor([[2, 1],
            [0, 1]])
    """
    powers = 3 ** torch.arange(size, device=labels.device)
    return torch.div(labels.long()[:, None], powers, rounding_mode="floor") % 3


def sequence(
    logits: Float[Tensor, "rows steps"], labels: Float[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of yes or no at each step: binary cross-entropy, summed over the known steps.

    .. math:: \sum_{k \in K} -y_k \log \sigma(z_k) - (1 - y_k) \log(1 - \sigma(z_k))

    K are the steps of which the row is known. A sum and not a mean, so that a step counts the same
    in a row of which all is known and in one of which little is; the best constant answer is then
    the share of yes among those of which the step is known.

    :param logits: The log odds of yes at each step.
    :param labels: What the steps were, as :func:`digits` reads them. Never null as a whole.
    :return: Nats, from 0 up; known steps · log 2 for an even guess.

    >>> sequence(torch.zeros(2, 2), torch.tensor([5.0, 3.0]))
    tensor([1.3863, 0.6931])
    """
    steps = digits(labels, logits.shape[1])
    seen = (steps == 2).to(logits.dtype)
    costs = F.binary_cross_entropy_with_logits(logits, seen, reduction="none")
    return costs.masked_fill(steps == 0, 0.0).sum(1)
