"""The past as an average."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from .base import History, HistoryEncoder


@dataclass(frozen=True)
class Mean(History):
    """Averages the vectors of the newest events. Their order plays no part, and nothing is learned.

    Each event says its age already, so what is recent can weigh more without weights here.

    :param last: How many events are read, the newest ones before the moment.
    :param width: How many numbers an event is read as, and so how wide a past is.
    """

    def build(self, width: int) -> HistoryEncoder:
        return _Mean()


class _Mean(HistoryEncoder):
    def forward(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows width"]:
        # Filled and not multiplied: what is not there may even be nan.
        total = steps.masked_fill(~there.unsqueeze(2), 0.0).sum(dim=1)
        return total / there.sum(dim=1, keepdim=True).clamp(min=1)
