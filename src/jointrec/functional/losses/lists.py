"""Losses of order: rows of one list against each other, one number per row.

A list is what stands side by side: the rows of one request, the judgements of one query. ``lists``
says by whole numbers which rows belong together. A list whose labels are all the same says nothing
of order and costs nothing. Rows of a list share its cost: a sum over rows is one over lists.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def softmax_in_lists(
    scores: Float[Tensor, "rows"], gains: Float[Tensor, "rows"], lists: Int[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The listwise loss: each row that has a gain is picked from among its list.

    .. math:: -g_i \log \frac{e^{s_i}}{\sum_{j \in L(i)} e^{s_j}}

    ListNet of the first place (Cao et al. 2007, https://doi.org/10.1145/1273496.1273513), as JRC
    has it beside a loss of chances (Sheng et al. 2023, https://arxiv.org/abs/2208.06164). Gains are
    not scaled to sum to 1: a list with two clicks says twice as much.

    :param scores: One number per row, such as a logit; in a list only their differences count.
    :param gains: 0 or more: 1 for a click, or how much better a grade is than the lowest.
    :return: From 0 up.

    >>> scores, gains = torch.zeros(3), torch.tensor([1.0, 0.0, 1.0])
    >>> softmax_in_lists(scores, gains, torch.tensor([7, 7, 8]))  # of list 8 there is but one row
    tensor([0.6931, 0.0000, 0.0000])
    """
    member, told = _members(gains, lists)
    size = int(member.max()) + 1 if len(member) else 0
    # The largest of each list is taken off, so that no exponential overflows.
    top = scores.new_full((size,), -torch.inf).scatter_reduce(0, member, scores.detach(), "amax")
    total = scores.new_zeros(size).index_add(0, member, (scores - top[member]).exp())
    cost = gains * (total.log()[member] + top[member] - scores)
    return torch.where(told, cost, 0.0)


def pairs_in_lists(
    scores: Float[Tensor, "rows"], gains: Float[Tensor, "rows"], lists: Int[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The pairwise loss: each row against the rows of its list that have less gain.

    .. math:: \frac{1}{|L(i)|} \sum_{j \in L(i),\ g_j < g_i} \log\left(1 + e^{s_j - s_i}\right)

    RankNet (Burges et al. 2005, https://doi.org/10.1145/1102351.1102363). Divided by the size of
    the list, so that a long one, which has many more pairs, does not rule.

    :param scores: One number per row; in a list only their differences count.
    :param gains: Which of two rows should stand above: the one with more.
    :return: From 0 up.

    >>> scores, gains = torch.zeros(3), torch.tensor([1.0, 0.0, 1.0])
    >>> pairs_in_lists(scores, gains, torch.tensor([7, 7, 8]))
    tensor([0.3466, 0.0000, 0.0000])
    """
    member, _ = _members(gains, lists)
    order = torch.argsort(member, stable=True)
    counts = torch.bincount(member)
    sizes = counts[member[order]]
    starts = (counts.cumsum(0) - counts)[member[order]]
    # Each row beside each row of its list: first and second are places in `order`.
    first = torch.repeat_interleave(torch.arange(len(order), device=order.device), sizes)
    begun = torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
    second = (
        torch.repeat_interleave(starts, sizes)
        + torch.arange(len(first), device=order.device)
        - begun
    )
    above = gains[order][first] > gains[order][second]
    first, second = order[first[above]], order[second[above]]
    costs = F.softplus(scores[second] - scores[first]) / counts[member[first]]
    return torch.zeros_like(scores).index_add(0, first, costs)


def _members(
    gains: Float[Tensor, "rows"], lists: Int[Tensor, "rows"]
) -> tuple[Int[Tensor, "rows"], Tensor]:
    """Lists as 0, 1, 2 …, and whether the gains of a row's list differ."""
    member = torch.unique(lists, return_inverse=True)[1]
    size = int(member.max()) + 1 if len(member) else 0
    high = gains.new_full((size,), -torch.inf).scatter_reduce(0, member, gains, "amax")
    low = gains.new_full((size,), torch.inf).scatter_reduce(0, member, gains, "amin")
    return member, (high > low)[member]
