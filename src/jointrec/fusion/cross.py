"""Products of features, learned explicitly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jointrec.errors import ProjectError

from .base import Fused, Fusion
from .side_by_side import side_by_side, width_of


@dataclass(frozen=True)
class Cross(Fusion):
    """Sets the vectors of a row side by side and multiplies them with each other, layer by layer.

    The cross network of DCN-V2 (`Wang et al., 2021 <https://arxiv.org/abs/2008.13535>`_)::

        x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l

    where x_0 is the parts with one sign each (:class:`Concat`), ⊙ the product number by number, and
    layer l holds all products of up to l + 1 features. The layers that tasks share come after it:
    the *stacked* form of the paper.

    Where we leave the paper: W is U Vᵀ of a fixed ``rank`` unless that would save nothing. Rows
    are some 100 to 700 wide; a full W at 700 would cost three times what the experts cost, while
    the paper finds that a rank of a quarter of the width loses next to nothing. Nothing is
    normalised: numbers arrive standardised, and the experts normalise what they give.

    :param layers: How often features are multiplied.
    :param rank: The rank of each W. From half the width on W is full, being smaller than U and V.
    :raises ProjectError: where one of them is below 1.

    >>> Cross(layers=3).build([3, 2]).size
    7
    """

    layers: int = 2
    rank: int = 64

    def __post_init__(self) -> None:
        for name in ("layers", "rank"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")

    def build(self, sizes: Sequence[int]) -> Fused:
        return _Cross(sizes, self.layers, self.rank)


class _Cross(Fused):
    def __init__(self, sizes: Sequence[int], layers: int, rank: int) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.size = width_of(sizes)
        self.layers = nn.ModuleList(_weight(self.size, rank) for _ in range(layers))

    def forward(
        self, parts: Sequence[Float[Tensor, "rows _"] | None]
    ) -> Float[Tensor, "rows size"]:
        first = side_by_side(parts, self.sizes)
        x = first
        for layer in self.layers:
            x = torch.addcmul(x, first, layer(x))
        return x


def _weight(size: int, rank: int) -> nn.Module:
    """W and b, in whichever form holds fewer numbers."""
    if 2 * rank >= size:
        return nn.Linear(size, size)
    return nn.Sequential(nn.Linear(size, rank, bias=False), nn.Linear(rank, size))
