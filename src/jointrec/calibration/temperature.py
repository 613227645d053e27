"""A scale of log odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from .base import NOTHING, About, Calibration, Calibrator, Place, most_likely

SPREAD = 0.3
"""How far the logarithm of the scale lies from 0 as a rule."""


@dataclass(frozen=True)
class Temperature(Calibration):
    """Stretches the log odds: z ↦ z / T, with T above 0.

    Guo et al. (2017), `On Calibration of Modern Neural Networks
    <https://arxiv.org/abs/1706.04599>`_: it mends how sure a network is, and not how often things
    happen on the whole. Take it where the base rate is the same as in training.

    >>> Temperature().build()(torch.tensor([2.0])).tolist()
    [2.0]
    """

    apart: ClassVar[bool] = False  # else it would say how often each happens

    def build(self) -> Calibrator:
        return _Temperature()


class _Temperature(Calibrator):
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        return logits * self.scale

    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
        about: About = NOTHING,
    ) -> None:
        logits, labels = logits.double(), labels.double()

        def moved(numbers: Tensor) -> Tensor:
            return place(logits * numbers[0].exp())

        found = most_likely(moved, torch.tensor([SPREAD], dtype=torch.float64), labels, weights)
        self.scale.copy_(found[0].exp())

    @property
    def fitted(self) -> str:
        return f"log odds times {float(self.scale):.3f}"
