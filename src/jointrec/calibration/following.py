"""Log odds that follow the days: moved by labels as they settle."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from jointrec.errors import ProjectError
from jointrec.labels import microseconds

from .base import (
    NOTHING,
    About,
    Calibration,
    Calibrator,
    Place,
    PlaceOf,
    Settled,
    most_likely,
)
from .isotonic import Isotonic

DAYS = 400
"""How many days a shift is kept for, from validation on; later ones have that of the last."""


@dataclass(frozen=True)
class Following(Calibration):
    r"""Shifts log odds day by day, as labels settle: base rates of a shop move from week to week.

    After ``first``, each day d has its own shift :math:`z \mapsto z + b_d`, and the shift is a
    random walk, :math:`b_d \sim N(b_{d-1}, \sigma^2)`. When a day begins, b is moved to where the
    labels that have settled since the day before are likeliest, given how far it may have walked:
    an extended Kalman filter (West, Harrison and Migon 1985, `Dynamic Generalized Linear Models
    <https://doi.org/10.2307/2288043>`_). A shift uses labels that were settled, strictly before its
    day began: an impression of Monday whose labels settle after a day moves Wednesday. Few
    positives move it little. Within a day the order stays.

    A shop gets the shifts of new days by measuring the model on newer tables, or by training again.
    It follows only where time splits the rows. A task without moments is set right by ``first``
    alone.

    :param first: What sets chances right on the validation rows.
    :param per_day: How far log odds walk in a day (σ, a standard deviation).
    :param crowding: How many rows count as one: rows of one visit happen together, and what they
        say of a day is less than if each had a visit of its own.
    :param within: Only labels that settle within this are followed: what others say of a day is
        said when it is long gone.

    >>> Following().build()(torch.tensor([2.0])).tolist()
    [2.0]
    """

    first: Calibration = field(default_factory=Isotonic)
    per_day: float = 0.1
    crowding: float = 3.0
    within: str = "7d"

    def __post_init__(self) -> None:
        for name, value in (("per_day", self.per_day), ("crowding", self.crowding)):
            if not 0 < value < math.inf:
                raise ProjectError(f"`{name}` should be above 0. Found `{value}`.")
        microseconds(self.within)

    @property
    def by(self) -> str | None:
        return self.first.by

    @property
    def together(self) -> Calibration:
        return self.first.together

    def build(self) -> Calibrator:
        longest = microseconds(self.within)
        return _Following(self.first.build(), self.per_day, self.crowding, longest)


class _Following(Calibrator):
    first_day: Tensor
    shifts: Tensor

    def __init__(self, first: Calibrator, per_day: float, crowding: float, longest: int) -> None:
        super().__init__()
        self.first, self.longest = first, longest
        self.per_day, self.crowding = per_day, crowding
        # A whole number below 2^24: float32 holds it, as all that a network has learned.
        self.register_buffer("first_day", torch.zeros(()))
        self.register_buffer("shifts", torch.zeros(DAYS))

    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        moved: Tensor = self.first(logits, about)
        if about.days is None:
            return moved
        return moved + self._shifts_on(about.days).to(moved.dtype)

    def _shifts_on(self, days: Int[Tensor, "rows"]) -> Float[Tensor, "rows"]:
        """The shift of each day; none before the first that had labels."""
        place = days - self.first_day.long()
        return torch.where(place < 0, 0.0, self.shifts[place.clamp(0, DAYS - 1)])

    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
        about: About = NOTHING,
    ) -> None:
        self.first.fit(logits, labels, place, weights, about)
        self.shifts.zero_()

    @property
    def fitted(self) -> str:
        moved = f", then shifted day by day, {float(self.shifts[-1]):+.3f} at last"
        return self.first.fitted + (moved if self.shifts.any() else "")

    def follows(self, lag: int) -> bool:
        return lag <= self.longest

    def follow(self, rows: Settled, place: PlaceOf) -> None:
        if not len(rows.days):
            return
        order = rows.days.argsort(stable=True)
        days = rows.days[order].numpy()
        begins, starts = np.unique(days, return_index=True)
        logits = self.first(rows.logits, rows.about).double()
        labels, weights = rows.labels.double(), rows.weights.double() / self.crowding
        first, last = int(begins[0]), int(begins[0]) - 1
        # Followed again, on newer rows, it goes on from where it was.
        mean, variance = float(self._shifts_on(torch.tensor([last]))), 0.0
        shifts = torch.zeros(DAYS)
        for day, some in zip(begins.tolist(), order.tensor_split(starts[1:].tolist()), strict=True):
            if day - first >= DAYS:
                break
            variance += self.per_day**2 * (day - last)
            mean, variance = _moved(
                logits[some], labels[some], weights[some], place(some), mean, variance
            )
            shifts[day - first :], last = mean, day
        self.first_day.fill_(first)
        self.shifts.copy_(shifts)


def _moved(
    logits: Tensor, labels: Tensor, weights: Tensor, place: Place, mean: float, variance: float
) -> tuple[float, float]:
    """Where a shift is after some labels, and how surely: its mean and variance."""

    def moved(shift: Tensor) -> Tensor:
        return place(logits + mean + shift)

    spread = torch.tensor([math.sqrt(variance)], dtype=torch.float64)
    found = most_likely(moved, spread, labels, weights).requires_grad_()
    wrong = binary_cross_entropy_with_logits(moved(found), labels, weights, reduction="sum")
    (slope,) = torch.autograd.grad(wrong, found, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), found)
    return mean + float(found.detach()), 1 / (1 / variance + max(float(bend), 0.0))
