"""The contract of a calibration: how often things happen, as against how often they were said to.

A network is trained on what was, and shops change. What it says on the newest rows before the test
cut is held against what happened there, and its log odds are moved. The order of rows stays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

Place = Callable[[Tensor], Tensor]
"""What a task's own log odds come to within its funnel; the same where it has none."""


PlaceOf = Callable[[Tensor], Place]
"""The place of some rows, by their numbers."""


@dataclass(frozen=True)
class About:
    """What a calibrator may know of rows beside what the network says of them.

    :param days: The day of each row's moment (days since 1970 UTC); None where they have none.
    :param segments: What each row has in the column that a calibration goes by, as a whole number;
        None where it goes by none, or the rows do not have it.
    """

    days: Int[Tensor, "rows"] | None = None
    segments: Int[Tensor, "rows"] | None = None

    @classmethod
    def joined(cls, parts: Sequence[About]) -> About:
        """The same of the rows of some parts, one below the other; at least one."""
        days = [part.days for part in parts if part.days is not None]
        segments = [part.segments for part in parts if part.segments is not None]
        return cls(torch.cat(days) if days else None, torch.cat(segments) if segments else None)

    def some(self, rows: Tensor) -> About:
        """The same of some rows, by a mask or by their numbers."""
        parts = (self.days, self.segments)
        return About(*[None if part is None else part[rows] for part in parts])


NOTHING = About()
"""Rows of which nothing more is known."""


@dataclass(frozen=True)
class Settled:
    """Rows whose labels became known one after the other.

    :param logits: What the task's own head says of each.
    :param labels: 1 happened, 0 did not.
    :param days: From the beginning of which day on (days since 1970 UTC) the label is known.
    :param about: What else is known of the rows.
    :param weights: How much each row counts.
    """

    logits: Float[Tensor, "rows"]
    labels: Float[Tensor, "rows"]
    days: Int[Tensor, "rows"]
    about: About
    weights: Float[Tensor, "rows"]


@dataclass(frozen=True)
class Calibration(ABC):
    """A way to set chances right, and the sums of amounts and counts."""

    totals: ClassVar[bool] = True
    """Whether amounts and counts are brought to sum up to what was seen."""
    apart: ClassVar[bool] = True
    """Whether several answers to one row are moved apart as well (see :class:`Several`)."""

    @property
    def by(self) -> str | None:
        """The column, as ``table.column``, whose values are set right by themselves; None: none."""
        return None

    @property
    def together(self) -> Calibration:
        """What sets the answers of a row right as one, where it has several: members of a set,
        steps. It knows neither day nor segment of a row."""
        return self

    @abstractmethod
    def build(self) -> Calibrator:
        """The module of one task. Until it is fitted it changes nothing."""


class Calibrator(nn.Module, ABC):
    """Moves the log odds of one task."""

    @abstractmethod
    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        """The log odds as they should be; of rows alike in all else larger where they were larger.

        :param about: What else is known of the rows.
        """

    @abstractmethod
    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
        about: About = NOTHING,
    ) -> None:
        """Learns from the newest rows whose label is known.

        :param logits: What the task's own head says.
        :param labels: 1 happened, 0 did not.
        :param place: From own log odds to those of the task, as a funnel makes them.
        :param weights: How much each row counts. Default: all the same.
        :param about: What else is known of the rows.
        """

    @property
    @abstractmethod
    def fitted(self) -> str:
        """What was fitted, in a few words for a report."""

    def follows(self, lag: int) -> bool:
        """Whether it moves on with the labels that settle after it was fitted.

        :param lag: How long after a row its label is settled (µs).
        """
        return False

    def follow(self, rows: Settled, place: PlaceOf) -> None:
        """Moves on day by day, each day by labels that were settled when it began.

        :param rows: Rows from validation on, whose labels are known by now.
        :param place: For some of the rows, by their numbers, from own log odds to the task's.
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
