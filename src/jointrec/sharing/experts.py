"""Small networks of one shape, computed together as a few large products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from jointrec.functional.dropout import dropped

from .listening import heard_of
from .products import block_products, wide_product


class Experts(nn.Module):
    """Groups of experts: networks of the same layers, each with weights of its own.

    The hidden layers of an expert end in ReLU, the last in LayerNorm and ReLU. Normalising what
    experts give keeps a loud one from silencing the others, as HoME found
    (`Wang et al., 2024 <https://arxiv.org/abs/2408.05430>`_). It normalises over the batch; here
    over the numbers of one row, so that rows do not see each other. It ends in SiLU; ReLU learned
    as much or more here, and costs no pass of its own (docs/log.md, 2026-11-26).

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
        self,
        inputs: Sequence[Float[Tensor, "rows size"]],
        groups: Sequence[int],
        shares: Float[Tensor, "rows readers heard"] | None = None,
        listens: Int64[Tensor, "readers heard"] | None = None,
    ) -> Float[Tensor, "rows readers width"]:
        """What each reader hears of the experts of the groups asked.

        :param inputs: What each group asked reads. Where all read the same tensor, they do so in
            one product.
        :param groups: Which groups are asked. The others are not computed.
        :param shares: How much each reader listens to each expert that it hears. Default: there is
            a reader for each expert, who hears it as it is.
        :param listens: Which experts those are: places in the groups asked, one after another.
            Default: all of them.
        """
        *inner, last = self.layers
        hidden = self._read(inputs, groups)
        for layer in inner:
            hidden = dropped(layer(hidden, groups, relu=True), self.dropout, self.training)
        gain, shift = _of(self.gains, groups), _of(self.shifts, groups)
        every = torch.arange(len(gain), device=gain.device)
        if shares is None:
            shares, listens = gain.new_ones(len(hidden), len(gain), 1), every[:, None]
        elif listens is None:
            listens = every.expand(shares.shape[1], -1)
        dropout = self.dropout if self.training else 0.0
        return heard_of(last(hidden, groups), gain, shift, shares, listens, dropout)

    def _read(self, inputs: Sequence[Tensor], groups: Sequence[int]) -> Tensor:
        """One input for all experts, or one for each."""
        if _one(inputs):
            return inputs[0]
        counts = torch.tensor([len(self.gains[group]) for group in groups])
        return torch.stack(list(inputs), dim=1).repeat_interleave(counts, dim=1)


class _Layer(nn.Module):
    """One linear layer of all experts."""

    def __init__(self, inner: int, outer: int, groups: Sequence[int]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(_uniform(inner, (n, outer, inner)) for n in groups)
        self.biases = nn.ParameterList(_uniform(inner, (n, outer)) for n in groups)

    def forward(
        self,
        x: Float[Tensor, "rows inner"] | Float[Tensor, "rows experts inner"],
        groups: Sequence[int],
        *,
        relu: bool = False,
    ) -> Float[Tensor, "rows experts outer"]:
        """What the layer makes of the rows, for each expert of the groups asked.

        :param x: One input for all of them, or one for each expert.
        """
        weight, bias = _of(self.weights, groups), _of(self.biases, groups)
        return (wide_product if x.ndim == 2 else block_products)(x, weight, bias, relu=relu)


class Gates(nn.Module):
    """For each reader, how much it listens to each of some experts: a softmax of the row.

    They start at zero, so every reader first listens to all experts alike.

    :param size: The width of the rows.
    :param readers: How many readers there are.
    :param experts: To how many experts each of them listens.
    """

    def __init__(self, size: int, readers: int, experts: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.zeros(experts, size) for _ in range(readers))

    def forward(
        self, inputs: Sequence[Float[Tensor, "rows size"]], readers: Sequence[int]
    ) -> Float[Tensor, "rows readers experts"]:
        """The shares of each reader asked, which sum to 1.

        :param inputs: What the gate of each reader asked reads.
        """
        weights = [self.weights[reader] for reader in readers]
        if _one(inputs):
            scores = F.linear(inputs[0], torch.stack(weights, dim=1).flatten(0, 1))
            scores = scores.view(len(scores), len(weights[0]), len(weights))
        else:
            alone = [F.linear(x, w) for x, w in zip(inputs, weights, strict=True)]
            scores = torch.stack(alone, dim=2)
        # Rows last: a softmax over a few neighbours is ten times as slow as one across them.
        return scores.permute(1, 2, 0).contiguous().softmax(dim=0).permute(2, 1, 0)


def _one(inputs: Sequence[Tensor]) -> bool:
    return all(x is inputs[0] for x in inputs)


def _of(parameters: nn.ParameterList, groups: Sequence[int]) -> Tensor:
    own: list[Tensor] = [parameters[group] for group in groups]
    return own[0] if len(own) == 1 else torch.cat(own)


def _uniform(inner: int, shape: tuple[int, ...]) -> Tensor:
    """Where a linear layer that reads ``inner`` numbers starts, as in ``torch.nn.Linear``."""
    bound = 1 / math.sqrt(inner)
    return torch.empty(shape).uniform_(-bound, bound)
