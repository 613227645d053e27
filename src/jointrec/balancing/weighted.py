"""Weights of one's own choice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from jointrec.errors import ProjectError, together, unknown_name

from .base import Balancer, Balancing


@dataclass(frozen=True)
class Weighted(Balancing):
    """Lets you say how much each task counts: L = Σ_t w_t · ℓ_t / s_t.

    s_t is the training loss of the best constant answer, as in :class:`Normalized`: a weight of 2
    is twice the pull, whatever the units of the loss.

    :param weights: For each task how much it counts, above 0. A task that is not named counts 1.
        To leave a task out, take it out of the project.
    :raises ProjectError: where a weight is not above 0; in :meth:`build`, where two or more tasks
        are trained and a name is none of theirs. A task by itself is weighed against nothing.
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [
            f"`weights`: that of `{task}` should be a number above 0. Found `{weight}`."
            for task, weight in self.weights.items()
            if not 0 < weight < math.inf
        ]
        if wrong:
            raise ProjectError(together(wrong, of="weights"))

    def build(self, scales: Mapping[str, float]) -> Balancer:
        wrong = [
            unknown_name("task", task, scales, at="balancing.weights")
            for task in self.weights
            if task not in scales
        ]
        if wrong and len(scales) > 1:
            raise ProjectError(together(wrong, of="balancing.weights"))
        return _Weighted({task: self.weights.get(task, 1.0) / s for task, s in scales.items()})


class _Weighted(Balancer):
    weights: Tensor

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(list(weights.values())))

    def combine(
        self, losses: Float[Tensor, "tasks"], pulls: Float[Tensor, "tasks tasks"] | None = None
    ) -> Float[Tensor, ""]:
        return (self.weights * losses).sum()
