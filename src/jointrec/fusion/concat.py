"""Parts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .base import Fused, Fusion
from .side_by_side import side_by_side, width_of


@dataclass(frozen=True)
class Concat(Fusion):
    """Sets the vectors of a row side by side and leaves the rest to the layers that follow.

    A missing part is zeros. One number per part is appended, 1 where the part is there and 0 where
    it is not, so that zeros and nothing are told apart. Nothing is learned.

    >>> Concat().build([3, 2]).size
    7
    """

    def build(self, sizes: Sequence[int]) -> Fused:
        return _Concat(sizes)


class _Concat(Fused):
    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.size = width_of(sizes)

    def forward(
        self, parts: Sequence[Float[Tensor, "rows _"] | None]
    ) -> Float[Tensor, "rows size"]:
        return side_by_side(parts, self.sizes)
