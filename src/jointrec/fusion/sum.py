"""The sum of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from jointrec.errors import ProjectError

from .base import Fused, Fusion
from .projected import Projected


@dataclass(frozen=True)
class Sum(Fusion):
    """Adds up the vectors of a row. A part that is missing adds nothing.

    Parts of another size than ``width`` are first brought to it by a linear layer of their own;
    its bias is what tells that a part is there at all.

    :param width: How many numbers come out.
    :raises ProjectError: where ``width`` is below 1.

    >>> Sum(width=8).build([3, 8]).size
    8
    """

    width: int = 128

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ProjectError(f"`width` should be at least 1. Found `{self.width}`.")

    def build(self, sizes: Sequence[int]) -> Fused:
        return _Sum(sizes, self.width)


class _Sum(Fused):
    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.size = width
        self.projected = Projected(sizes, width)

    def forward(
        self, parts: Sequence[Float[Tensor, "rows _"] | None]
    ) -> Float[Tensor, "rows size"]:
        there: list[Tensor] = self.projected(parts)
        total = there[0]
        for part in there[1:]:
            total = total + part
        return total
