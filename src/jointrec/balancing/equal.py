"""The plain sum of losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .base import Balancer, Balancing


@dataclass(frozen=True)
class Equal(Balancing):
    """Adds up the losses as they are: L = Σ_t ℓ_t.

    A task whose loss is large by its nature, such as an amount, then pulls the most. Choose
    :class:`Normalized` unless all losses are of one kind.
    """

    def build(self, scales: Mapping[str, float]) -> Balancer:
        return _Equal()


class _Equal(Balancer):
    def combine(
        self, losses: Float[Tensor, "tasks"], pulls: Float[Tensor, "tasks tasks"] | None = None
    ) -> Float[Tensor, ""]:
        return losses.sum()
