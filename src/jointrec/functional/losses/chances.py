"""Losses of yes or no, of one of several, and of any number of several."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


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


def binary_in_training(
    logits: Float[Tensor, "rows"],
    labels: Float[Tensor, "rows"],
    positive_weight: float = 1.0,
    smoothing: float = 0.0,
    negatives: float = 1.0,
) -> Float[Tensor, "rows"]:
    r"""The loss of a yes-or-no answer that is learned from changed rows, yet stays right.

    With w the weight of a yes, r the share of rows of no that were kept, and e the smoothing:

    .. math::
        z' = z + \log w - \log r, \quad p' = (1 - e)\,\sigma(z') + \tfrac e2, \quad
        y' = (1 - e)\,y + \tfrac e2, \quad
        \left(1 + (w - 1) y\right) \left( -y' \log p' - (1 - y') \log(1 - p') \right)

    A weight multiplies the odds that are learned by w, and leaving rows of no out by 1 / r (King
    and Zeng 2001, https://doi.org/10.1093/oxfordjournals.pan.a004868; He et al. 2014). Both are
    corrected for here and not afterwards, so the logits z are those of *all* rows: a funnel may
    chain them, and nothing has to be mended when they are served. Smoothed labels (Szegedy et al.
    2016) are met by smoothed chances, for the same reason.

    :param logits: Log odds z of yes among all rows.
    :param labels: 1 for yes, 0 for no. Never null.
    :param positive_weight: w, above 0.
    :param smoothing: e, from 0 and below 1.
    :param negatives: r, above 0 and at most 1.

    >>> plain = binary(torch.tensor([0.5]), torch.tensor([1.0]))
    >>> torch.equal(binary_in_training(torch.tensor([0.5]), torch.tensor([1.0])), plain)
    True
    """
    moved = logits + (math.log(positive_weight) - math.log(negatives))
    weight = 1 + (positive_weight - 1) * labels
    if not smoothing:
        return weight * binary(moved, labels)
    chance = (1 - smoothing) * moved.sigmoid() + smoothing / 2
    against = (1 - smoothing) * (-moved).sigmoid() + smoothing / 2
    seen = (1 - smoothing) * labels + smoothing / 2
    return weight * -(seen * chance.log() + (1 - seen) * against.log())


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
