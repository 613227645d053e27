"""Chances as the network gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from .base import NOTHING, About, Calibration, Calibrator, Place


@dataclass(frozen=True)
class Raw(Calibration):
    """Leaves chances and sums as they are: for whoever sets them right elsewhere."""

    totals: ClassVar[bool] = False
    apart: ClassVar[bool] = False

    def build(self) -> Calibrator:
        return _Raw()


class _Raw(Calibrator):
    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        return logits

    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
        about: About = NOTHING,
    ) -> None:
        pass

    @property
    def fitted(self) -> str:
        return "as the network gives them"
