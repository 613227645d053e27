"""One trunk for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .base import Heard, SharedNetwork, Sharing
from .experts import Experts


@dataclass(frozen=True)
class SharedBottom(Sharing):
    """Gives all tasks the same vector (`Caruana, 1997 <https://doi.org/10.1023/A:1007379606734>`_).

    Cheapest, and hard to beat where tasks are alike or data are few.

    :param widths: The widths of the layers of the trunk; the last is what tasks get.
    :param dropout: The share of activations dropped while training, from 0 to below 1.
    """

    def build(self, size: int, tasks: Sequence[str]) -> SharedNetwork:
        return _SharedBottom(Experts(size, self.widths, (1,), self.dropout))


class _SharedBottom(SharedNetwork):
    def __init__(self, trunk: Experts) -> None:
        super().__init__()
        self.trunk = trunk

    def heard(self, x: Float[Tensor, "rows size"], tasks: Sequence[str]) -> Heard:
        vector = self.trunk([x], [0]).squeeze(1)
        # One tensor for each task, so that a gradient says whose it is.
        vectors = {task: vector.view_as(vector) for task in tasks}
        return Heard(vectors, vector.new_ones(1, 1, 1).expand(len(x), len(tasks), 1))
