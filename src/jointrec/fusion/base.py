"""The contract of a fusion: how the vectors of a row become one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Fusion(ABC):
    """A way to make one vector of many."""

    @abstractmethod
    def build(self, sizes: Sequence[int]) -> Fused:
        """The module for parts of these sizes."""


class Fused(nn.Module, ABC):
    """Makes one vector per row of the parts of the row."""

    size: int
    """The width of the vector that comes out."""

    @abstractmethod
    def forward(
        self, parts: Sequence[Float[Tensor, "rows _"] | None]
    ) -> Float[Tensor, "rows size"]:
        """One vector per row. A part that the grain does not have is None, and is left out.

        At least one part is there. A part keeps its place: the second is always of the second size.
        """
