"""Losses in units of the loss of the best constant answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .base import Balancer, Balancing


@dataclass(frozen=True)
class Normalized(Balancing):
    """Measures each loss by that of the best constant answer: L = Σ_t ℓ_t / s_t.

    s_t is the training loss of the best answer to task t that is the same for every row; of a
    yes-or-no task it is the entropy of its base rate, and ℓ_t / s_t its normalized entropy. Every
    question then begins near 1, whatever its units. The tasks of a funnel are steps of one
    question: they share the mean of theirs, as their losses add up to one likelihood.
    """

    def build(self, scales: Mapping[str, float]) -> Balancer:
        return _Normalized(scales)


class _Normalized(Balancer):
    scales: Tensor

    def __init__(self, scales: Mapping[str, float]) -> None:
        super().__init__()
        self.register_buffer("scales", torch.tensor(list(scales.values())))

    def combine(
        self, losses: Float[Tensor, "tasks"], pulls: Float[Tensor, "tasks tasks"] | None = None
    ) -> Float[Tensor, ""]:
        return (losses / self.scales).sum()
