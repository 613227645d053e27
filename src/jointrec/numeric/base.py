"""The contract of a numeric reader: how a group of numbers becomes a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Numeric(ABC):
    """A way to read what was counted of an entity, or of a pair, at a moment."""

    @abstractmethod
    def build(self, edges: Sequence[Sequence[float]]) -> NumericReader:
        """The module for a group of numbers.

        :param edges: For each number, in ascending order, the distinct values between which its
            training rows fall in equal shares; none where nothing was seen.
        """


class NumericReader(nn.Module, ABC):
    """Reads a group of numbers, each standardised and finite.

    :ivar size: The width of what comes out.
    """

    size: int

    @abstractmethod
    def forward(self, numbers: Float[Tensor, "rows _"]) -> Float[Tensor, "rows size"]:
        """One vector per row, whatever the other rows are."""
