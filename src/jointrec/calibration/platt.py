"""A scale and a shift of log odds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .base import NOTHING, About, Calibration, Calibrator, Place, most_likely

SPREAD = (0.3, 1.0)
"""How far the logarithm of the scale, and the shift, lie from 0 as a rule."""


@dataclass(frozen=True)
class Platt(Calibration):
    r"""Stretches and shifts the log odds: z ↦ a z + b, with a above 0.

    Platt (1999), *Probabilistic outputs for support vector machines*. Where we leave the paper: it
    pulls labels a little away from 0 and 1, we pull log a and b towards 0, where nothing is
    changed; so few rows change little. In a funnel the task's *own* log odds are moved, and its
    chance stays below that of the step before.

    >>> calibrator = Platt().build()
    >>> calibrator(torch.tensor([-1.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

    def build(self) -> Calibrator:
        return _Platt()


class _Platt(Calibrator):
    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("shift", torch.zeros(()))

    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        return logits * self.scale + self.shift

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
            return place(logits * numbers[0].exp() + numbers[1])

        found = most_likely(moved, torch.tensor(SPREAD, dtype=torch.float64), labels, weights)
        self.scale.copy_(found[0].exp())
        self.shift.copy_(found[1])

    @property
    def fitted(self) -> str:
        return f"log odds times {float(self.scale):.3f} and {float(self.shift):+.3f}"
