"""The direction that helps the worst-off task most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .base import Balancer, Balancing
from .pulls import Gramian, PullBalancer, Weights, least


@dataclass(frozen=True)
class MGDA(Balancing):
    """Weighs tasks so that their common gradient is the shortest: where it is zero, none can gain
    but at the cost of another.

    The multiple-gradient descent algorithm in the form MGDA-UB (`Sener and Koltun, 2018
    <https://arxiv.org/abs/1810.04650>`_)::

        w = argmin wᵀ G w  where  w ≥ 0, Σ w = 1

    with G the inner products of the gradients, of losses in units of the best constant answer, at
    what tasks get of what they share. Weights are multiplied by the number of tasks, so that tasks
    that pull alike weigh 1. A task that pulls hard is turned down, also where it pulls hard because
    it is still far from its best; where that costs too much, take :class:`UPGrad`.
    """

    def build(self, scales: Mapping[str, float]) -> Balancer:
        return _MGDA(scales)


class _MGDA(PullBalancer):
    def weigh(self, pulls: Gramian) -> Weights:
        # Scaled to a sum of 1, what makes ½ wᵀGw − Σw least is what makes wᵀGw least.
        (found,) = least(pulls, np.zeros((1, len(pulls))), 1.0)
        weights: Weights = len(found) * found / found.sum()
        return weights
