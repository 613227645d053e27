"""The product of chances, in log space."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from jointrec.functional.funnel import chain

from .base import Funnel, Step

SURE = 1e-4
"""A step starts with a chance at most this far from certain."""


@dataclass(frozen=True)
class Product(Funnel):
    """P(buy) = P(click) · P(buy | click), over all rows: ESMM (Ma et al., 2018).

    The head gives the log odds of the step *given* the one before it. The product is taken in log
    space (:func:`jointrec.functional.funnel.chain`), so it is exact for chances of one in a
    million. The paper lets the gradient of the product reach both factors; here each step trains
    its own.

    >>> round(Product().start(math.log(0.1 / 0.9), math.log(0.2 / 0.8)), 9) + 0.0  # one half
    0.0
    """

    def build(self, width: int) -> Step:
        return _Product()

    def start(self, logit: float, earlier: float) -> float:
        share = min(_chance(logit) / max(_chance(earlier), 1e-12), 1 - SURE)
        return round(math.log(share / (1 - share)), 12)


class _Product(Step):
    def forward(
        self, earlier: Float[Tensor, "rows"], own: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return chain(earlier, own)


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 1e-300
