"""Several chances of one row set right: the members of a set, the steps of a sequence."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .base import Calibrator
from .pooled import pooled

SPREAD = (0.2, 0.5)
"""How far the logarithm of an answer's own scale, and its own shift, lie from 0 as a rule: more
than those of a segment, as classes are other questions."""


class Several(nn.Module):
    r"""Moves the log odds of each of several answers to a row.

    What they have in common is set right by one calibrator, for which every answer of every row is
    a row of its own. Then each answer has its own scale and shift as far as its rows allow
    (:func:`~jointrec.calibration.pooled.pooled`): one that is hardly ever yes is moved as all are.
    The order of rows by any one answer stays.

    :param shared: What sets all answers right together.
    :param size: How many answers a row has.
    :param apart: Whether each answer is moved by itself as well.

    >>> from jointrec.calibration import Platt
    >>> Several(Platt().build(), 2)(torch.tensor([[2.0, -1.0]])).tolist()
    [[2.0, -1.0]]
    """

    scales: Tensor
    shifts: Tensor

    def __init__(self, shared: Calibrator, size: int, *, apart: bool = True) -> None:
        super().__init__()
        self.shared, self.apart = shared, apart
        self.register_buffer("scales", torch.ones(size))
        self.register_buffer("shifts", torch.zeros(size))

    def forward(self, logits: Float[Tensor, "rows size"]) -> Float[Tensor, "rows size"]:
        """The log odds as they should be; of each answer larger where they were larger."""
        moved: Tensor = self.shared(logits.flatten())
        scales, shifts = self.scales.to(moved.dtype), self.shifts.to(moved.dtype)
        return moved.view(logits.shape) * scales + shifts

    def fit(
        self,
        logits: Float[Tensor, "rows size"],
        happened: Float[Tensor, "rows size"],
        weights: Float[Tensor, "rows"],
    ) -> None:
        """Learns from the newest rows of which something is known.

        :param logits: What the task's own head says.
        :param happened: 1 happened, 0 did not, nan unknown.
        :param weights: How much each row counts.
        """
        self.scales.fill_(1.0)
        self.shifts.zero_()
        rows, at = torch.nonzero(~happened.isnan(), as_tuple=True)
        if not len(rows):
            return
        said, labels, counted = logits[rows, at], happened[rows, at], weights[rows].double()
        self.shared.fit(said, labels, lambda own: own, counted)
        if not self.apart:
            return
        with torch.no_grad():
            whole = self.shared(said)
        own = pooled(whole, at, len(self.scales), SPREAD, labels, counted)
        self.scales.copy_(own[0, :-1])
        self.shifts.copy_(own[1, :-1])

    @property
    def fitted(self) -> str:
        """What was fitted, in a few words for a report."""
        if not self.apart:
            return self.shared.fitted
        low, high = float(self.shifts.min()), float(self.shifts.max())
        each = f"{len(self.shifts)} answers shifted by {low:+.3f} to {high:+.3f}"
        return f"{self.shared.fitted}, {each}"
