"""Numbers as they are, and what each piece of their range means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jointrec.errors import ProjectError

from .base import Numeric, NumericReader


@dataclass(frozen=True)
class PiecewiseLinear(Numeric):
    """Lets a number mean something else in each piece of its range, as a tree does with its cuts.

    No page in the last hour, one page and ten pages are three situations, and no straight line: a
    network of smooth layers takes long to bend so sharply. Piecewise linear encoding (`Gorishniy et
    al., 2022 <https://arxiv.org/abs/2203.05556>`_) gives each piece between two edges b an input::

        e_t(x) = clip((x − b_{t−1}) / (b_t − b_{t−1}), 0, 1)

    so that whatever follows is a sum of straight lines, bent at the edges.

    Where we leave the paper: it gives each number a vector of its own; here one linear layer takes
    all pieces of a group to ``width`` numbers, as groups hold up to a hundred numbers and wide rows
    are slow. The numbers themselves come along, so the pieces at both ends need not go on for ever.

    :param width: How many numbers all pieces of a group become. 1 or more.
    :raises ProjectError: where it is below 1.

    >>> reader = PiecewiseLinear(width=3).build([[0.0, 1.0, 2.0], [0.0]])
    >>> reader.pieces(torch.tensor([[1.5, 7.0]])).tolist()  # the second number has but one value
    [[1.0, 0.5]]
    >>> reader.size
    5
    """

    width: int = 48

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ProjectError(f"`width` should be at least 1. Found `{self.width}`.")

    def build(self, edges: Sequence[Sequence[float]]) -> NumericReader:
        return _PiecewiseLinear(edges, self.width)


class _PiecewiseLinear(NumericReader):
    at: Tensor
    starts: Tensor
    spans: Tensor

    def __init__(self, edges: Sequence[Sequence[float]], width: int) -> None:
        super().__init__()
        pieces = [
            (number, start, stop - start)
            for number, own in enumerate(edges)
            for start, stop in pairwise(own)
        ]
        at, starts, spans = zip(*pieces, strict=True) if pieces else ((), (), ())
        # They follow from the edges, which are kept with the preparation: no weights to be saved.
        self.register_buffer("at", torch.tensor(at, dtype=torch.long), persistent=False)
        self.register_buffer("starts", torch.tensor(starts), persistent=False)
        self.register_buffer("spans", torch.tensor(spans), persistent=False)
        self.size = len(edges) + (width if pieces else 0)
        self.mixed = nn.Linear(len(pieces), width) if pieces else None
        if self.mixed is not None:  # silent at first: many random numbers would drown the ids
            nn.init.zeros_(self.mixed.weight)
            nn.init.zeros_(self.mixed.bias)

    def pieces(self, numbers: Float[Tensor, "rows _"]) -> Float[Tensor, "rows pieces"]:
        """How far each number has come through each of its pieces, from 0 to 1."""
        return ((numbers[:, self.at] - self.starts) / self.spans).clamp(0.0, 1.0)

    def forward(self, numbers: Float[Tensor, "rows _"]) -> Float[Tensor, "rows size"]:
        if self.mixed is None:
            return numbers
        return torch.cat([numbers, self.mixed(self.pieces(numbers))], dim=1)
