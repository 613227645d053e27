"""No task is moved backwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .base import Balancer, Balancing
from .pulls import Gramian, PullBalancer, Weights, least


@dataclass(frozen=True)
class UPGrad(Balancing):
    """Moves what tasks share in a direction in which no task gets worse.

    Unconflicting projection of gradients (`Quinton and Rey, 2024
    <https://arxiv.org/abs/2406.16232>`_). The gradient g_i of each task, of losses in units of the
    best constant answer, is moved as little as possible until it opposes no other, and these are
    summed. With G the inner products of the gradients that is a weight for each loss::

        w = Σ_i v_i,   v_i = argmin vᵀ G v  where  v ≥ e_i

    Tasks that do not conflict weigh 1: then it is :class:`Normalized`.

    Where we leave the paper: gradients are those of what tasks get of what they share, row by row,
    not of all weights, which costs a few percent of a step in place of a pass back for each task
    (as MGDA-UB, `Sener and Koltun, 2018 <https://arxiv.org/abs/1810.04650>`_). Tasks of different
    grains have no row in common, and so do not conflict.
    """

    def build(self, scales: Mapping[str, float]) -> Balancer:
        return _UPGrad(scales)


class _UPGrad(PullBalancer):
    def weigh(self, pulls: Gramian) -> Weights:
        found: Weights = least(pulls, np.eye(len(pulls)), 0.0).sum(axis=0)
        return found
