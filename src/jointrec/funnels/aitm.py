"""Attention to what the step before knows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .base import Funnel, Step
from .product import Product, _Product


@dataclass(frozen=True)
class AITM(Funnel):
    r"""A step attends to its own vector and to that of the step before it: AITM.

    .. math:: h_k = \sum_{u \in \{p, q\}} w_u\, V u, \qquad
        w = \mathrm{softmax}\left( \frac{\langle Q u, K u \rangle}{\sqrt d} \right), \qquad
        p = T h_{k-1}

    Xi et al. (2021), `Modeling the Sequential Dependence among Audience Multi-step Conversions
    <https://arxiv.org/abs/2105.08489>`_, with q the step's own vector. The paper lets chances of
    steps cross and adds a loss where they do (its *calibrator*); here they are a product, as in
    :class:`Product`, and cannot.
    """

    def build(self, width: int) -> Step:
        return _AITM(width)

    def start(self, logit: float, earlier: float) -> float:
        return Product().start(logit, earlier)


class _AITM(_Product):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.transfer = nn.Linear(width, width)
        self.value, self.key, self.query = (nn.Linear(width, width) for _ in range(3))

    def vector(
        self, own: Float[Tensor, "rows width"], earlier: Float[Tensor, "rows width"]
    ) -> Float[Tensor, "rows width"]:
        both = torch.stack([torch.relu(self.transfer(earlier)), own], dim=1)
        fit = (self.query(both) * self.key(both)).sum(2, keepdim=True) / math.sqrt(own.shape[1])
        mixed: Tensor = (fit.softmax(1) * self.value(both)).sum(1)
        return mixed
