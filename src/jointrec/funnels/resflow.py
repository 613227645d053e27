"""Residuals from step to step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from .base import Funnel, Step

LEAST_FALL = 1e-4
"""A step starts at least this far, in log odds, below the one before it."""


@dataclass(frozen=True)
class ResFlow(Funnel):
    r"""A step adds to what the one before it knows, and takes off its log odds: ResFlow.

    .. math:: h_k = h_k^{own} + h_{k-1}, \qquad z_k = z_{k-1} - \mathrm{softplus}(-r_k)

    Fu et al. (2024), `Residual Multi-Task Learner for Applied Ranking
    <https://arxiv.org/abs/2411.09705>`_, with h the vectors of tasks and r what the head gives. The
    paper keeps steps in order by min(r, 0), which learns nothing where r is above 0; a softplus
    does everywhere. Where chances are small this is :class:`Product` but for the vectors: there
    log odds are logs of chances.

    >>> funnel = ResFlow()
    >>> round(1.0 - math.log1p(math.exp(-funnel.start(-2.0, 1.0))), 6)
    -2.0
    """

    def build(self, width: int) -> Step:
        return _ResFlow()

    def start(self, logit: float, earlier: float) -> float:
        fall = max(earlier - logit, LEAST_FALL)
        # log(e^x - 1), written so that a long fall does not overflow.
        return -(fall + math.log(-math.expm1(-fall)))


class _ResFlow(Step):
    def vector(
        self, own: Float[Tensor, "rows width"], earlier: Float[Tensor, "rows width"]
    ) -> Float[Tensor, "rows width"]:
        return own + earlier

    def forward(
        self, earlier: Float[Tensor, "rows"], own: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return earlier - softplus(-own)
