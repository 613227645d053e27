"""Weights that follow how tasks pull on what they share, from inner products of their gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from .base import Balancer

Gramian = Float64[np.ndarray, "tasks tasks"]
Weights = Float64[np.ndarray, "tasks"]

STEADY = 1e-4
"""Added to the diagonal of inner products whose mean diagonal is 1: parallel gradients have many
best weights, and this one is the evenest."""
SWEEPS = 200
EXACT = 1e-6
"""No weight moves more than this in the last sweep."""


class PullBalancer(Balancer):
    """Weighs losses, in units of the best constant answer, by what :meth:`weigh` makes of pulls.

    Without pulls, and of tasks that do not pull (they have no known row), every weight is 1.
    """

    reads_pulls: ClassVar[bool] = True
    scales: Tensor

    def __init__(self, scales: Mapping[str, float]) -> None:
        super().__init__()
        self.register_buffer("scales", torch.tensor(list(scales.values())))

    def combine(
        self,
        losses: Float[Tensor, "tasks"],
        pulls: Float[Tensor, "tasks tasks"] | None = None,
    ) -> Float[Tensor, ""]:
        own = losses / self.scales
        if pulls is None:
            return own.sum()
        scaled = (pulls / torch.outer(self.scales, self.scales)).double().numpy()
        weights = np.ones(len(losses))
        there = np.flatnonzero(scaled.diagonal() > 0)
        if len(there) > 1:
            among = scaled[np.ix_(there, there)]
            among = among / among.diagonal().mean() + STEADY * np.eye(len(there))
            weights[there] = self.weigh(among)
        return (own * torch.from_numpy(weights).to(own.dtype)).sum()

    @abstractmethod
    def weigh(self, pulls: Gramian) -> Weights:
        """A weight for each task, from 0 on, and 1 on the average of tasks that do not conflict.

        :param pulls: Inner products of gradients, two tasks or more; positive definite.
        """


def least(pulls: Gramian, floors: Float64[np.ndarray, "problems tasks"], gain: float) -> np.ndarray:
    """For each problem the v ≥ floor that makes ``½ vᵀ G v − gain Σ v`` least.

    One number after another, of all problems at once: each is put where the slope is 0, or at its
    floor. A handful of tasks needs a handful of sweeps.

    >>> least(np.array([[1.0, -0.5], [-0.5, 1.0]]), np.eye(2), 0.0)
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    found = floors.copy()
    for _ in range(SWEEPS):
        before = found.copy()
        for task in range(len(pulls)):
            slope = found @ pulls[task] - gain
            found[:, task] = np.maximum(floors[:, task], found[:, task] - slope / pulls[task, task])
        if np.abs(found - before).max() < EXACT:
            break
    return found
