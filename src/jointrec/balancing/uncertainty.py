"""Weights that are learned with the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .base import Balancer, Balancing

WIDEST = 2.303
"""log 10: no task comes to count more than ten times as much as at the start, or as little."""


@dataclass(frozen=True)
class Uncertainty(Balancing):
    """Learns how much each task counts: the better one is answered, the more.

    `Kendall et al., 2018 <https://arxiv.org/abs/1705.07115>`_ read the weight of a task as the
    noise of its labels::

        L = Σ_t exp(-v_t) · ℓ_t / s_t + v_t

    with v_t learned and s_t the training loss of the best constant answer. Where we leave the
    paper: losses are first divided by s_t, and v starts at 0, so that the first step is that of
    :class:`Normalized`; one form serves regression and classification, twice the paper's ½ form; v
    stays between -log 10 and log 10, without which a loss below 0 (that of an amount can be) would
    drive it to minus infinity; and a task without a known row leaves its v alone.
    """

    def build(self, scales: Mapping[str, float]) -> Balancer:
        return _Uncertainty(scales)


class _Uncertainty(Balancer):
    scales: Tensor

    def __init__(self, scales: Mapping[str, float]) -> None:
        super().__init__()
        self.register_buffer("scales", torch.tensor(list(scales.values())))
        self.free = nn.Parameter(torch.zeros(len(scales)))

    def combine(
        self, losses: Float[Tensor, "tasks"], pulls: Float[Tensor, "tasks tasks"] | None = None
    ) -> Float[Tensor, ""]:
        log_variances = WIDEST * torch.tanh(self.free / WIDEST)
        terms = torch.exp(-log_variances) * losses / self.scales + log_variances
        return torch.where(losses == 0, losses, terms).sum()
