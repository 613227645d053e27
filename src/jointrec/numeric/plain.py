"""Numbers as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .base import Numeric, NumericReader


@dataclass(frozen=True)
class Plain(Numeric):
    """Hands numbers on as they are: the cheapest way, for what is nearly linear."""

    def build(self, edges: Sequence[Sequence[float]]) -> NumericReader:
        return _Plain(len(edges))


class _Plain(NumericReader):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, numbers: Float[Tensor, "rows _"]) -> Float[Tensor, "rows size"]:
        return numbers
