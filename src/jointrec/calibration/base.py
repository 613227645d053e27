"""The contract of a calibration: how often things happen, as against how often they were said to.

A network is trained on what was, and shops change. What it says on the newest rows before the test
cut is held against what happened there, and its log odds are moved. The order of rows stays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

Place = Callable[[Tensor], Tensor]
"""What a task's own log odds come to within its funnel; the same where it has none."""


@dataclass(frozen=True)
class Calibration(ABC):
    """A way to set chances right."""

    @abstractmethod
    def build(self) -> Calibrator:
        """The module of one task. Until it is fitted it changes nothing."""


class Calibrator(nn.Module, ABC):
    """Moves the log odds of one task."""

    @abstractmethod
    def forward(self, logits: Float[Tensor, "rows"]) -> Float[Tensor, "rows"]:
        """The log odds as they should be; larger where they were larger, with every calibrator."""

    @abstractmethod
    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
    ) -> None:
        """Learns from the newest rows whose label is known.

        :param logits: What the task's own head says.
        :param labels: 1 happened, 0 did not.
        :param place: From own log odds to those of the task, as a funnel makes them.
        :param weights: How much each row counts. Default: all the same.
        """


def most_likely(
    moved: Callable[[Tensor], Tensor],
    spread: Float[Tensor, "numbers"],
    labels: Tensor,
    weights: Tensor | None = None,
) -> Float[Tensor, "numbers"]:
    """The numbers under which labels are likeliest, each drawn towards 0.

    The mode of their posterior: each is normal around 0 with its own spread before anything is
    seen, so that a dozen of rows move little and thousands all there is to move.

    :param moved: From the numbers to the log odds of the rows.
    :param spread: The standard deviation of each number before anything is seen.
    :param weights: How much each row counts. Default: all the same.
    """
    numbers = torch.zeros_like(spread, requires_grad=True)
    optimizer = torch.optim.LBFGS([numbers], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        wrong = binary_cross_entropy_with_logits(
            moved(numbers), labels, weight=weights, reduction="sum"
        )
        total = wrong + 0.5 * (numbers / spread).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return numbers.detach()
