"""Parts of a row, brought to one width."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn


class Projected(nn.Module):
    """Brings each part to a common width: one of another size by a linear layer of its own.

    A part that has the width already is taken as it is.

    :param sizes: The sizes of the parts, in their order.
    :param width: The common width.
    """

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            nn.Identity() if size == width else nn.Linear(size, width) for size in sizes
        )

    def forward(
        self, parts: Sequence[Float[Tensor, "rows _"] | None]
    ) -> list[Float[Tensor, "rows width"]]:
        """The parts that are there, all of one width."""
        return [
            project(part)
            for project, part in zip(self.parts, parts, strict=True)
            if part is not None
        ]
