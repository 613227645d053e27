"""The product of chances, and the later one as if all had come so far."""

from __future__ import annotations

from dataclasses import dataclass

from jointrec.errors import ProjectError

from .base import Funnel, Step
from .product import Product


@dataclass(frozen=True)
class ESCM2(Funnel):
    """The product, and beside it P(buy | click) learned of clicks by inverse propensity: ESCM²-IPS.

    Wang et al. (2022), `Entire Space Counterfactual Multi-Task Model
    <https://arxiv.org/abs/2204.05125>`_: rows that were clicked count 1 / P(click) in a second loss
    of the step, as those who click are not like all who are asked. Chances are those of
    :class:`Product`. Its doubly robust form is not here: in the studies read it was unstable.

    :param share: How much of the second loss is added, 0 or more.
    :param clip: The most that a row counts in it, 1 or more.
    :raises ProjectError: where one of them is out of range.
    """

    share: float = 0.1
    clip: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.share < float("inf"):
            raise ProjectError(f"`share` should be 0 or more. Found `{self.share}`.")
        if not 1 <= self.clip < float("inf"):
            raise ProjectError(f"`clip` should be 1 or more. Found `{self.clip}`.")

    @property
    def propensity_share(self) -> tuple[float, float]:
        return self.share, self.clip

    def build(self, width: int) -> Step:
        return Product().build(width)

    def start(self, logit: float, earlier: float) -> float:
        return Product().start(logit, earlier)
