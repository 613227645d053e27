"""Log odds set right for each value of a column by itself, as far as rows allow."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .base import NOTHING, About, Calibration, Calibrator, Place, PlaceOf, Settled
from .platt import Platt
from .pooled import pooled

MOST = 64
"""How many segments are set right by themselves at most: those with the most rows."""
SPREAD = (0.1, 0.3)
"""How far the logarithm of a segment's own scale, and its own shift, lie from 0 as a rule."""


@dataclass(frozen=True)
class BySegment(Calibration):
    r"""Sets chances right as ``first`` does, and then by segment: for each device, country …

    :math:`z \mapsto e^{a_s} z + b_s` for the rows of segment s. Both are drawn towards 0, where a
    segment is as all others are, so few rows of a segment move it little
    (:func:`~jointrec.calibration.pooled.pooled`). The order within a segment stays; segments move
    against each other.

    :param segment: A ``Category`` that rows know, as ``table.column``: of the event that is asked,
        or of an entity. Tasks whose rows do not have it are set right by ``first`` alone. Default:
        none.
    :param first: What sets all rows right.

    >>> BySegment("impression.device").build()(torch.tensor([2.0])).tolist()
    [2.0]
    """

    segment: str | None = None
    first: Calibration = field(default_factory=Platt)

    @property
    def by(self) -> str | None:
        return self.segment

    def build(self) -> Calibrator:
        return _BySegment(self.first.build())

    @property
    def together(self) -> Calibration:
        return self.first.together


class _BySegment(Calibrator):
    segments: Tensor
    scales: Tensor
    shifts: Tensor

    def __init__(self, first: Calibrator) -> None:
        super().__init__()
        self.first = first
        # The last place is that of all segments without one.
        self.register_buffer("segments", torch.full((MOST,), -1, dtype=torch.int64))
        self.register_buffer("scales", torch.ones(MOST + 1))
        self.register_buffer("shifts", torch.zeros(MOST + 1))

    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        moved: Tensor = self.first(logits, about)
        if about.segments is None:
            return moved
        place = self._places(about.segments)
        scale, shift = (one.to(moved.dtype)[place] for one in (self.scales, self.shifts))
        return moved * scale + shift

    def _places(self, segments: Int[Tensor, "rows"]) -> Int[Tensor, "rows"]:
        """Where the numbers of each row's segment stand."""
        known, order = self.segments.sort()
        at = torch.searchsorted(known, segments.contiguous()).clamp(max=MOST - 1)
        return torch.where(known[at] == segments, order[at], MOST)

    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
        about: About = NOTHING,
    ) -> None:
        self.first.fit(logits, labels, place, weights, about)
        self.segments.fill_(-1)
        self.scales.fill_(1.0)
        self.shifts.zero_()
        if about.segments is None or not len(labels):
            return
        found, counts = np.unique(about.segments.numpy(), return_counts=True)
        largest = found[np.argsort(-counts, kind="stable")[:MOST]]
        self.segments[: len(largest)] = torch.from_numpy(largest)
        with torch.no_grad():
            whole = self.first(logits, about)
        own = pooled(whole, self._places(about.segments), MOST, SPREAD, labels, weights, place)
        self.scales.copy_(own[0])
        self.shifts.copy_(own[1])

    @property
    def fitted(self) -> str:
        own = self.shifts[:MOST][self.segments >= 0]
        if not len(own):
            return self.first.fitted
        moved = f"{len(own)} segments shifted by {float(own.min()):+.3f} to {float(own.max()):+.3f}"
        return f"{self.first.fitted}, {moved}"

    def follows(self, lag: int) -> bool:
        return self.first.follows(lag)

    def follow(self, rows: Settled, place: PlaceOf) -> None:
        self.first.follow(rows, place)
