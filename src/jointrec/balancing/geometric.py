"""The geometric mean of losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .base import Balancer, Balancing


@dataclass(frozen=True)
class Geometric(Balancing):
    """Makes the same relative progress count the same in every task: L = (Π_t ℓ_t)^(1/n).

    From `Chennupati et al., 2019 <https://arxiv.org/abs/1904.08492>`_; halving any loss is worth
    the same, so units do not matter. Where we leave the paper: the product is over the n tasks
    whose loss is above 0. One below 0 (that of an amount can be) has no logarithm and is added.
    """

    def build(self, scales: Mapping[str, float]) -> Balancer:
        return _Geometric()


class _Geometric(Balancer):
    def combine(
        self, losses: Float[Tensor, "tasks"], pulls: Float[Tensor, "tasks tasks"] | None = None
    ) -> Float[Tensor, ""]:
        above = losses > 0
        logs = torch.where(above, losses, 1.0).log()
        mean = torch.exp(logs.sum() / above.sum().clamp(min=1))
        return mean * above.any() + torch.where(above, 0.0, losses).sum()
