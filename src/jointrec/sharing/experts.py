"""Small networks of one shape, computed together as a few large products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Experts(nn.Module):
    """Groups of experts: networks of the same layers, each with weights of its own.

    The hidden layers of an expert end in SiLU, the last in LayerNorm and SiLU. Normalising what
    experts give keeps a loud one from silencing the others, and SiLU leaves none dead, as HoME
    found (`Wang et al., 2024 <https://arxiv.org/abs/2408.05430>`_). It normalises over the batch;
    here over the numbers of one row, so that rows do not see each other.

    :param size: The width of the rows.
    :param widths: The widths of the layers.
    :param groups: How many experts there are in each group.
    :param dropout: The share of activations dropped while training.
    """

    def __init__(
        self, size: int, widths: Sequence[int], groups: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.dropout = dropout
        shapes = list(pairwise((size, *widths)))
        # Each group has tensors of its own: one that is not asked then gets no gradient at all,
        # and no optimizer moves it.
        self.layers = nn.ModuleList(_Layer(inner, outer, groups) for inner, outer in shapes)
        self.gains = nn.ParameterList(torch.ones(n, widths[-1]) for n in groups)
        self.shifts = nn.ParameterList(torch.zeros(n, widths[-1]) for n in groups)

    def forward(
        self, inputs: Sequence[Float[Tensor, "rows size"]], groups: Sequence[int]
    ) -> list[tuple[Float[Tensor, "rows width"], ...]]:
        """For each group asked, what each of its experts gives.

        :param inputs: What each group asked reads. Groups that read the same tensor do so in one
            product.
        :param groups: Which groups are asked. The others are not computed.
        """
        first, *rest = self.layers
        hidden: Tensor = first(inputs, groups)
        for layer in rest:
            hidden = layer(self._dropped(F.silu(hidden)), groups)
        gain, shift = _of(self.gains, groups), _of(self.shifts, groups)
        normal = F.layer_norm(hidden, hidden.shape[2:])
        given = self._dropped(F.silu(torch.addcmul(shift.unsqueeze(1), normal, gain.unsqueeze(1))))
        experts = iter(given.unbind(0))
        return [tuple(next(experts) for _ in self.gains[group]) for group in groups]

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


class _Layer(nn.Module):
    """One linear layer of all experts."""

    def __init__(self, inner: int, outer: int, groups: Sequence[int]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(_uniform(inner, (n, outer, inner)) for n in groups)
        self.biases = nn.ParameterList(_uniform(inner, (n, outer)) for n in groups)

    def forward(
        self,
        x: Sequence[Float[Tensor, "rows inner"]] | Float[Tensor, "experts rows inner"],
        groups: Sequence[int],
    ) -> Float[Tensor, "experts rows outer"]:
        """What the layer makes of the rows, for each expert of the groups asked.

        :param x: One input for each group asked, or one for each expert.
        """
        weight, bias = _of(self.weights, groups), _of(self.biases, groups)
        if not isinstance(x, Tensor):
            if _one(x):  # one wide product for all experts
                wide = F.linear(x[0], weight.flatten(0, 1), bias.flatten())
                return wide.view(len(x[0]), *bias.shape).transpose(0, 1)
            counts = [len(self.weights[group]) for group in groups]
            x = torch.cat([y.expand(n, -1, -1) for y, n in zip(x, counts, strict=True)])
        return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


class Gates(nn.Module):
    """For each reader, how much it listens to each of its experts: a softmax of the row.

    They start at zero, so every reader first listens to all experts alike.

    :param size: The width of the rows.
    :param counts: To how many experts each reader listens.
    """

    def __init__(self, size: int, counts: Sequence[int]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.zeros(count, size) for count in counts)

    def forward(
        self, inputs: Sequence[Float[Tensor, "rows size"]], readers: Sequence[int]
    ) -> list[Float[Tensor, "rows experts"]]:
        """The shares of each reader asked, which sum to 1.

        :param inputs: What the gate of each reader asked reads.
        """
        weights = [self.weights[reader] for reader in readers]
        if _one(inputs):
            counts = [len(weight) for weight in weights]
            scores = torch.split(F.linear(inputs[0], torch.cat(weights)), counts, dim=1)
        else:
            scores = tuple(F.linear(x, w) for x, w in zip(inputs, weights, strict=True))
        return [score.softmax(dim=1) for score in scores]


def mixed(
    shares: Float[Tensor, "rows experts"], experts: Sequence[Float[Tensor, "rows width"]]
) -> Float[Tensor, "rows width"]:
    """What experts give, each by its share.

    >>> mixed(torch.tensor([[0.25, 0.75]]), [torch.tensor([[4.0]]), torch.tensor([[8.0]])])
    tensor([[7.]])
    """
    first, *rest = zip(torch.split(shares, 1, dim=1), experts, strict=True)
    total: Tensor = first[0] * first[1]
    for share, expert in rest:
        total = torch.addcmul(total, share, expert)
    return total


def _one(inputs: Sequence[Tensor]) -> bool:
    return all(x is inputs[0] for x in inputs)


def _of(parameters: nn.ParameterList, groups: Sequence[int]) -> Tensor:
    return torch.cat([parameters[group] for group in groups])


def _uniform(inner: int, shape: tuple[int, ...]) -> Tensor:
    """Where a linear layer that reads ``inner`` numbers starts, as in ``torch.nn.Linear``."""
    bound = 1 / math.sqrt(inner)
    return torch.empty(shape).uniform_(-bound, bound)
